"""The player and the transport when something fails: playback goes on, and the fault stays with its song."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import Page

#: Silence whose reading fails once; counts the blocks sent to the mixer before and after playing again.
UNREADABLE: Final = """async () => {
  const { Player } = await import("/src/playback/page/player.js");
  let reads = 0, sent = 0, failing = true;
  const track = {
    begin: 0, end: 441_000, available: 441_000, channelCount: 1,
    read: async (start, stop) => {
      reads += 1;
      if (failing && reads === 2) throw new DOMException("As the test wants it.", "NotReadableError");
      return [new Float32Array(stop - start)];
    },
  };
  const { postMessage } = MessagePort.prototype;
  MessagePort.prototype.postMessage = function (message, transfer) {
    if (message.type === "block") sent += 1;
    return postMessage.call(this, message, transfer);
  };
  const player = await Player.open([track], 44_100, { stems: [], master: 1, original: false });
  await player.play();
  const first = { playing: player.playing, sent };
  failing = false;
  await player.play();
  const second = { playing: player.playing, sent };
  await player.close();
  return [first, second];
}"""


def test_a_read_that_fails_pauses_playback_and_it_can_be_started_again(page: Page) -> None:
    page.goto("/")
    first, second = page.evaluate(UNREADABLE)
    assert first == {"playing": False, "sent": 1}
    assert second["playing"]
    assert second["sent"] > 1


#: Opening fails for one song while another one has been loaded.
LATE_FAILURE: Final = """async () => {
  const { Transport } = await import("/src/playback/page/transport.js");
  const { neutralStrip } = await import("/src/playback/page/gains.js");
  const track = () => ({
    name: "stem", begin: 0, end: 8000, available: 8000, channelCount: 1,
    read: async (start, stop) => [new Float32Array(stop - start)],
  });
  const song = () => ({
    track: track(), stems: [track()], format: { rate: 8000, channels: 1 }, duration: 1,
    desk: { position: 0, strips: { stem: neutralStrip() }, master: 0, original: false, looping: false, region: null },
  });
  const [broken, whole] = [song(), song()];
  const { addModule } = AudioWorklet.prototype;
  const loading = Promise.withResolvers();
  AudioWorklet.prototype.addModule = () => loading.promise;
  const contexts = [];
  const { AudioContext } = globalThis;
  globalThis.AudioContext = class extends AudioContext {
    constructor(...given) { super(...given); contexts.push(this); }
  };
  const transport = new Transport();
  transport.load(broken);
  const toggled = transport.toggle();
  transport.load(whole);
  loading.reject(new DOMException("As the test wants it.", "AbortError"));
  await toggled;
  AudioWorklet.prototype.addModule = addModule;
  const failed = transport.failed;
  await transport.toggle();
  const playing = transport.playing;
  transport.load(null);
  return { failed, playing, first: contexts[0].state };
}"""


def test_an_opening_that_fails_does_not_mark_the_song_loaded_after_it(page: Page) -> None:
    page.goto("/")
    assert page.evaluate(LATE_FAILURE) == {"failed": False, "playing": True, "first": "closed"}


#: Playing without an audio device: `resume` stays pending, as in Firefox. Time runs fifty times as fast.
NO_DEVICE: Final = """async () => {
  const { Transport } = await import("/src/playback/page/transport.js");
  const { neutralStrip } = await import("/src/playback/page/gains.js");
  const { resume } = AudioContext.prototype;
  const later = globalThis.setTimeout;
  const track = {
    name: "stem", begin: 0, end: 8000, available: 8000, channelCount: 1,
    read: async (start, stop) => [new Float32Array(stop - start)],
  };
  const transport = new Transport();
  transport.load({
    track, stems: [track], format: { rate: 8000, channels: 1 }, duration: 1,
    desk: { position: 0, strips: { stem: neutralStrip() }, master: 0, original: false, looping: false, region: null },
  });
  AudioContext.prototype.resume = () => new Promise(() => {});
  Object.defineProperty(AudioContext.prototype, "state", { get: () => "suspended", configurable: true });
  globalThis.setTimeout = (run, ms) => later(run, ms / 50);
  await transport.toggle();
  const before = { playing: transport.playing, silent: transport.silent };
  AudioContext.prototype.resume = resume;
  delete AudioContext.prototype.state;
  await transport.toggle();
  const after = { playing: transport.playing, silent: transport.silent };
  transport.load(null);
  return [before, after];
}"""


def test_without_an_audio_device_playback_pauses_and_says_so(page: Page) -> None:
    page.goto("/")
    assert page.evaluate(NO_DEVICE) == [{"playing": False, "silent": True}, {"playing": True, "silent": False}]
