"""What a person does with the page, in each engine: the same steps, and stems like those of the command line."""

from __future__ import annotations

import base64
import re
import zipfile
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import soundfile

from demixer.audio import Samples
from tests.browser.host import Host
from tests.journeys.conftest import Native, Start
from tests.journeys.drivers.driver import Driver
from tests.parity.songs import snr
from tests.zoo import AAC, AIFF, COMPRESSED, FLAC, MP3, OPUS, PCM, VORBIS, Animal, Right, assert_right

EVERYWHERE: Final = ("chromium", "firefox", "webkit")
OTHERS: Final = ("firefox", "webkit")

#: Agreement with the command line in dB, at least.
HPSS_DB: Final = 80
SPLEETER_DB: Final = 60
HTDEMUCS_DB: Final = 35

#: One file of each format, and two containers that are streamed.
FORMATS: Final = (
    *(PCM, AIFF, FLAC, MP3, AAC, VORBIS, OPUS),
    *(animal for animal in COMPRESSED if animal.name in {"no container.aac", "Opus in WebM.webm"}),
)

#: Files that end the browser's own process of the page, with the engine.
CRASHING: Final = {("webkit", "no container.aac")}

#: Decodes a file as the page does, into memory; gives the rate and the interleaved samples, or the error's code.
DECODE: Final = """async (text) => {
  const { decodeSong } = await import("/src/decode/page/client.js");
  const file = new Blob([Uint8Array.fromBase64(text)]);
  try {
    const { rate, channels, pieces } = await decodeSong(file, "A song", null, AbortSignal.timeout(60_000), () => {});
    const bytes = await new Blob(pieces.map(({ blob }) => blob)).arrayBuffer();
    return { rate, channels, samples: new Uint8Array(bytes).toBase64() };
  } catch (error) {
    return { code: error.code ?? String(error) };
  }
}"""


def modes(*names: str) -> pytest.MarkDecorator:
    """Run a journey in these modes."""
    return pytest.mark.parametrize("mode", names, indirect=True)


def separate(driver: Driver, model: str, *songs: Path) -> None:
    driver.set_files(*songs)
    driver.wait(r"kHz")
    driver.click(("radio", model), ("radiogroup", "Model"))
    driver.click(("button", "Separate"))


def stems_of(driver: Driver, song: Path, *labels: str) -> dict[str, Path]:
    """Wait for the stems of a song, and download them."""
    desk = ("region", f"Stems of {song.stem}")
    return {
        label: driver.download(f"{song.stem} - {label.lower()}.wav", ("button", f"Download {label}"), desk)
        for label in labels
    }


def read(path: Path) -> Samples:
    samples, _ = soundfile.read(path, dtype="float32", always_2d=True)
    return np.ascontiguousarray(samples.T)


def total(stems: dict[str, Path]) -> Samples:
    """The sum of all stems."""
    return np.asarray(np.sum([read(path) for path in stems.values()], axis=0), np.float32)


def assert_like(found: dict[str, Path], native: Path, decibel: float) -> None:
    for label, path in found.items():
        expected = read(native / f"{label.lower()}.wav")
        assert read(path).shape == expected.shape
        assert snr(expected, read(path)) >= decibel, label


@modes(*EVERYWHERE)
def test_a_first_visit_shows_the_models(driver: Driver, host: Host) -> None:
    driver.open(host.url)
    for model in ("HT-Demucs", "Spleeter", "Harmonic / percussive"):
        driver.wait_for(("radio", model), ("radiogroup", "Model"))
    driver.wait("Choose songs", ("button",))
    assert driver.evaluate("() => isSecureContext && crossOriginIsolated")


@modes(*OTHERS, "webkit-no-codecs")
def test_every_format_is_decoded_to_the_sample(driver: Driver, host: Host) -> None:
    driver.open(host.url)
    files = [animal for animal in FORMATS if (driver.engine, animal.name) not in CRASHING]
    wrong = {animal.name: problem for animal in files if (problem := decoded_wrong(driver, animal))}
    assert wrong == {}


def decoded_wrong(driver: Driver, animal: Animal) -> str:
    """What is wrong with a decoded file; empty when nothing is."""
    outcome = driver.evaluate(DECODE, base64.b64encode(animal.encode()).decode())
    if "code" in outcome:
        return str(outcome["code"])
    samples = np.frombuffer(base64.b64decode(outcome["samples"]), np.float32).reshape(-1, outcome["channels"]).T
    assert isinstance(animal.outcome, Right)
    try:
        assert_right(animal.outcome, samples, outcome["rate"])
    except AssertionError as error:
        return str(error)
    return ""


@modes(*EVERYWHERE)
def test_a_song_is_separated_played_looped_and_exported(
    driver: Driver, host: Host, song: Path, native: Native, tmp_path: Path
) -> None:
    desk = ("region", f"Stems of {song.stem}")
    driver.open(host.url)
    separate(driver, "Harmonic / percussive", song)
    stems = stems_of(driver, song, "Harmonic", "Percussive")
    assert_like(stems, native("hpss", song), HPSS_DB)

    driver.click(("button", "Play"), desk)
    driver.wait_for(("slider", "Position"), desk, attribute="aria-valuetext", value="^0:02 /")
    driver.click(("button", "Loop"), desk)
    driver.wait_for(("slider", "Position"), desk, attribute="aria-valuetext", value="^0:07 /")
    driver.wait_for(("slider", "Position"), desk, attribute="aria-valuetext", value="^0:01 /")
    driver.click(("button", "Pause"), desk)

    mixture = read(song)
    for kind, decibel in (("WAV", 90), ("FLAC", 90), ("MP3", 15)):
        file = export(driver, f"{song.stem} - mix.{kind.lower()}", kind)
        assert read(file).shape == mixture.shape
        assert snr(mixture, read(file)) >= decibel, kind
    archive = driver.download(f"{song.stem} - stems.zip", ("button", "Download all"), desk)
    with zipfile.ZipFile(archive) as files:
        assert files.testzip() is None
        for label, path in stems.items():
            member = files.extract(f"{song.stem}/{song.stem} - {label.lower()}.wav", tmp_path)
            assert np.array_equal(read(Path(member)), read(path))


def export(driver: Driver, name: str, kind: str) -> Path:
    """Save the mix in a format."""
    driver.click(("button", "Export mix"))
    dialog = ("dialog", "Export")
    driver.click(("radio", kind), ("radiogroup", "Format"), dialog)
    file = driver.download(name, ("button", "Export"), dialog)
    driver.wait(f"Saved as {name}", ("status",), dialog)
    driver.click(("button", "Close"), dialog)
    return file


@modes(*EVERYWHERE)
def test_spleeter_gives_the_stems_of_the_command_line(driver: Driver, host: Host, song: Path, native: Native) -> None:
    driver.open(host.url)
    separate(driver, "Spleeter", song)
    assert_like(stems_of(driver, song, "Vocals", "Accompaniment"), native("spleeter-2stems", song), SPLEETER_DB)


@modes("firefox", "webkit-threads")
def test_htdemucs_gives_the_stems_of_the_command_line(
    driver: Driver, host: Host, short_song: Path, native: Native
) -> None:
    driver.open(host.url)
    separate(driver, "HT-Demucs", short_song)
    stems = stems_of(driver, short_song, "Drums", "Bass", "Other", "Vocals")
    assert_like(stems, native("htdemucs", short_song), HTDEMUCS_DB)


@modes(*OTHERS)
def test_a_cancelled_song_is_given_back(driver: Driver, host: Host, song: Path) -> None:
    driver.open(host.url)
    separate(driver, "HT-Demucs", song)
    driver.click(("button", "Cancel"))
    driver.wait_for(("button", "Separate"))
    driver.wait_until("() => findAll(['progressbar', 'Separating Tide Table']).length === 0")
    driver.wait("WASM, ")  # the engine starts all the same, for the next song


@modes(*OTHERS)
def test_a_broken_file_is_an_error_with_advice(driver: Driver, host: Host, tmp_path: Path) -> None:
    broken = tmp_path / "Broken.mp3"
    broken.write_bytes(b"this is not music" * 100)
    driver.open(host.url)
    driver.set_files(broken)
    driver.wait(r"Broken cannot be read\.[\s\S]*audio/unreadable", ("alert",))
    driver.click(("button", "Remove this song"))


@modes(*OTHERS)
def test_the_page_works_offline(start: Start, host: Host, song: Path) -> None:
    driver = start()
    driver.open(host.url)
    driver.click(("radio", "Harmonic / percussive"))
    driver.click(("button", "Get ready to work offline"))
    driver.wait("^Ready to work offline", ("status",))
    assert driver.take_problems() == []
    host.stop()
    try:
        driver.reload()
        assert cut_off(driver)
        separate(driver, "Harmonic / percussive", song)
        stems = stems_of(driver, song, "Harmonic", "Percussive")
    finally:
        host.start()
    assert snr(read(song), total(stems)) >= HPSS_DB


#: Messages of browsers and of Emscripten about a load that was cut off.
CUT_OFF: Final = re.compile(
    "load failed|failed to load|network error|wasm streaming|prepare wasm|arraybuffer inst", re.I
)


def cut_off(driver: Driver) -> bool:
    """True when nothing but loads has failed: a page may be left in the middle of its idle benchmark."""
    return all(CUT_OFF.search(problem) for problem in driver.take_problems())


@modes("firefox")  # WebKitGTK has no storage that lasts
def test_songs_come_back_after_a_reload(start: Start, host: Host, song: Path) -> None:
    driver = start()
    driver.open(host.url)
    separate(driver, "Harmonic / percussive", song)
    before = stems_of(driver, song, "Harmonic")["Harmonic"].read_bytes()
    assert driver.take_problems() == []
    driver.reload()
    assert cut_off(driver)
    driver.click(("button",), ("list", "Songs"))
    assert stems_of(driver, song, "Harmonic")["Harmonic"].read_bytes() == before


@modes(*OTHERS)
def test_a_private_window_separates_from_memory(start: Start, host: Host, song: Path) -> None:
    driver = start(private=True)
    driver.open(host.url)
    separate(driver, "Harmonic / percussive", song)
    driver.wait("^This window keeps nothing", ("status",))
    stems = stems_of(driver, song, "Harmonic", "Percussive")
    assert snr(read(song), total(stems)) >= HPSS_DB
