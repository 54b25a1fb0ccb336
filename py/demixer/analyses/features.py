"""Features for tempo, key and chords: onset strength and pitch content, computed in one pass over the audio."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from demixer.audio import Samples, Source, check_finite

Mark = Callable[[int], None]
"""Takes the number of samples that are read."""

#: Frames of the onset strength per second.
ONSET_RATE: Final = 100

#: Lowest and highest frequency of each band of the onset strength: kick and bass, low voices, high voices, cymbals.
BANDS: Final = ((30, 130), (130, 500), (500, 2500), (2500, 11_000))

#: Lowest note of the pitch content (E1, the lowest string of a bass guitar), and number of notes.
LOWEST_NOTE: Final = 28
NOTES: Final = 72

_ONSET_SECONDS: Final = 0.046
_PITCH_SECONDS: Final = 0.372
_MEL_BANDS: Final = 40

#: Power of noise that music masks, relative to the song's mean power.
_FLOOR: Final = 1e-5

#: Samples of a channel per read.
_READ: Final = 1 << 18

#: Frames of 2048 samples per transform: enough for numpy to be fast, few enough for the memory.
_BATCH: Final = 256

#: Most places of a song at which its tuning and mean power are estimated.
_PROBES: Final = 256


@dataclass(frozen=True)
class Features:
    """Onset strength and pitch content of a signal.

    Parameters
    ----------
    duration : float
        In seconds.
    power : float
        Mean square; 0 for silence.
    tuning : float
        Deviation from A = 440 Hz in cents, -50 to 50.
    tuned : float
        Agreement of the partials on this tuning, 0 to 1.
    onsets : np.ndarray [shape=(frames, bands)], float32
        Spectral flux in each of `BANDS`, `ONSET_RATE` frames a second; frame k is centred on k / `ONSET_RATE`.
    pitches : np.ndarray [shape=(frames, notes)], float32
        Magnitude at each semitone from `LOWEST_NOTE` on.
    pitch_rate : float
        Frames of `pitches` per second.
    """

    duration: float
    power: float
    tuning: float
    tuned: float
    onsets: Samples
    pitches: Samples
    pitch_rate: float


async def extract(source: Source, mark: Mark) -> Features:
    """Compute the features of a signal in one pass.

    The onset strength is the flux of a logarithmic mel spectrogram, compared with the neighbouring bands of two
    frames before, so that vibrato makes no onsets (SuperFlux, Böck and Widmer 2013). The pitch content is the
    magnitude in semitone bands, shifted by the song's own tuning. Features take 5 kB per second, whatever the rate.

    Parameters
    ----------
    source : Source
        Channels are summed.
    mark : callable
        Called with the number of samples read so far; may raise to stop.

    Raises
    ------
    AudioError
        `audio/not-finite`.
    """
    power, tuning, tuned = await probe(source)
    rate = source.rate
    hop = rate / ONSET_RATE
    onset_size, pitch_size = (_power_of_two(rate * seconds) for seconds in (_ONSET_SECONDS, _PITCH_SECONDS))
    pitch_hop = pitch_size // 4
    mel, notes = _mel_edges(rate, onset_size), _semitones(rate, pitch_size, round(tuning, 1))
    floor = max(power, 1e-12) * _FLOOR
    onset_centres = np.round(np.arange(int(source.length / hop) + 1) * hop).astype(np.int64)
    pitch_centres = np.arange(source.length // pitch_hop + 1) * pitch_hop
    levels: list[Samples] = []
    pitches: list[Samples] = []
    done = [0, 0]
    async for start, samples in _mono_blocks(source, pitch_size, mark):
        last = start + samples.size >= source.length
        for centres, size, index in ((onset_centres, onset_size, 0), (pitch_centres, pitch_size, 1)):
            inside = len(centres) if last else int(np.searchsorted(centres, start + samples.size - size // 2))
            for spectrum in _spectra(samples, centres[done[index] : inside] - start, size):
                if index == 0:
                    bands = np.add.reduceat(spectrum[:, : mel[-1]], mel[:-1], axis=1)
                    levels.append(np.log10(1 + bands / np.float32(floor)))
                else:
                    pitches.append(np.sqrt(spectrum[:, : len(notes)]) @ notes)
            done[index] = max(done[index], inside)
    onsets = _flux(np.concatenate(levels), _band_of_mel(rate, onset_size))
    return Features(source.length / rate, power, tuning, tuned, onsets, np.concatenate(pitches), rate / pitch_hop)


async def probe(source: Source) -> tuple[float, float, float]:
    """Estimate mean power and tuning from places spread over a song.

    The tuning is the circular mean of the deviations of spectral peaks from the semitones of A = 440 Hz, each weighted
    with its magnitude (Lerch 2006).

    Returns
    -------
    tuple of float
        Mean square; tuning in cents, -50 to 50; agreement of the peaks, 0 to 1.
    """
    size = _power_of_two(source.rate * _PITCH_SECONDS)
    places = np.linspace(0, max(0, source.length - size), min(_PROBES, 1 + source.length // size)).astype(np.int64)
    total, direction, weight = 0.0, 0j, 0.0
    window = _hann(size)
    for place in places:
        samples = (await source.read(int(place), min(int(place) + size, source.length))).mean(axis=0)
        check_finite(samples)
        total += float(np.mean(samples**2))
        magnitude = np.abs(np.fft.rfft(samples * window[: samples.size], size))
        frequency, height = _peaks(magnitude, source.rate / size)
        if height.size:
            deviation = 12 * np.log2(frequency / 440)
            direction += complex(np.sum(height * np.exp(2j * np.pi * deviation)))
            weight += float(height.sum())
    mean = total / len(places)
    if weight == 0:
        return mean, 0.0, 0.0
    return mean, float(np.angle(direction) / (2 * np.pi) * 100), abs(direction) / weight


def _peaks(magnitude: Samples, width: float) -> tuple[Samples, Samples]:
    """Frequency in Hz and magnitude of the strongest partials between 80 and 2000 Hz."""
    low, high = int(80 / width), min(int(2000 / width), magnitude.size - 2)
    middle = magnitude[low:high]
    left, right = magnitude[low - 1 : high - 1], magnitude[low + 1 : high + 1]
    (found,) = np.nonzero((middle > left) & (middle >= right) & (middle > 0.05 * middle.max(initial=0) + 1e-9))
    if found.size == 0:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    a, b, c = (np.log(part[found] + 1e-12) for part in (left, middle, right))
    offset = 0.5 * (a - c) / np.minimum(a - 2 * b + c, -1e-9)
    return (found + low + offset) * width, np.sqrt(middle[found])


async def _mono_blocks(source: Source, overlap: int, mark: Mark) -> AsyncIterator[tuple[int, Samples]]:
    """Yield start and samples of blocks, channels averaged, with `overlap` samples of the block before.

    The song is padded with silence at both ends.
    """
    before = np.zeros(overlap, np.float32)
    for start in range(0, source.length, _READ):
        mark(start)
        stop = min(start + _READ, source.length)
        samples = (await source.read(start, stop)).mean(axis=0, dtype=np.float32)
        check_finite(samples)
        block = np.concatenate([before, samples])
        before = block[-overlap:]
        if stop == source.length:
            block = np.concatenate([block, np.zeros(overlap, np.float32)])
        yield start - overlap, block
    mark(source.length)


def _spectra(samples: Samples, centres: npt.NDArray[np.int64], size: int) -> Iterator[Samples]:
    """Yield batches of power spectra [shape=(n, bins)] of frames around `centres`; 1 is a sine at full scale."""
    window = _hann(size) * np.float32(2 / (size / 2))
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)
    batch = max(1, _BATCH * 2048 // size)
    for first in range(0, len(centres), batch):
        spectrum = np.fft.rfft(frames[centres[first : first + batch] - size // 2] * window)
        yield (spectrum.real**2 + spectrum.imag**2).astype(np.float32, copy=False)


def _flux(levels: Samples, band_of_mel: npt.NDArray[np.int64]) -> Samples:
    """Mean rise of the levels in each of `BANDS` [shape=(frames, bands)]."""
    padded = np.pad(levels, [(0, 0), (1, 1)], mode="edge")
    highest = np.maximum(np.maximum(padded[:, :-2], padded[:, 2:]), levels)
    flux = np.zeros((len(levels), len(BANDS)), np.float32)
    rise = np.maximum(0, levels[2:] - highest[:-2])
    for band in range(len(BANDS)):
        inside = band_of_mel == band
        if inside.any():
            flux[1:-1, band] = rise[:, inside].mean(axis=1)
    return flux


@lru_cache(maxsize=8)
def _hann(size: int) -> Samples:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)


def _power_of_two(size: float) -> int:
    return 1 << round(math.log2(size))


@lru_cache(maxsize=4)
def _mel_edges(rate: int, size: int) -> npt.NDArray[np.int64]:
    """Bins at the edges of bands of equal width on the mel scale, each at least a bin wide."""
    low, high = BANDS[0][0], min(BANDS[-1][1], 0.45 * rate)
    mels = np.linspace(2595 * math.log10(1 + low / 700), 2595 * math.log10(1 + high / 700), _MEL_BANDS + 1)
    return np.unique(np.round(700 * (10 ** (mels / 2595) - 1) * size / rate).astype(np.int64))


def _band_of_mel(rate: int, size: int) -> npt.NDArray[np.int64]:
    """The band of the onset strength that each mel band belongs to."""
    edges = _mel_edges(rate, size) * rate / size
    return np.searchsorted([high for _, high in BANDS[:-1]], (edges[:-1] + edges[1:]) / 2)


@lru_cache(maxsize=4)
def _semitones(rate: int, size: int, tuning: float) -> Samples:
    """Triangular filters, one a semitone and at least a bin wide on either side [shape=(bins, notes)]."""
    notes = np.arange(LOWEST_NOTE - 1, LOWEST_NOTE + NOTES + 1)
    edges = note_frequency(notes, tuning) * size / rate
    bins = np.arange(int(edges[-1]) + 2)
    centres, below, above = edges[1:-1, None], edges[:-2, None], edges[2:, None]
    rising = 1 - (centres - bins) / np.maximum(centres - below, 1)
    falling = 1 - (bins - centres) / np.maximum(above - centres, 1)
    return np.ascontiguousarray(np.maximum(0, np.minimum(rising, falling)).T, np.float32)


def note_frequency(note: npt.NDArray[np.int64], tuning: float) -> npt.NDArray[np.float64]:
    """Frequency in Hz of MIDI notes, `tuning` cents above A = 440 Hz."""
    frequency: npt.NDArray[np.float64] = 440 * 2 ** ((note - 69) / 12 + tuning / 1200)
    return frequency
