"""The decoder by itself, in a worker of the real origin: every file of the zoo, to the sample."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from demixer.audio import Samples
from demixer_build.headers import headers_for
from tests.browser.watch import Watch
from tests.encoders import by_libsndfile
from tests.odd import FOLDER, LAGS, LENGTHS, read
from tests.zoo import (
    AAC,
    COMPRESSED,
    FLAC,
    LOSSY,
    MP3,
    NOT_FINITE,
    OPUS,
    OPUS_RATE,
    OTHERS,
    RATE,
    UNCOMPRESSED,
    VORBIS,
    Animal,
    Right,
    assert_right,
    lag,
    song,
)


@pytest.fixture(scope="module")
def decoder(browser: Browser, base_url: str) -> Iterator[Page]:
    """One page for all files, so that each also shows that earlier ones broke nothing."""
    watch = Watch(base_url)
    page = browser.new_page(base_url=base_url)
    watch.follow(page)
    script = Path(__file__).with_name("decoder.js").read_text(encoding="utf-8")
    empty = {"body": "", "content_type": "text/html", "headers": headers_for("/")}
    page.route("**/empty", lambda route: route.fulfill(**empty))
    worker = {"body": script, "content_type": "text/javascript", "headers": headers_for("/decoder.js")}
    page.context.route("**/decoder.js*", lambda route: route.fulfill(**worker))
    page.goto("/empty")
    yield page
    page.context.close()
    assert not watch.problems


def decode(page: Page, encoded: bytes, by: str = "") -> dict[str, Any]:
    """The blocks or the error of `decode`, with samples as arrays; `by` names a decoder of `decoder.js`."""
    script = """async ([by, text]) => {
      const { decoded, decodedBy } = await import("/decoder.js");
      return by ? decodedBy(by, text) : decoded(text);
    }"""
    outcome: dict[str, Any] = page.evaluate(script, [by, base64.b64encode(encoded).decode()])
    if "channels" in outcome:
        planes = [np.frombuffer(base64.b64decode(text), np.float32) for text in outcome["channels"]]
        outcome["samples"] = np.stack(planes)
    return outcome


def samples_of(outcome: dict[str, Any]) -> Samples:
    assert "samples" in outcome, outcome
    samples: Samples = outcome["samples"]
    return samples


@pytest.mark.parametrize("animal", [*UNCOMPRESSED, *COMPRESSED], ids=lambda animal: animal.name)
def test_a_song_is_right_to_the_sample(decoder: Page, animal: Animal) -> None:
    outcome = decode(decoder, animal.encode())
    if isinstance(animal.outcome, str):
        assert outcome.get("code") == animal.outcome, outcome
    else:
        assert_right(animal.outcome, samples_of(outcome), outcome["rates"][0])
        assert (outcome["loss"] is not None) == animal.outcome.cut


#: In dB: Chromium's decoder of whole files divides positive samples of 16 bits by 32,767, and negative ones by 32,768.
WHOLE: Final = 90.0


@pytest.mark.parametrize(
    ("animal", "by"),
    [
        *((animal, "missing") for animal in COMPRESSED),
        *itertools.product((FLAC, MP3, VORBIS, OPUS, AAC), ("failing", "silent", "stopping")),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_a_decoder_of_whole_files_takes_over_to_the_sample(decoder: Page, animal: Animal, by: str) -> None:
    outcome = decode(decoder, animal.encode(), by)
    if isinstance(animal.outcome, str):
        assert outcome.get("code") == animal.outcome, outcome
    else:
        right = replace(animal.outcome, decibel=min(animal.outcome.decibel, WHOLE))
        assert_right(right, samples_of(outcome), outcome["rates"][0])
        assert (outcome["loss"] is not None) == animal.outcome.cut


@pytest.mark.parametrize(
    "animal", [animal for animal in COMPRESSED if "opus" in animal.name.lower()], ids=lambda animal: animal.name
)
def test_the_pre_skip_is_left_out_whatever_the_decoder_does(decoder: Page, animal: Animal) -> None:
    outcome = decode(decoder, animal.encode(), "unskipping")
    assert isinstance(animal.outcome, Right)
    assert_right(animal.outcome, samples_of(outcome), outcome["rates"][0])


@pytest.mark.parametrize("animal", OTHERS, ids=lambda animal: animal.name)
def test_what_is_no_song_is_one_error(decoder: Page, animal: Animal) -> None:
    outcome = decode(decoder, animal.encode())
    assert (outcome.get("name"), outcome.get("code")) == ("DemixError", animal.outcome), outcome
    assert outcome["message"].endswith(".")
    assert "Error" not in outcome["message"]


@pytest.mark.parametrize("animal", NOT_FINITE, ids=lambda animal: animal.name)
def test_what_is_not_finite_is_passed_on(decoder: Page, animal: Animal) -> None:
    samples = samples_of(decode(decoder, animal.encode()))
    assert samples.shape == song().shape
    assert not np.isfinite(samples[:, samples.shape[1] // 2]).any()


#: A file of several blocks.
SLOW: Final = Animal("", lambda: by_libsndfile(song(), 8_000, "WAV", "FLOAT"), Right(song, 8_000))


@pytest.mark.parametrize(("animal", "most"), [(SLOW, 4), (MP3, 1)], ids=["WAV", "MP3"])
def test_blocks_are_short_alike_and_free_to_be_given_away(decoder: Page, animal: Animal, most: int) -> None:
    outcome = decode(decoder, animal.encode())
    assert isinstance(animal.outcome, Right)
    assert set(outcome["rates"]) == {animal.outcome.rate}
    lengths = [left for left, right in outcome["lengths"] if left == right]
    assert len(lengths) > 2
    assert set(lengths[:-1]) == {most * animal.outcome.rate}
    assert lengths[-1] < lengths[0]
    assert outcome["own"]
    assert all(before <= after for before, after in itertools.pairwise([0, *outcome["fractions"]]))
    assert outcome["fractions"][-1] == 1
    assert_right(animal.outcome, samples_of(outcome), animal.outcome.rate)


def test_joined_songs_are_read_to_the_end_and_without_a_gap(decoder: Page) -> None:
    samples = samples_of(decode(decoder, MP3.encode() + bytes(100) + MP3.encode()))
    assert isinstance(MP3.outcome, Right)
    assert samples.shape[1] == 2 * song().shape[1]
    for half in np.split(samples, 2, axis=1):
        assert_right(MP3.outcome, half, RATE)


@pytest.mark.parametrize("name", LENGTHS)
def test_an_odd_file_is_read_to_its_end(decoder: Page, name: str) -> None:
    outcome = decode(decoder, read(name))
    samples = samples_of(outcome)
    assert (samples.shape[1], outcome["loss"]) == (LENGTHS[name], None)
    if name in LAGS:
        reference = samples_of(decode(decoder, (FOLDER / "MP3 in WAV.wav").read_bytes()))
        assert abs(lag(reference, samples) - LAGS[name]) <= 1


@pytest.mark.parametrize("second", [OPUS, VORBIS], ids=lambda animal: animal.name)
def test_joined_songs_of_two_rates_are_an_error(decoder: Page, second: Animal) -> None:
    first = next(animal for animal in (VORBIS, OPUS) if animal is not second)
    assert decode(decoder, first.encode() + second.encode()).get("code") == "audio/unsupported"


def test_a_program_stream_is_refused_before_it_is_noise(decoder: Page) -> None:
    outcome = decode(decoder, (FOLDER / "program stream.mpg").read_bytes())
    assert outcome.get("code") == "audio/unsupported"


def test_zeros_before_the_first_frame_are_no_sound(decoder: Page) -> None:
    outcome = decode(decoder, bytes(6_000) + MP3.encode())
    assert_right(Right(song, decibel=LOSSY), samples_of(outcome), RATE)


def test_without_a_decoder_of_whole_files_the_reason_is_reported(decoder: Page) -> None:
    script = """async (text) => {
      const { DemixError } = await import("/src/base/errors.js");
      const { decode } = await import("/src/decode/worker/decode.js");
      const file = new Blob([Uint8Array.fromBase64(text)]);
      const refuse = (code) => () => Promise.reject(new DemixError(code, "No."));
      const outcome = async (decodeWhole) => decode(file, decodeWhole).next().catch(({ code }) => code);
      return [await outcome(refuse("audio/unreadable")), await outcome(refuse("audio/too-long"))];
    }"""
    alac = next(animal for animal in OTHERS if animal.name == "ALAC.m4a")
    codes = decoder.evaluate(script, base64.b64encode(alac.encode()).decode())
    assert codes == ["audio/unsupported", "audio/too-long"]


def test_too_large_a_file_is_not_decoded_whole(decoder: Page) -> None:
    script = """async () => {
      const { decodeWhole } = await import("/src/decode/page/whole-file.js");
      const piece = new Uint8Array(1 << 24);
      const file = new Blob(Array.from({ length: 17 }, () => piece));
      return decodeWhole(file, 44_100).catch(({ code }) => code);
    }"""
    assert decoder.evaluate(script) == "audio/too-long"


#: A song decoded as on the page, into memory.
ON_THE_PAGE: Final = """async ([text, aborting]) => {
  const { DemixError } = await import("/src/base/errors.js");
  const { watchRequests } = await import("/src/base/requests.js");
  const { decodeSong } = await import("/src/decode/page/client.js");
  const urls = [];
  watchRequests((more) => urls.push(...more));
  const file = new Blob([Uint8Array.fromBase64(text)]);
  const stop = new AbortController();
  const report = () => aborting && stop.abort(new DemixError("cancelled", "Enough."));
  try {
    const { length, pieces } = await decodeSong(file, "Song", null, stop.signal, report);
    return { length, size: pieces[0].blob.size, urls };
  } catch ({ code }) {
    return { code, urls };
  }
}"""


@pytest.mark.parametrize("name", ["MP3", "shifted MP3"])
def test_the_page_decodes_with_a_worker_that_reports_its_requests(decoder: Page, name: str) -> None:
    encoded = {"MP3": MP3.encode(), "shifted MP3": bytes(6_000) + MP3.encode()}[name]
    seen = decoder.evaluate(ON_THE_PAGE, [base64.b64encode(encoded).decode(), False])
    assert seen["length"] >= song().shape[1]
    assert seen["size"] == 8 * seen["length"]
    assert [url for url in seen["urls"] if url.endswith("/decode/worker/decode.js")]


def test_a_damaged_frame_of_flac_is_silent(decoder: Page) -> None:
    flac = bytearray(FLAC.encode())
    flac[len(flac) // 2] ^= 4
    outcome = decode(decoder, bytes(flac))
    assert outcome["loss"] == {"seconds": None}
    samples = samples_of(outcome)
    assert isinstance(FLAC.outcome, Right)
    right = FLAC.outcome.song()
    assert samples.shape == right.shape
    wrong = np.flatnonzero((samples != right).any(axis=0))
    assert 0 < wrong.size <= 4_608
    assert not samples[:, wrong[0] : wrong[-1] + 1].any()


def test_a_flac_of_no_rate_is_one_error(decoder: Page) -> None:
    """The browser refuses to configure its decoder; the fixture watches for what nobody catches."""
    flac = bytearray(FLAC.encode())
    flac[18:20] = bytes(2)
    flac[20] &= 0x0F
    assert decode(decoder, bytes(flac)).get("code", "").startswith("audio/")


def test_tags_after_a_flac_are_no_damage(decoder: Page) -> None:
    assert isinstance(FLAC.outcome, Right)
    tagged = FLAC.encode() + b"TAG" + b"A song".ljust(125, b"\0")
    assert_right(FLAC.outcome, samples_of(decode(decoder, tagged)), RATE)


def test_what_no_song_has_is_silent(decoder: Page) -> None:
    script = """async () => {
      const { planarSamples, songBlocks } = await import("/src/decode/worker/song-blocks.js");
      const plane = new Float32Array(3000).fill(0.5);
      plane[1500] = 1000;
      const other = new Float32Array(3000).fill(0.5);
      const decoded = planarSamples({ rate: 1000, channels: [plane, other] });
      let damaged = 0;
      const blocks = songBlocks(decoded, { gaps: [], tail: 0 }, () => 0, () => damaged++);
      const peaks = [];
      for await (const { channels } of blocks) peaks.push(channels.map((samples) => Math.max(...samples)));
      return [peaks, damaged];
    }"""
    assert decoder.evaluate(script) == [[[0.5, 0.5], [0, 0], [0.5, 0.5]], 1]


def test_junk_at_the_end_of_a_webm_is_passed_over(decoder: Page) -> None:
    webm = next(animal for animal in COMPRESSED if animal.name == "Opus in WebM.webm")
    before, _, after = webm.encode().rpartition(b"\x1cS\xbbk")  # the element after the sound: its cues
    assert isinstance(webm.outcome, Right)
    assert_right(webm.outcome, samples_of(decode(decoder, before + b"junk" + after)), OPUS_RATE)


#: A worker that a file has got into a loop.
STUCK: Final = """
setInterval(() => postMessage({ type: "alive", data: {} }), 10);
addEventListener("message", () => setTimeout(() => { for (;;); }, 100));
"""


def test_a_worker_that_a_file_has_got_stuck_is_ended(browser: Browser, base_url: str) -> None:
    with browser.new_page(base_url=base_url) as page:
        page.route("**/empty", lambda route: route.fulfill(body="", content_type="text/html", headers=headers_for("/")))
        headers = headers_for("/decoder.js")
        page.route(
            "**/decode/worker/main.js",
            lambda route: route.fulfill(body=STUCK, content_type="text/javascript", headers=headers),
        )
        page.goto("/empty")
        page.evaluate("const { setInterval } = globalThis; self.setInterval = (run, ms) => setInterval(run, ms / 20);")
        seen = page.evaluate(ON_THE_PAGE, [base64.b64encode(MP3.encode()).decode(), False])
    assert seen["code"] == "audio/unreadable"


def test_decoding_is_aborted(decoder: Page) -> None:
    seen = decoder.evaluate(ON_THE_PAGE, [base64.b64encode(MP3.encode()).decode(), True])
    assert seen["code"] == "cancelled"
