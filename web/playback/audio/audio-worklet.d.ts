/** Globals of the audio thread, which TypeScript's DOM library lacks. */

declare const sampleRate: number;

declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

declare function registerProcessor(
  name: string,
  processor: new (options: never) => AudioWorkletProcessor,
): void;
