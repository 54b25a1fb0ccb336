"""The mixer on the audio thread, rendered faster than real time: tracks together to the sample, whatever is done."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pytest
from playwright.sync_api import Page

from demixer.audio import Samples

RATE: Final = 8_000

#: A song that is a ramp, so that each sample tells where it lies; two stems of noise that cancel each other, and a
#: third that is the song. What is heard is the ramp, if and only if all tracks are at the same sample.
RENDER: Final = """async ({ rate, seconds, controls, steps }) => {
  const context = new OfflineAudioContext(2, seconds * rate, rate);
  await context.audioWorklet.addModule("/src/playback/audio/mixer.js");
  const mixer = new AudioWorkletNode(context, "mixer", {
    numberOfInputs: 0, outputChannelCount: [2], processorOptions: { controls },
  });
  mixer.connect(context.destination);
  const reports = [];
  mixer.port.onmessage = ({ data }) => reports.push(data);
  const block = ({ epoch, start, length, last = false }) => {
    const ramp = Float32Array.from({ length }, (_, at) => (start + at) / (8 * rate));
    const noise = ramp.map(() => Math.random() - 0.5);
    const tracks = [[ramp], [noise], [noise.map((sample) => -sample)], [ramp]];
    mixer.port.postMessage({ type: "block", block: { epoch, start, length, last, tracks } });
  };
  for (const { at, messages } of steps) {
    context.suspend(at).then(async () => {
      for (const message of messages) {
        if (message.type === "blocks") message.blocks.forEach(block);
        else mixer.port.postMessage(message);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
      context.resume();
    });
  }
  const rendered = await context.startRendering();
  await new Promise((resolve) => setTimeout(resolve, 200));
  return { sides: [0, 1].map((side) => Array.from(rendered.getChannelData(side))), reports };
}"""

FLAT: Final = {"stems": [[1, 1], [1, 1], [1, 1]], "master": 1, "original": False}


def blocks(epoch: int, start: int, stop: int, size: int, *, last: bool = False) -> dict[str, Any]:
    """A stretch of the song in blocks of an awkward size."""
    starts = range(start, stop, size)
    made = [{"epoch": epoch, "start": at, "length": min(size, stop - at)} for at in starts]
    made[-1]["last"] = last
    return {"type": "blocks", "blocks": made}


def render(
    page: Page, steps: list[dict[str, Any]], seconds: int = 2, controls: dict[str, Any] = FLAT
) -> tuple[Samples, list[dict[str, Any]]]:
    """The output in samples of the song [shape=(sides, n)], and the reports to the page."""
    page.goto("/")
    given = {"rate": RATE, "seconds": seconds, "controls": controls, "steps": steps}
    seen = page.evaluate(RENDER, given)
    return np.array(seen["sides"]) * 8 * RATE, seen["reports"]


def test_stems_stay_together_to_the_sample_after_jumps(page: Page) -> None:
    jumps = [(1, 4 * RATE, 500, 0.512), (2, 777, 333, 1.024), (3, 6 * RATE + 1, 1234, 1.536)]
    steps = [{"at": 0.128, "messages": [{"type": "play"}, blocks(0, 0, RATE, 777)]}]
    for epoch, position, size, at in jumps:
        seek = {"type": "seek", "epoch": epoch, "position": position}
        steps.append({"at": at, "messages": [seek, blocks(epoch, position, position + RATE, size)]})
    (left, right), _ = render(page, steps)
    assert np.array_equal(left, right)
    played = np.flatnonzero(left)
    assert 0.1 * RATE < played[0] < 0.2 * RATE
    stretches = [(0.3, 0.5), (0.75, 1.0), (1.25, 1.5), (1.75, 2.0)]
    for (_, position, _, at), (start, stop) in zip([(0, 0, 0, 0.128), *jumps], stretches, strict=True):
        heard = left[round(start * RATE) : round(stop * RATE)]
        assert np.allclose(np.diff(heard), 1, atol=0.02), "samples are missing, doubled or apart"
        # Each jump fades out what was heard, then goes on at the very sample it was sent to.
        landing = round(start * RATE) - round(heard[0] - position)
        assert 0 <= landing - at * RATE < 0.1 * RATE


def test_a_loop_has_no_seam(page: Page) -> None:
    loop = [blocks(0, 1000, 2300, 400), blocks(0, 1000, 2300, 1300), blocks(0, 1000, 2300, 77)]
    steps = [{"at": 0.128, "messages": [{"type": "seek", "epoch": 0, "position": 1000}, {"type": "play"}, *loop]}]
    (left, _), reports = render(page, steps, seconds=1)
    heard = np.round(left[np.flatnonzero(left)[0] :])
    turn = int(np.flatnonzero(np.diff(heard) < 0)[0])
    assert heard[turn : turn + 2].tolist() == [2299, 1000]
    assert np.flatnonzero(np.diff(heard[:3900]) < 0).tolist() == [turn, turn + 1300]
    assert {report["position"] for report in reports if report["waiting"]} == {2300}
    assert max(report["played"] for report in reports) == 3900


def test_the_song_ends_with_its_last_block(page: Page) -> None:
    steps = [{"at": 0.128, "messages": [{"type": "play"}, blocks(0, 0, 1000, 300, last=True)]}]
    _, reports = render(page, steps, seconds=1)
    assert not reports[-1]["playing"]
    assert reports[-1]["position"] == 1000
    assert not reports[-1]["sounding"]
    assert not any(report["waiting"] for report in reports)


def test_gains_sides_and_meters(page: Page) -> None:
    controls = {"stems": [[0, 0], [0, 0], [0.5, 0.25]], "master": 2, "original": False}
    steps = [{"at": 0.128, "messages": [{"type": "play"}, blocks(0, 4 * RATE, 6 * RATE, 999)]}]
    (left, right), reports = render(page, steps, seconds=1, controls=controls)
    tail = slice(RATE // 2, None)
    assert np.allclose(left[tail], 2 * right[tail], rtol=1e-5)
    assert np.allclose(np.diff(left[tail]), 1, atol=0.02)
    levels = reports[-1]["levels"]
    assert levels["stems"][:2] == [0, 0]
    assert levels["stems"][2] == pytest.approx(left[-1] / (8 * RATE) / 2, rel=0.01)
    assert levels["master"] == pytest.approx(left[-1] / (8 * RATE), rel=0.01)


def test_the_song_is_compared_as_loud_as_the_mix(page: Page) -> None:
    controls = {"stems": [[0, 0], [0, 0], [0.5, 0.5]], "master": 1, "original": False}
    original = {"type": "controls", "controls": {**controls, "original": True}}
    steps = [
        {"at": 0.128, "messages": [{"type": "play"}, blocks(0, 4 * RATE, 7 * RATE, 999)]},
        {"at": 1.504, "messages": [original]},
    ]
    (left, _), reports = render(page, steps, controls=controls)
    heard = left[round(1.3 * RATE) :]
    assert np.allclose(np.diff(heard), 0.5, atol=0.02)  # the song at the mix's level and place, without a step
    assert reports[-1]["levels"]["stems"] == pytest.approx([0, 0, 0], abs=1e-3)
