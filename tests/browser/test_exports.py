"""Exports through the dialog, read back by other libraries and compared with the page's stems."""

from __future__ import annotations

import base64
import json
import re
import struct
import zipfile
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import pytest
import soundfile
from playwright.sync_api import Locator, Page, expect

from demixer.audio import Samples
from tests import songs
from tests.browser.engines import is_thread
from tests.browser.kept_songs import keep
from tests.ffmpeg import ffmpeg_commands
from tests.parity.songs import snr

__all__ = ["ffmpeg_commands"]

RATE: Final = 44_100
SOON: Final = 60_000
"""Milliseconds for whatever needs Python, on a busy machine."""

TAGS: Final = {
    "title": "Tide Table",
    "artist": "The Tester",
    "album": "Harbour",
    "albumArtist": "\u8a66\u9a13",
    "date": "2003",
    "trackNumber": 3,
    "tracksTotal": 12,
}

#: Not a multiple of the blocks of encoders or of the pieces.
SECONDS: Final = 4.321

NO_PICKER: Final = "delete window.showSaveFilePicker"


@pytest.fixture(scope="module")
def stems() -> dict[str, Samples]:
    """Four stems of a song, in HT-Demucs' order."""
    parts = songs.stems(SECONDS)
    return {**parts, "vocals": np.ascontiguousarray(0.8 * parts["other"][:, ::-1], np.float32)}


@pytest.fixture(scope="module")
def song(stems: dict[str, Samples]) -> Samples:
    """Not quite the sum of the stems, so that the null test has a residual."""
    left = np.random.default_rng(8).normal(0, 1e-4, stems["drums"].shape)
    return np.asarray(np.sum(list(stems.values()), axis=0) + left, np.float32)


@pytest.fixture
def desk(page: Page, song: Samples, stems: dict[str, Samples]) -> Locator:
    """The desk of a song that an earlier visit has separated."""
    page.add_init_script(NO_PICKER)
    return open_desk(page, song, stems)


def open_desk(page: Page, song: Samples, stems: dict[str, Samples], **facts: Any) -> Locator:
    page.goto("/")
    keep(page, "Low Water", song, stems, tags=TAGS, **facts)
    page.reload()
    page.get_by_role("list", name="Songs").get_by_role("button", name="Low Water").first.click()
    return page.get_by_role("region", name="Stems of Low Water")


def open_dialog(desk: Locator) -> Locator:
    desk.get_by_role("button", name="Export mix").click()
    return desk.page.get_by_role("dialog", name="Export")


def choose(dialog: Locator, group: str, name: str) -> None:
    dialog.get_by_role("radiogroup", name=group).get_by_role("radio", name=name).check(force=True)


def save(dialog: Locator, folder: Path) -> Path:
    """Press the button and save the download under its suggested name."""
    with dialog.page.expect_download(timeout=SOON) as download:
        dialog.get_by_role("button", name="Export", exact=True).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    expect(dialog.get_by_role("status")).to_contain_text(f"Saved as {path.name}.")
    return path


def read(path: Path) -> Samples:
    samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    assert rate == RATE
    return samples.T  # type: ignore[no-any-return]


def decoded(path: Path, track: int = 0) -> Samples:
    """A track as FFmpeg decodes it [shape=(channels, n)]."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[track]
        return np.concatenate([frame.to_ndarray() for frame in container.decode(stream)], axis=1)


def test_wav_and_flac_of_one_stem(desk: Locator, stems: dict[str, Samples], tmp_path: Path) -> None:
    dialog = open_dialog(desk)
    choose(dialog, "What to export", "One stem")
    dialog.get_by_label("Stem", exact=True).select_option("Bass")
    steps = {"32-bit float": 0.0, "24-bit": 2.0**-23, "16-bit": 2 * 2.0**-15}
    found = {}
    for kind, subtypes in {"WAV": ("FLOAT", "PCM_24", "PCM_16"), "FLAC": (None, "PCM_24", "PCM_16")}.items():
        choose(dialog, "Format", kind)
        for (depth, step), subtype in zip(steps.items(), subtypes, strict=True):
            if subtype is None:
                expect(dialog.get_by_role("radio", name=depth)).to_be_hidden()
                continue
            choose(dialog, "Resolution", depth)
            path = save(dialog, tmp_path)
            assert path.name == f"Low Water - bass.{kind.lower()}"
            with soundfile.SoundFile(path) as file:
                assert (file.format, file.subtype) == (kind, subtype)
                tags = file.copy_metadata()
            assert (tags["title"], tags["artist"], tags["album"]) == ("Tide Table (Bass)", "The Tester", "Harbour")
            with av.open(str(path)) as container:
                other = {key.lower(): value for key, value in container.metadata.items()}
            assert (other["album_artist"], other["date"]) == (TAGS["albumArtist"], TAGS["date"])
            found[kind, depth] = read(path)
            assert np.abs(found[kind, depth] - stems["bass"]).max() <= step
    for depth in ("24-bit", "16-bit"):
        assert np.array_equal(found["FLAC", depth], found["WAV", depth])
    with soundfile.SoundFile(path) as file:
        steps = file.read(dtype="int16")
    assert path.read_bytes()[26:42] == md5(steps.tobytes(), usedforsecurity=False).digest()


#: Closes the dialog, and draws a report of the measurement before the dialog's `close` event.
CLOSE: Final = """
() => new Promise((resolve) => {
  const element = document.querySelector("export-dialog");
  const dialog = element.querySelector("dialog");
  element.render = (state) => {
    delete element.render;
    element.render(state);
    dialog.addEventListener("close", () => resolve(null), { once: true });
    dialog.close();
    element.render(state);
  };
})
"""


def test_a_report_does_not_reopen_the_closed_dialog(desk: Locator) -> None:
    dialog = open_dialog(desk)
    dialog.page.evaluate(CLOSE)
    expect(dialog).to_be_hidden()
    expect(open_dialog(desk).get_by_role("button", name="Export", exact=True)).to_be_enabled()


@pytest.mark.parametrize("bitrate", ["128", "320"])
def test_mp3_lies_on_the_song_to_the_sample(
    desk: Locator, stems: dict[str, Samples], tmp_path: Path, bitrate: str
) -> None:
    dialog = open_dialog(desk)
    choose(dialog, "What to export", "One stem")
    dialog.get_by_label("Stem", exact=True).select_option("Vocals")
    choose(dialog, "Format", "MP3")
    choose(dialog, "Bit rate in kbit/s", bitrate)
    path = save(dialog, tmp_path)
    for found in (read(path), decoded(path)):
        assert found.shape == stems["vocals"].shape
        assert snr(stems["vocals"], found) >= 20
    with av.open(str(path)) as container:
        assert container.streams.audio[0].bit_rate == pytest.approx(1000 * int(bitrate), rel=0.01)
        assert container.metadata["artist"] == "The Tester"


#: The desk's mixer at rest, from the beginning of the tracks that it is given, without a device behind it.
PLAYED: Final = """async ([tracks, controls]) => {
  const planes = tracks.map((channels) => channels.map((text) => new Float32Array(Uint8Array.fromBase64(text).buffer)));
  const length = planes[0][0].length;
  const context = new OfflineAudioContext(2, length + 44100, 44100);
  await context.audioWorklet.addModule("/src/playback/audio/mixer.js");
  const options = { numberOfInputs: 0, outputChannelCount: [2], processorOptions: { controls } };
  const mixer = new AudioWorkletNode(context, "mixer", options);
  mixer.connect(context.destination);
  context.suspend(0.1).then(async () => {
    mixer.port.postMessage({ type: "block", block: { epoch: 0, start: 0, length, last: true, tracks: planes } });
    mixer.port.postMessage({ type: "play" });
    await new Promise((resolve) => setTimeout(resolve, 500));
    context.resume();
  });
  const rendered = await context.startRendering();
  return [0, 1].map((channel) => new Uint8Array(rendered.getChannelData(channel).buffer).toBase64());
}"""


def played(page: Page, tracks: list[Samples], controls: dict[str, Any]) -> Samples:
    """Output of the desk's mixer [shape=(2, n)], with some silence before and after."""
    texts = [[base64.b64encode(channel.tobytes()).decode() for channel in track] for track in tracks]
    rendered = page.evaluate(PLAYED, [texts, controls])
    return np.array([np.frombuffer(base64.b64decode(channel), np.float32) for channel in rendered])


def set_fader(group: Locator, name: str, decibel: float) -> None:
    script = "async (level) => (await import('/src/playback/page/gains.js')).faderStep(level)"
    group.get_by_role("slider", name=name).fill(str(group.page.evaluate(script, decibel)))


def test_the_mix_has_the_bits_that_the_desk_plays(
    desk: Locator, song: Samples, stems: dict[str, Samples], tmp_path: Path
) -> None:
    strips = {name: desk.get_by_role("group", name=name, exact=True) for name in ("Drums", "Bass", "Other", "Vocals")}
    set_fader(strips["Drums"], "Volume", -6)
    set_fader(strips["Other"], "Volume", 3)
    set_fader(desk, "Master", -2)
    strips["Bass"].get_by_role("slider", name="Pan").fill("-10")
    strips["Vocals"].get_by_role("button", name="Mute").click()
    dialog = open_dialog(desk)
    heard = "Drums \N{MINUS SIGN}6.0 dB, Bass, Other +3.0 dB, master \N{MINUS SIGN}2.0 dB"
    expect(dialog.get_by_text(heard)).to_be_visible()
    choose(dialog, "Resolution", "32-bit float")
    path = save(dialog, tmp_path)
    assert path.name == "Low Water - mix.wav"
    found = read(path).astype(np.float32)

    sides = {"drums": [10 ** (-6 / 20)] * 2, "bass": [1.0, 0.5], "other": [10 ** (3 / 20)] * 2, "vocals": [0.0, 0.0]}
    master = 10 ** (-2 / 20)
    expected = np.zeros(song.shape)
    for name, gains in sides.items():
        expected += np.array(gains)[:, np.newaxis] * stems[name].astype(float)
    assert np.array_equal(found, (master * expected).astype(np.float32))

    controls = {"stems": list(sides.values()), "master": master, "original": False}
    sound = played(desk.page, [song, *stems.values()], controls)
    # The mixer starts with its first block and fades in, which takes less than half a second.
    rest = found[:, RATE // 2 : 3 * RATE]
    starts = range(0, sound.shape[1] - 3 * RATE, 128)
    assert any(np.array_equal(sound[:, at + RATE // 2 : at + 3 * RATE], rest) for at in starts)


def test_a_panned_song_of_one_channel_becomes_two(
    page: Page, song: Samples, stems: dict[str, Samples], tmp_path: Path
) -> None:
    page.add_init_script(NO_PICKER)
    mono = {name: stem[:1] for name, stem in stems.items()}
    desk = open_desk(page, song[:1], mono)
    for name in ("Drums", "Bass", "Other"):
        desk.get_by_role("group", name=name, exact=True).get_by_role("button", name="Mute").click()
    desk.get_by_role("group", name="Vocals", exact=True).get_by_role("slider", name="Pan").fill("20")
    dialog = open_dialog(desk)
    choose(dialog, "Format", "FLAC")
    found = read(save(dialog, tmp_path))
    assert not found[0].any()
    assert np.abs(found[1] - mono["vocals"]).max() <= 2.0**-23
    choose(dialog, "What to export", "One stem")
    assert read(save(dialog, tmp_path)).shape == song[:1].shape


def test_all_stems_go_into_one_archive(desk: Locator, stems: dict[str, Samples], tmp_path: Path) -> None:
    dialog = open_dialog(desk)
    choose(dialog, "What to export", "All stems, in a ZIP")
    choose(dialog, "Resolution", "24-bit")
    dialog.get_by_label("File name").fill("{artist} - {album} - {title}: {part}")
    path = save(dialog, tmp_path)
    assert path.name == "The Tester - Harbour - Tide Table_ stems.zip"
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"Low Water/The Tester - Harbour - Tide Table_ {name}.wav" for name in stems]
        for member, stem in zip(archive.namelist(), stems.values(), strict=True):
            assert np.abs(read(Path(archive.extract(member, tmp_path))) - stem).max() <= 2.0**-23


def boxes(data: bytes, start: int = 0, stop: int | None = None) -> Iterator[tuple[str, bytes]]:
    """Type and content of each box of an MP4 file."""
    at, end = start, len(data) if stop is None else stop
    while at < end:
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        yield kind.decode(), data[at + 8 : at + size]
        at += size
    assert at == end


def box(data: bytes, *path: str) -> bytes:
    for kind in path:
        data = next(content for found, content in boxes(data) if found == kind)
    return data


@pytest.mark.usefixtures("ffmpeg_commands")
def test_a_stems_file_has_the_song_and_its_stems(
    desk: Locator, song: Samples, stems: dict[str, Samples], tmp_path: Path
) -> None:
    dialog = open_dialog(desk)
    choose(dialog, "What to export", "Stems file for DJ software")
    expect(dialog.get_by_role("radiogroup", name="Format")).to_be_hidden()
    path = save(dialog, tmp_path)
    assert path.name == "Low Water.stem.mp4"
    length = song.shape[1]
    for track, expected in enumerate([song, *stems.values()]):
        found = decoded(path, track)
        assert length <= found.shape[1] < length + 1024
        aligned, early, late = (snr(expected, np.roll(found, lag, 1)[:, :length]) for lag in (0, -1, 1))
        assert aligned >= 20
        assert aligned > max(early, late)
    with av.open(str(path)) as container:
        assert [stream.metadata["name"] for stream in container.streams] == ["Mix", "Drums", "Bass", "Other", "Vocals"]
        assert [stream.duration for stream in container.streams] == [length] * 5
        defaults = [stream.disposition & av.stream.Disposition.default for stream in container.streams]
        assert [bool(default) for default in defaults] == [True, False, False, False, False]
        assert (container.metadata["title"], container.metadata["artist"]) == ("Tide Table", "The Tester")
    note = json.loads(box(path.read_bytes(), "moov", "udta", "stem"))
    assert note["version"] == 1
    assert [stem["name"] for stem in note["stems"]] == ["Drums", "Bass", "Other", "Vocals"]
    assert all(re.fullmatch("#[0-9A-F]{6}", stem["color"]) for stem in note["stems"])
    assert {"compressor", "limiter"} == set(note["mastering_dsp"])
    import stempeg  # looks for both commands when it is loaded

    tensor, rate = stempeg.read_stems(str(path))
    assert (rate, tensor.shape[0], tensor.shape[2]) == (RATE, 5, 2)
    for found, expected in zip(tensor, [song, *stems.values()], strict=True):
        assert snr(expected, found[:length].T) >= 20


def test_clipping_is_announced_and_can_be_avoided(
    page: Page, song: Samples, stems: dict[str, Samples], tmp_path: Path
) -> None:
    page.add_init_script(NO_PICKER)
    factor = np.float32(1.5 / np.abs(stems["drums"]).max())
    loud = {name: factor * stem for name, stem in stems.items()}
    dialog = open_dialog(open_desk(page, factor * song, loud))
    choose(dialog, "What to export", "All stems, in a ZIP")
    excess = 20 * np.log10(max(np.abs(stem).max() for stem in loud.values()))
    lowering = np.ceil(10 * excess) / 10
    warning = dialog.get_by_text(f"This would clip: its peak is +{excess:.1f} dB above full scale.")
    expect(warning).to_be_visible(timeout=SOON)
    choose(dialog, "Resolution", "32-bit float")
    expect(warning).to_be_hidden()
    choose(dialog, "Resolution", "16-bit")

    def extracted(folder: Path) -> dict[str, Samples]:
        with zipfile.ZipFile(save(dialog, tmp_path)) as archive:
            archive.extractall(folder)
        return {name: read(folder / f"Low Water/Low Water - {name}.wav") for name in loud}

    clipped = extracted(tmp_path / "clipped")
    beyond = sum(np.count_nonzero(np.abs(stem) > 1) for stem in loud.values())
    expect(dialog.get_by_text(re.compile(rf"{beyond:,} samples were clipped\."))).to_be_visible()
    for name, stem in loud.items():
        assert np.abs(clipped[name] - np.clip(stem, -1, 1)).max() <= 3 * 2.0**-15

    dialog.get_by_role("checkbox", name=f"Lower everything together, \N{MINUS SIGN}{lowering:.1f} dB").check()
    lowered = extracted(tmp_path / "lowered")
    expect(dialog.get_by_text(re.compile("clipped"))).to_be_hidden()
    for name, stem in loud.items():
        assert np.abs(lowered[name] - 10 ** (-lowering / 20) * stem).max() <= 3 * 2.0**-15


def residual(song: Samples, stems: dict[str, Samples]) -> float:
    """Residual of the stems relative to the song, in dB."""
    left = song - np.sum(list(stems.values()), axis=0, dtype=float)
    return float(10 * np.log10(np.sum(left**2) / np.sum(song.astype(float) ** 2)))


def test_the_null_test_is_that_of_numpy(desk: Locator, song: Samples, stems: dict[str, Samples]) -> None:
    dialog = open_dialog(desk)
    level = residual(song, stems)
    expect(dialog.get_by_text(f"\N{MINUS SIGN}{-level:.1f} dB", exact=True)).to_be_visible(timeout=SOON)
    peak = 20 * np.log10(np.abs(np.sum(list(stems.values()), axis=0)).max())
    expect(dialog.get_by_text(f"\N{MINUS SIGN}{-peak:.1f} dB", exact=True)).to_be_visible()


#: A picker that returns a file in the page's own storage, and counts its calls.
PICKER: Final = """
window.picked = [];
window.showSaveFilePicker = async ({ suggestedName }) => {
  picked.push(suggestedName);
  return (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
};
"""

#: A picker that is closed after a while.
DISMISSED: Final = """() => {
  globalThis.dismissed = false;
  showSaveFilePicker = () => new Promise((_, reject) => setTimeout(() => {
    dismissed = true;
    reject(new DOMException("", "AbortError"));
  }, 700));
}"""

PICKED: Final = """async (name) => {
  const root = await navigator.storage.getDirectory();
  try {
    return new Uint8Array(await (await (await root.getFileHandle(name)).getFile()).arrayBuffer()).toBase64();
  } catch { return null; }
}"""


#: True when the storage holds no temporary files.
NOTHING_LEFT: Final = """async () => {
  const root = await navigator.storage.getDirectory();
  return (await Array.fromAsync((await root.getDirectoryHandle("exports")).keys())).length === 0;
}"""


def test_a_picked_file_is_written_in_place_and_a_cancelled_one_is_gone(
    page: Page, song: Samples, stems: dict[str, Samples], tmp_path: Path
) -> None:
    page.add_init_script(PICKER)
    dialog = open_dialog(open_desk(page, song, stems, repeats=10))
    choose(dialog, "What to export", "All stems, in a ZIP")
    choose(dialog, "Format", "FLAC")
    dialog.get_by_role("button", name="Export", exact=True).click()
    bar = dialog.get_by_role("progressbar", name="Exporting Low Water - stems.zip")
    expect(bar).to_have_attribute("aria-valuetext", re.compile(r"^\d+%, About .* left$"), timeout=SOON)
    cancel = dialog.get_by_role("button", name="Cancel")
    expect(cancel).to_be_focused()
    page.keyboard.press("Escape")
    expect(bar).to_be_visible()
    cancel.click()
    expect(bar).to_be_hidden()
    expect(dialog.get_by_role("button", name="Export", exact=True)).to_be_focused()
    expect(dialog.get_by_role("alert")).to_be_hidden()
    page.wait_for_function(f"async () => (await ({PICKED})('Low Water - stems.zip')) === null")

    choose(dialog, "What to export", "The mix, as set on the desk")
    dialog.get_by_role("button", name="Export", exact=True).click()
    expect(dialog.get_by_role("status")).to_contain_text("Saved as Low Water - mix.flac.", timeout=SOON)
    path = tmp_path / "picked.flac"
    path.write_bytes(base64.b64decode(page.evaluate(PICKED, "Low Water - mix.flac")))
    expected = np.tile(np.sum(list(stems.values()), axis=0, dtype=float), 10)
    assert np.abs(read(path) - expected).max() <= 2.0**-23 + 2.0**-24
    assert page.evaluate("picked") == ["Low Water - stems.zip", "Low Water - mix.flac"]
    page.wait_for_function(NOTHING_LEFT)


def test_all_stems_are_downloaded_from_the_desk_and_the_null_test_is_there(
    page: Page, song: Samples, stems: dict[str, Samples], tmp_path: Path
) -> None:
    desk = open_desk(page, song, stems, repeats=5)  # with a picker, which this browser has no window for
    page.evaluate("""() => localStorage.setItem("demixer.export", '{"pattern": "{title}, {part}"}')""")
    everything = desk.get_by_role("button", name="Download all")
    everything.focus()
    with page.expect_download(timeout=SOON) as download:
        page.keyboard.press("Enter")
        bar = desk.get_by_role("progressbar", name="Exporting Tide Table, stems.zip")
        expect(bar).to_have_attribute("aria-valuetext", re.compile(r"^\d+%"))
        expect(desk.get_by_role("button", name="Cancel")).to_be_focused()
        expect(everything).to_be_disabled()
    expect(desk.get_by_text("Saved as Tide Table, stems.zip.")).to_be_visible()
    expect(bar).to_be_hidden()
    expect(everything).to_be_focused()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        member = archive.extract("Low Water/Tide Table, bass.wav", tmp_path)
    with soundfile.SoundFile(member) as file:
        assert file.copy_metadata()["title"] == "Tide Table (Bass)"
    assert np.array_equal(read(Path(member)).astype(np.float32), np.tile(stems["bass"], 5))

    desk.get_by_role("button", name="Null test").click()
    expect(desk.get_by_text(f"Null test \N{MINUS SIGN}{-residual(song, stems):.1f} dB", exact=True)).to_be_visible(
        timeout=SOON
    )


def test_a_download_is_cancelled_and_failures_are_reported(
    page: Page, song: Samples, stems: dict[str, Samples]
) -> None:
    page.add_init_script(PICKER)
    desk = open_desk(page, song, stems, repeats=20)
    everything = desk.get_by_role("button", name="Download all")
    everything.click()
    desk.get_by_role("button", name="Cancel").click()
    expect(desk.get_by_role("progressbar")).to_be_hidden()
    expect(everything).to_be_enabled()
    assert page.evaluate("picked") == ["Low Water - stems.zip"]
    page.wait_for_function(f"async () => (await ({PICKED})('Low Water - stems.zip')) === null")
    page.wait_for_function(NOTHING_LEFT)

    page.evaluate("() => { showSaveFilePicker = async () => ({ getFile: async () => ({ size: 1 }) }) }")
    everything.click()
    told = desk.get_by_role("alert")
    expect(told).to_have_text(re.compile(r"^The file could not be written\..*\(program/failed\)$"), timeout=SOON)

    page.evaluate(DISMISSED)
    everything.click()
    page.wait_for_function("() => dismissed")
    expect(told).to_be_hidden()
    expect(everything).to_be_enabled()
    expect(desk.get_by_role("progressbar")).to_be_hidden()


def test_by_keyboard_and_remembered(desk: Locator) -> None:
    page = desk.page
    opener = desk.get_by_role("button", name="Export mix")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Export")
    expect(dialog.get_by_role("radio", name="The mix, as set on the desk")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(dialog.get_by_role("radio", name="All stems, in a ZIP")).to_be_checked()
    for _ in range(3):  # past the stem and into the formats
        page.keyboard.press("Tab")
        if dialog.get_by_role("radio", name="WAV").evaluate("(radio) => radio === document.activeElement"):
            break
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("radio", name="FLAC")).to_be_checked()
    with page.expect_download(timeout=SOON) as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "Low Water - stems.zip"
    expect(dialog.get_by_role("status")).to_contain_text("Saved as", timeout=SOON)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("radio", name="FLAC")).to_be_checked()
    expect(dialog.get_by_role("radio", name="All stems, in a ZIP")).to_be_checked()


def test_nothing_heard_and_what_a_song_does_not_fit(page: Page, song: Samples, stems: dict[str, Samples]) -> None:
    page.add_init_script(NO_PICKER)
    two = {"vocals": stems["vocals"], "accompaniment": song - stems["vocals"]}
    desk = open_desk(page, song, two, model="spleeter-2stems", rate=96_000)
    for name in ("Vocals", "Accompaniment"):
        desk.get_by_role("group", name=name, exact=True).get_by_role("button", name="Mute").click()
    dialog = open_dialog(desk)
    expect(dialog.get_by_role("radio", name="Stems file for DJ software")).to_be_hidden()
    expect(dialog.get_by_role("radio", name="MP3")).to_be_disabled()
    expect(dialog.get_by_text("MP3 takes mono and stereo songs of up to 48 kHz.")).to_be_visible()
    expect(dialog.get_by_role("button", name="Export", exact=True)).to_be_disabled()
    expect(dialog.get_by_text("The desk is silent. Unmute a stem first.")).to_be_visible()
    choose(dialog, "What to export", "One stem")
    expect(dialog.get_by_role("button", name="Export", exact=True)).to_be_enabled()


#: Half a minute of noise as a song of one stem, and what the worker does with it.
ABORTED: Final = """async () => {
  const { Exporter } = await import("/src/export/page/client.js");
  const { watchRequests } = await import("/src/base/requests.js");
  const urls = [];
  watchRequests((more) => urls.push(...more));
  const length = 30 * 44_100;
  const samples = Float32Array.from({ length: 2 * length }, () => Math.random() - 0.5);
  const pieces = [{ start: 0, length, blob: new Blob([samples]) }];
  const audio = { rate: 44_100, channels: 2, length, folder: null, pieces };
  const plan = {
    form: "file", folder: "Song", stems: [audio], tags: {}, labels: [], coding: { kind: "wav", bits: 16 },
    parts: [{ name: "Song.wav", title: "Song", gains: [[1, 1]], gain: 1 }],
  };
  const destination = { picked: null, scratch: null };
  const exporter = new Exporter();
  const outcome = (promise) => promise.then((value) => value, ({ code }) => code);
  const stop = new AbortController();
  const { DemixError } = await import("/src/base/errors.js");
  let reports = 0;
  const abort = () => {
    reports += 1;
    stop.abort(new DemixError("cancelled", "Enough."));
  };
  const aborted = await outcome(exporter.write(plan, destination, abort, stop.signal));
  const displaced = outcome(exporter.measure(audio, [audio], [[1, 1]], () => {}));
  const fractions = [];
  const { blob, clipped } = await exporter.write(plan, destination, (fraction) => fractions.push(fraction));
  const measurement = await exporter.measure(audio, [audio], [[1, 1]], () => {});
  const ended = outcome(exporter.measure(audio, [audio], [[1, 1]], () => {}));
  await new Promise((resolve) => setTimeout(resolve));
  exporter.end();
  const again = await exporter.measure(audio, [audio], [[1, 1]], () => {});
  return {
    aborted, reports, displaced: await displaced, ended: await ended, size: blob.size, clipped, fractions,
    residual: measurement.residual, same: again.residual === measurement.residual, urls,
  };
}"""


def test_an_aborted_export_leaves_the_worker_for_the_next_one_and_its_requests_are_reported(page: Page) -> None:
    page.goto("/")
    started: list[str] = []
    page.on("worker", lambda worker: started.append(worker.url))
    seen = page.evaluate(ABORTED)
    assert (seen["aborted"], seen["displaced"], seen["ended"]) == ("cancelled", "cancelled", "cancelled")
    assert seen["reports"] == 1  # none after the abort
    assert seen["size"] > 4 * 30 * 44_100
    assert seen["clipped"] == 0
    assert seen["fractions"] == sorted(seen["fractions"])
    assert seen["fractions"][-1] == 1
    assert seen["same"]
    assert len([url for url in started if "/export/" in url]) == 2  # `end` alone has terminated one
    assert [url for url in seen["urls"] if "/vendor/pyodide/" in url]


def test_exports_one_after_another_share_a_worker_even_while_it_measures(
    page: Page, song: Samples, stems: dict[str, Samples], tmp_path: Path
) -> None:
    started: list[str] = []
    page.on("worker", lambda worker: started.append(worker.url) if is_thread(worker, "export/worker") else None)
    page.add_init_script(NO_PICKER)
    desk = open_desk(page, song, stems, repeats=20)
    for _ in range(2):
        dialog = open_dialog(desk)
        expect(dialog.get_by_text("Measuring").first).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
    save(open_dialog(desk), tmp_path)
    assert len(started) == 1
