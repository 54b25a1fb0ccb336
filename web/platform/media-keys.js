/** Media keys, headsets and the lock screen, through the browser's media session. */

/** @typedef {Partial<Record<MediaSessionAction, (details: MediaSessionActionDetails) => void>>} Actions */
/** @typedef {{ title: string, artist?: string, album?: string }} Description of what is played */
/** @typedef {{ playing: boolean, position: number, duration: number, speed: number }} State times in seconds */

/** A session is given to media elements of some seconds alone: sounds that are shorter are taken for signals. */
const SILENCE_SECONDS = 10;
const SILENCE_RATE = 8_000;

/** The browser advances the position by itself; a larger difference in seconds is a jump. */
const JUMP = 0.5;

export class MediaKeys {
  #session = navigator.mediaSession;
  #actions;
  /** Plays nothing beside the music: browsers overlook an AudioContext. @type {HTMLAudioElement | null} */
  #silence = null;
  #description = "";
  /** The state that the session has, and when it was given. @type {State & { time: number } | null} */
  #told = null;

  /** @param {Actions} actions */
  constructor(actions) {
    this.#actions = actions;
    for (const [name, act] of Object.entries(actions)) this.#handle(name, act);
  }

  /** @param {Description | null} description null when nothing can be played */
  describe(description) {
    const text = JSON.stringify(description);
    if (!this.#session || text === this.#description) return;
    this.#description = text;
    this.#session.metadata = description && new MediaMetadata(description);
    if (!description) this.#session.playbackState = "none";
  }

  /** @param {State} state */
  follow(state) {
    if (!this.#session || this.#isKnown(state)) return;
    const { playing, duration, speed } = state;
    const wasPlaying = this.#told?.playing ?? false;
    this.#told = { ...state, time: now() };
    this.#session.playbackState = playing ? "playing" : "paused";
    const position = Math.min(duration, Math.max(0, state.position));
    this.#session.setPositionState?.({ duration, position, playbackRate: speed });
    if (playing !== wasPlaying) this.#sound(playing);
  }

  /** True when the session has this state, or advances to it. @param {State} state */
  #isKnown({ playing, position, duration, speed }) {
    const told = this.#told;
    if (!told) return !playing; // nothing has been played yet
    if (playing !== told.playing || duration !== told.duration || speed !== told.speed) return false;
    const expected = told.position + (playing ? speed * (now() - told.time) : 0);
    return Math.abs(expected - position) < JUMP;
  }

  /** @param {boolean} playing */
  #sound(playing) {
    this.#silence ??= this.#makeSilence();
    if (playing)
      this.#silence.play().catch(() => {}); // the browser may want a click first: then there are no media keys
    else this.#silence.pause();
  }

  #makeSilence() {
    const audio = new Audio(URL.createObjectURL(silentWav()));
    audio.loop = true;
    // A call or another player takes the device: the music stops as well.
    audio.addEventListener("pause", () => {
      if (this.#told?.playing) this.#actions.pause?.({ action: "pause" });
    });
    return audio;
  }

  /** @param {string} name @param {(details: MediaSessionActionDetails) => void} act */
  #handle(name, act) {
    try {
      this.#session?.setActionHandler(/** @type {MediaSessionAction} */ (name), act);
    } catch {} // this browser has no such key
  }
}

const now = () => performance.now() / 1000;

/** Silence of 8 bits, as a WAV file. */
function silentWav() {
  const length = SILENCE_SECONDS * SILENCE_RATE;
  const header = new DataView(new ArrayBuffer(44));
  const text = (/** @type {number} */ at, /** @type {string} */ characters) => {
    for (const [index, character] of [...characters].entries())
      header.setUint8(at + index, character.charCodeAt(0));
  };
  text(0, "RIFF");
  header.setUint32(4, 36 + length, true);
  text(8, "WAVEfmt ");
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true); // PCM
  header.setUint16(22, 1, true); // channels
  header.setUint32(24, SILENCE_RATE, true);
  header.setUint32(28, SILENCE_RATE, true);
  header.setUint16(32, 1, true); // bytes of a sample
  header.setUint16(34, 8, true);
  text(36, "data");
  header.setUint32(40, length, true);
  return new Blob([header, new Uint8Array(length).fill(0x80)], { type: "audio/wav" });
}
