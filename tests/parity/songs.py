"""Songs that parity is measured on, and sketches of their stems in a few kilobytes."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Final

import av
import numpy as np
import numpy.typing as npt

from demixer.audio import Samples

RATE: Final = 44_100
LITHIUM: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "lithium" / "mixture.flac"
GOLDEN: Final = Path(__file__).parent / "golden"

#: Samples behind one number of a sketch.
BLOCK: Final = 1024


def songs() -> dict[str, Samples]:
    """Every available song, by name [shape=(2, n)] at 44.1 kHz."""
    falcon = stempeg_song()
    found = {"falcon": falcon, "medley": medley(falcon), "line": falcon[:, 3 * RATE : 6 * RATE]}
    if LITHIUM.exists():
        found["lithium"] = decode(LITHIUM)
    return found


def songs_with_stems() -> dict[str, tuple[Samples, Samples]]:
    """Every song whose true stems are known, by name: mixture [shape=(2, n)], stems in our order [shape=(4, 2, n)]."""
    falcon, *stems = (stempeg_song(track) for track in range(5))
    found = {"falcon": (falcon, np.stack(stems))}
    if LITHIUM.exists():
        names = ("drums", "bass", "other", "vocals")
        found["lithium"] = (decode(LITHIUM), np.stack([decode(LITHIUM.with_name(f"{name}.flac")) for name in names]))
    return found


def stempeg_song(track: int = 0) -> Samples:
    """The mixture (or drums, bass, other, vocals) of the song in PyPI's `stempeg`; its last 40 ms decode badly."""
    # The package cannot be imported without a program called ffmpeg, but its files can be found.
    files = metadata.files("stempeg") or []
    (path,) = (file for file in files if file.name.endswith(".stem.mp4"))
    return decode(Path(str(path.locate())), track)[:, : -RATE * 40 // 1000]


def medley(song: Samples) -> Samples:
    """Twenty seconds that span several segments: quiet and loud, wide and off centre, with a DC offset."""
    backwards = song[::-1, ::-1]
    parts = np.concatenate([song, 0.4 * backwards, -song, song[::-1]], axis=1)[:, : 20 * RATE]
    return (0.8 * parts + 0.02).astype(np.float32)


def decode(path: Path, track: int = 0) -> Samples:
    """An audio track of a stereo file at 44.1 kHz."""
    with av.open(str(path)) as container:
        to_float = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
        frames = [out for frame in container.decode(audio=track) for out in to_float.resample(frame)]
        frames += to_float.resample(None)
    return np.concatenate([frame.to_ndarray() for frame in frames], axis=1, dtype=np.float32)


def sketch(samples: Samples) -> Samples:
    """Sum every `BLOCK` samples with random signs [shape=(..., ceil(n / BLOCK))].

    Whatever the samples are, the expected energy of their sketch is their energy, and the sketch of a
    difference is the difference of the sketches: the signal-to-noise ratio of two sketches estimates that
    of the signals, with every sample taking part (Johnson and Lindenstrauss 1984).
    """
    length = samples.shape[-1]
    signs = _signs(length)
    padded = np.pad(signs * samples, [(0, 0)] * (samples.ndim - 1) + [(0, -length % BLOCK)])
    blocks = padded.reshape(*samples.shape[:-1], -1, BLOCK)
    sums: Samples = blocks.sum(axis=-1, dtype=np.float64).astype(np.float32)
    return sums


def _signs(length: int) -> Samples:
    # Raw words, since numpy promises the same stream for the bit generators alone.
    words: npt.NDArray[np.uint64] = np.random.PCG64(20260101).random_raw(-(-length // 64))
    bits = np.unpackbits(words.astype("<u8").view(np.uint8))[:length]
    signs: Samples = np.where(bits, np.float32(-1), np.float32(1))
    return signs


def snr(reference: Samples, estimate: Samples) -> float:
    """Signal-to-noise ratio in dB."""
    signal = float(np.square(reference, dtype=np.float64).sum())
    noise = float(np.square(np.subtract(reference, estimate, dtype=np.float64)).sum())
    return float("inf") if noise == 0 else float(10 * np.log10(signal / noise))
