"""The page in use, by role and name, with the real engine and the model without weights."""

from __future__ import annotations

import base64
import json
import re
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import soundfile
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from demixer.audio import Samples
from tests.browser.watch import Watch

RATE: Final = 44_100
SOON: Final = 120_000
"""Milliseconds for whatever needs the engine, on a busy machine."""

#: Records the messages of the engine worker and those to the mixer.
LISTEN: Final = """
window.heard = { chunks: [], controls: [], playing: [] };
window.Worker = class extends Worker {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", ({ data }) => {
      if (data.type === "job.chunk") heard.chunks.push(data.data);
    });
  }
};
const send = MessagePort.prototype.postMessage;
MessagePort.prototype.postMessage = function (message, ...rest) {
  if (message?.type === "controls") heard.controls.push(message.controls);
  if (message?.type === "play" || message?.type === "pause") heard.playing.push(message.type);
  return send.call(this, message, ...rest);
};
"""


def write_song(path: Path, seconds: float, channels: int = 2, rate: int = RATE) -> Path:
    """A song of sustained tones and hits."""
    time = np.arange(round(seconds * rate)) / rate
    tones = np.array([np.sin(2 * np.pi * (220 + 110 * channel) * time) for channel in range(channels)])
    hits = np.where(time % 0.5 < 0.004, 0.5, 0.0)
    soundfile.write(path, (0.3 * tones + hits).T.astype(np.float32), rate, subtype="FLOAT")
    return path


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_song(tmp_path / "Tide Table.wav", seconds=4)


@pytest.fixture
def long_song(tmp_path: Path) -> Path:
    return write_song(tmp_path / "Long Tide.wav", seconds=240, channels=1)


@pytest.fixture
def home(page: Page) -> Page:
    """The page, just opened."""
    page.add_init_script(LISTEN)
    page.goto("/")
    expect(page.get_by_role("radio", name="Harmonic / percussive")).to_be_visible()
    return page


def choose(page: Page, *files: Path) -> None:
    page.locator("input[type=file]").set_input_files(files)


def separate(page: Page, model: str = "Harmonic / percussive") -> None:
    page.get_by_role("radiogroup", name="Model").get_by_role("radio", name=model).check()
    page.get_by_role("button", name="Separate", exact=True).click()


def desk_of(page: Page, song: Path) -> Locator:
    """The finished desk of a song."""
    desk = page.get_by_role("region", name=f"Stems of {song.stem}", exact=True)
    expect(desk.get_by_role("button", name="Download all")).to_be_enabled(timeout=SOON)
    return desk


def strip(desk: Locator, stem: str) -> Locator:
    return desk.get_by_role("group", name=stem, exact=True)


def chunks_of(page: Page, stem: str, channels: int) -> Samples:
    """All samples that the engine gave for a stem [shape=(channels, n)]."""
    script = """async (stem) => {
      const pieces = heard.chunks.flatMap((chunk) => chunk.stems.find(({ name }) => name === stem).pieces);
      const bytes = new Uint8Array(await new Blob(pieces.map(({ blob }) => blob)).arrayBuffer());
      return bytes.toBase64();
    }"""
    return np.frombuffer(base64.b64decode(page.evaluate(script, stem)), np.float32).reshape(-1, channels).T


def read(path: Path) -> tuple[Samples, int]:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return samples.T, rate


def download(button: Locator, path: Path) -> str:
    """Save the download of a button, and return its suggested name."""
    with button.page.expect_download() as offered:
        button.click()
    offered.value.save_as(path)
    return offered.value.suggested_filename


def test_journey_from_song_to_files(home: Page, song: Path, tmp_path: Path, watch: Watch) -> None:
    expect(home.get_by_text("Split a song into its stems, here in your browser. Nothing is uploaded.")).to_be_visible()
    expect(home.get_by_role("button", name="Separate", exact=True)).to_be_disabled()
    expect(home.get_by_text(re.compile("About .* for this song"))).to_have_count(0)
    choose(home, song)
    expect(home.get_by_text("0:04 · 44.1 kHz · stereo")).to_be_visible(timeout=SOON)
    expect(home.get_by_text(re.compile("About .* for this song"))).to_have_count(3, timeout=SOON)
    expect(home.get_by_text(re.compile(r"^(WASM, \d+ threads?|.+), isolated$"))).to_be_visible()
    separate(home)
    desk = desk_of(home, song)

    mixture, _ = read(song)
    stems = []
    for stem in ("Harmonic", "Percussive"):
        path = tmp_path / f"{stem}.wav"
        button = strip(desk, stem).get_by_role("button", name=f"Download {stem}")
        assert download(button, path) == f"Tide Table - {stem.lower()}.wav"
        assert soundfile.info(path).subtype == "FLOAT"
        samples, rate = read(path)
        assert rate == RATE
        assert np.array_equal(samples, chunks_of(home, stem.lower(), len(samples)))
        stems.append(samples)
    np.testing.assert_allclose(np.sum(stems, axis=0), mixture, rtol=0, atol=1e-4)

    archive = tmp_path / "all.zip"
    assert download(desk.get_by_role("button", name="Download all"), archive) == "Tide Table - stems.zip"
    with zipfile.ZipFile(archive) as files:
        assert files.testzip() is None
        members = [f"Tide Table/Tide Table - {stem}.wav" for stem in ("harmonic", "percussive")]
        assert files.namelist() == members
        for member, samples in zip(members, stems, strict=True):
            path = Path(files.extract(member, tmp_path))
            assert soundfile.info(path).subtype == "FLOAT"
            assert np.array_equal(read(path)[0], samples)
    assert all(request.post_data is None for request in watch.requests)


def test_progress_is_named_and_never_goes_back(home: Page, long_song: Path) -> None:
    choose(home, long_song)
    separate(home)
    bar = home.get_by_role("progressbar", name="Separating Long Tide", exact=True)
    expect(bar).to_be_visible()
    expect(bar).to_have_attribute("aria-valuetext", re.compile(r"^\d+%, About .* left$"), timeout=SOON)
    script = """(bar) => new Promise((resolve) => {
      const seen = [Number(bar.ariaValueNow)];
      new MutationObserver(() => {
        seen.push(Number(bar.ariaValueNow));
        if (seen.length === 12) resolve(seen);
      }).observe(bar, { attributeFilter: ["aria-valuenow"] });
    })"""
    seen = bar.evaluate(script)
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-1] <= 100


def test_the_desk_sets_the_gains(home: Page, song: Path) -> None:
    choose(home, song)
    separate(home)
    desk = desk_of(home, song)
    harmonic, percussive = strip(desk, "Harmonic"), strip(desk, "Percussive")
    desk.get_by_role("button", name="Play").click()
    expect(desk.get_by_role("button", name="Pause")).to_be_visible(timeout=SOON)

    def gains() -> Any:
        """Of the two stems, on both sides."""
        return home.evaluate("heard.controls.at(-1).stems")

    mute = harmonic.get_by_role("button", name="Mute")
    mute.click()
    expect(mute).to_have_attribute("aria-pressed", "true")
    assert gains() == [[0, 0], [1, 1]]
    mute.click()
    percussive.get_by_role("button", name="Solo").click()
    assert gains() == [[0, 0], [1, 1]]
    harmonic.get_by_role("button", name="Solo").click()
    assert gains() == [[1, 1], [1, 1]]
    percussive.get_by_role("button", name="Solo").click(modifiers=["Control"])
    expect(harmonic.get_by_role("button", name="Solo")).to_have_attribute("aria-pressed", "false")
    assert gains() == [[0, 0], [1, 1]]
    percussive.get_by_role("button", name="Mute").click()
    assert gains() == [[0, 0], [0, 0]]
    percussive.get_by_role("button", name="Mute").click()

    volume = percussive.get_by_role("slider", name="Volume")
    volume.focus()
    for _ in range(12):
        home.keyboard.press("ArrowLeft")
    expect(volume).to_have_attribute("aria-valuetext", "\N{MINUS SIGN}6.0 dB")
    assert gains() == [[0, 0], [pytest.approx(10 ** (-6 / 20))] * 2]
    home.keyboard.press("Home")
    expect(volume).to_have_attribute("aria-valuetext", "Silent")
    assert gains() == [[0, 0], [0, 0]]
    volume.dblclick()
    expect(volume).to_have_attribute("aria-valuetext", "0.0 dB")
    assert gains() == [[0, 0], [1, 1]]

    pan = percussive.get_by_role("slider", name="Pan")
    pan.focus()
    home.keyboard.press("End")
    expect(pan).to_have_attribute("aria-valuetext", "100% right")
    assert gains() == [[0, 0], [0, 1]]
    pan.dblclick()
    expect(pan).to_have_attribute("aria-valuetext", "Centre")

    balance = desk.get_by_role("radiogroup", name="Balance").get_by_role("radio")
    expect(balance).to_have_count(1)  # the others need stems that this song has not
    expect(balance).not_to_be_checked()
    desk.get_by_role("radio", name="Original balance").check()
    expect(balance).to_be_checked()
    assert gains() == [[1, 1], [1, 1]]

    master = desk.get_by_role("slider", name="Master")
    master.focus()
    home.keyboard.press("End")
    expect(master).to_have_attribute("aria-valuetext", "+6.0 dB")
    assert home.evaluate("heard.controls.at(-1).master") == pytest.approx(10 ** (6 / 20))
    loud = desk.get_by_text("The mix is too loud for the device")
    expect(desk.get_by_role("button", name="Play")).to_be_visible()  # the song is over
    desk.get_by_role("slider", name="Position").fill("0")
    desk.get_by_role("button", name="Play").click()
    expect(loud).to_be_visible()
    master.dblclick()
    desk.get_by_role("button", name="Clip").click()
    expect(loud).to_have_count(0)

    original = desk.get_by_role("button", name="Original")
    original.click()
    expect(original).to_have_attribute("aria-pressed", "true")
    assert home.evaluate("heard.controls.at(-1).original")
    original.click()
    assert not home.evaluate("heard.controls.at(-1).original")


def test_playing_moves_and_seeks(home: Page, song: Path) -> None:
    choose(home, song)
    separate(home)
    desk = desk_of(home, song)
    position = desk.get_by_role("slider", name="Position")
    position.fill("2.5")
    expect(position).to_have_attribute("aria-valuetext", "0:02 / 0:04")
    strip(desk, "Harmonic").locator("wave-form").click(position={"x": 1, "y": 10})
    expect(position).to_have_attribute("aria-valuetext", "0:00 / 0:04")
    desk.get_by_role("button", name="Play").click()
    expect(position).to_have_attribute("aria-valuetext", "0:01 / 0:04", timeout=SOON)
    expect(desk.get_by_role("button", name="Play")).to_be_visible(timeout=SOON)
    expect(position).to_have_attribute("aria-valuetext", "0:04 / 0:04")
    desk.get_by_role("button", name="Play").click()
    expect(position).to_have_attribute("aria-valuetext", "0:01 / 0:04", timeout=SOON)
    desk.get_by_role("button", name="Pause").click()
    expect(desk.get_by_role("button", name="Play")).to_be_visible()


def test_an_unreadable_song_is_reported_and_the_next_one_works(home: Page, song: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"this is not music" * 100)
    choose(home, broken)
    alert = home.get_by_role("alert").filter(has_text="broken cannot be read.")
    expect(alert).to_contain_text("audio/unreadable")
    expect(home.get_by_role("button", name="Separate", exact=True)).to_be_disabled()
    empty = tmp_path / "empty.wav"
    empty.touch()
    choose(home, empty)
    expect(home.get_by_role("alert").filter(has_text="audio/empty")).to_be_visible()

    choose(home, song)
    separate(home)
    desk_of(home, song)
    expect(home.get_by_role("alert").filter(has_text="audio/")).to_have_count(0)


def test_an_unsupported_browser_shows_its_missing_feature(page: Page, song: Path) -> None:
    # As over http: what needs a secure context is not there.
    lacking = "for (const name of ['locks', 'storage']) Object.defineProperty(navigator, name, { value: undefined })"
    page.add_init_script(f"{lacking}; delete Crypto.prototype.randomUUID")
    page.add_init_script("localStorage.setItem('demixer.separating', '{\"a page that was killed\": \"hpss\"}')")
    page.goto("/")
    expect(page.get_by_role("radio", name="Harmonic / percussive")).to_be_visible()  # the list needs none of it
    choose(page, song)
    expect(page.get_by_text("0:04 · 44.1 kHz · stereo")).to_be_visible(timeout=SOON)
    expect(page.get_by_role("alert").filter(has_text="There is no Web Locks here.")).to_be_visible()


def test_songs_are_separated_one_after_another(home: Page, song: Path, tmp_path: Path) -> None:
    mono = write_song(tmp_path / "Mono.wav", seconds=2, channels=1, rate=22_050)
    choose(home, song, mono)
    songs = home.get_by_role("list", name="Songs").get_by_role("listitem")
    expect(songs).to_have_count(2)
    separate(home)
    expect(songs.nth(0)).to_contain_text("Done", timeout=SOON)
    expect(songs.nth(1)).to_contain_text("Done", timeout=SOON)
    desk_of(home, song)
    songs.nth(1).get_by_role("button", name="Mono", exact=False).first.click()
    desk = desk_of(home, mono)
    path = tmp_path / "harmonic.wav"
    download(strip(desk, "Harmonic").get_by_role("button", name="Download Harmonic"), path)
    info = soundfile.info(path)
    assert (info.samplerate, info.channels, info.frames) == (22_050, 1, 44_100)
    home.get_by_role("button", name="Remove Mono").first.click()
    desk_of(home, song)


@pytest.mark.parametrize("phase", ["starting", "separating"])
def test_cancel_gives_the_song_back(home: Page, song: Path, long_song: Path, phase: str) -> None:
    choose(home, long_song)
    expect(home.get_by_text("44.1 kHz")).to_be_visible(timeout=SOON)
    if phase == "separating":
        expect(home.get_by_text(re.compile("About .* for this song"))).to_have_count(3, timeout=SOON)
    separate(home)
    cancel = home.get_by_role("button", name="Cancel")
    expect(cancel).to_be_focused()
    if phase == "separating":
        expect(home.get_by_role("region", name="Stems of Long Tide")).to_be_visible(timeout=SOON)
    cancel.click()
    begun = phase == "separating"  # what is finished stays
    expect(home.get_by_role("button", name="Continue" if begun else "Separate", exact=True)).to_be_focused()
    expect(home.get_by_role("status").filter(has_text="Cancelled.")).to_have_count(1)
    expect(home.get_by_role("region", name="Stems of Long Tide")).to_be_visible(visible=begun)
    assert home.get_by_role("alert").all_inner_texts() == []

    choose(home, song)
    separate(home)
    desk_of(home, song)


def test_the_whole_journey_by_keyboard(home: Page, song: Path) -> None:
    def reach(target: Locator) -> None:
        for _ in range(40):
            if target.evaluate("(element) => element === document.activeElement"):
                return
            home.keyboard.press("Tab")
        pytest.fail(f"{target} cannot be reached with Tab")

    with home.expect_file_chooser() as chooser:  # what catches it takes a moment to be in place
        reach(home.get_by_role("button", name="Choose songs"))
        home.keyboard.press("Enter")
    assert chooser.value.is_multiple()
    chooser.value.set_files(song)
    expect(home.get_by_text("44.1 kHz")).to_be_visible(timeout=SOON)
    checked = home.get_by_role("radiogroup", name="Model").locator("input:checked")
    reach(checked)
    hpss = home.get_by_role("radio", name="Harmonic / percussive")
    while not hpss.is_checked():
        home.keyboard.press("ArrowDown")
    reach(home.get_by_role("button", name="Separate", exact=True))
    home.keyboard.press("Enter")

    desk = desk_of(home, song)
    expect(desk.get_by_role("button", name="Play")).to_be_focused()
    home.keyboard.press("Enter")
    expect(desk.get_by_role("button", name="Pause")).to_be_visible(timeout=SOON)
    desk.focus()
    home.keyboard.press("Space")
    expect(desk.get_by_role("button", name="Play")).to_be_visible()
    position = desk.get_by_role("slider", name="Position")
    home.keyboard.press("End")
    expect(position).to_have_attribute("aria-valuetext", "0:04 / 0:04")
    home.keyboard.press("ArrowLeft")
    expect(position).to_have_attribute("aria-valuetext", "0:00 / 0:04")
    mute = strip(desk, "Percussive").get_by_role("button", name="Mute")
    reach(mute)
    home.keyboard.press("Space")
    expect(mute).to_have_attribute("aria-pressed", "true")
    reach(strip(desk, "Percussive").get_by_role("slider", name="Volume"))
    home.keyboard.press("ArrowLeft")
    expect(strip(desk, "Percussive").get_by_text("\N{MINUS SIGN}0.5 dB")).to_be_visible()
    home.keyboard.press("?")
    expect(home.get_by_role("dialog", name="Help")).to_be_visible()
    home.keyboard.press("Escape")
    expect(home.get_by_role("dialog", name="Help")).to_be_hidden()


def test_theme_and_model_are_remembered(home: Page) -> None:
    home.emulate_media(color_scheme="light")
    home.get_by_role("button", name="Use the dark theme").click()
    home.get_by_role("radio", name="Spleeter").check()
    home.reload()
    expect(home.get_by_role("button", name="Use the light theme")).to_be_visible()
    expect(home.get_by_role("radio", name="Spleeter")).to_be_checked()
    quality = home.get_by_role("radiogroup", name="Quality")
    home.get_by_role("radio", name="Harmonic").check()
    expect(quality).to_be_hidden()
    home.get_by_role("radio", name="HT-Demucs").check()
    expect(quality.get_by_role("radio")).to_have_count(3)
    expect(quality.get_by_role("radio", name="Standard")).to_be_checked()
    quality.get_by_role("radio", name="Fast").check(force=True)
    home.get_by_role("radio", name="Spleeter").check()
    expect(quality.get_by_role("radio")).to_have_count(2)  # it has no faster quality than its standard one
    expect(quality.get_by_role("radio", name="Standard")).to_be_checked()


def accessible(page: Page, state: str) -> None:
    """Assert that there are no accessibility violations, no overflow and no missing texts."""
    violations = Axe().run(page).response["violations"]
    assert not violations, f"{state}: {json.dumps(violations, indent=1)[:4000]}"
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width, state
    assert not re.findall(r"\b[a-z]+(?:\.[a-z-]+)+\b", page.locator("main").inner_text()), state


def test_downloading_is_shown_and_cancelled(home: Page, song: Path) -> None:
    home.route("**/*.onnx", lambda route: None if "/default." in route.request.url else route.continue_())
    choose(home, song)
    expect(home.get_by_text(re.compile("About .* for this song"))).to_have_count(3, timeout=SOON)
    separate(home, "Spleeter")
    expect(home.get_by_text("Downloading the model")).to_be_visible(timeout=SOON)
    home.get_by_role("button", name="Cancel").click()
    expect(home.get_by_role("button", name="Separate", exact=True)).to_be_focused()
