"""Hybrid Transformer Demucs (Rouard, Massa and Défossez 2023): one network on waveform and spectrogram.

The network takes and returns complex spectrograms as channels ("CaC", Choi et al. 2020), real and imaginary
part of each audio channel side by side. The transform stays outside of the graph, because WebGPU has none.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from demixer.audio import Samples
from demixer.families import Setup, register
from demixer.normalisation import Normalisation
from demixer.runtime import Float, Session
from demixer.stft import STFT

STEMS: Final = 4
RATE: Final = 44_100
SEGMENT: Final = 343_980  # 7.8 s, the length that the published networks were trained on
TRANSFORM: Final = STFT(n_fft=4096, hop=1024, normalized=True)
FRAMES: Final = -(-SEGMENT // TRANSFORM.hop)

# A segment is padded so that frame k covers the samples from k hops on, like a strided convolution. The outermost
# frames, which see mostly padding, and the highest bin are dropped.
PAD: Final = (TRANSFORM.n_fft - TRANSFORM.hop) // 2
OUTER: Final = 2
BINS: Final = TRANSFORM.bins - 1


class HTDemucs:
    """HT-Demucs, with a graph of `demixer.graphs.htdemucs`.

    Parameters
    ----------
    session : Session
        Takes `mixture` [1, 2, segment] and `spectrogram` [1, 4, BINS, frames]; returns `spectrograms`
        [1, stems, 4, BINS, frames] and `waveforms` [1, stems, 2, segment].
    stems : int
    segment : int
        Samples of a segment.
    """

    rate = RATE

    def __init__(self, session: Session, stems: int = STEMS, segment: int = SEGMENT) -> None:
        self._session = session
        self.stems = stems
        self.segment = segment

    def normalisation(self, measured: Normalisation) -> Normalisation:
        """The song's own, as the reference implementation removes it."""
        return measured

    async def separate(self, mixture: Samples) -> Samples:
        """Separate one segment [shape=(2, segment)] into its stems [shape=(stems, 2, segment)]."""
        estimate = await self._session.run({"mixture": mixture[None], "spectrogram": analyse(mixture)[None]})
        stems: Samples = estimate["waveforms"][0]
        for stem, channels in zip(stems, estimate["spectrograms"][0], strict=True):
            stem += synthesise(channels, self.segment)
        return stems


@register("htdemucs", networks=1)
def create(setup: Setup) -> HTDemucs:
    """Make the family from its network."""
    (session,) = setup.sessions
    return HTDemucs(session, setup.model.targets, round(setup.model.segment * RATE))


def analyse(mixture: Samples) -> Float:
    """Spectrogram of a segment in the form that the network takes.

    Parameters
    ----------
    mixture : np.ndarray [shape=(2, segment)], float32

    Returns
    -------
    np.ndarray [shape=(4, BINS, frames)], float32
        Real and imaginary part of the left channel, then of the right.
    """
    segment = mixture.shape[1]
    frames = -(-segment // TRANSFORM.hop)
    embedded = np.pad(mixture, [(0, 0), (PAD, PAD + frames * TRANSFORM.hop - segment)], mode="reflect")
    spectrum = TRANSFORM.stft(embedded)[:, :BINS, OUTER : OUTER + frames]
    channels = np.empty((2, 2, BINS, frames), np.float32)
    channels[:, 0] = spectrum.real
    channels[:, 1] = spectrum.imag
    return channels.reshape(4, BINS, frames)


def synthesise(channels: Float, segment: int = SEGMENT) -> Samples:
    """Waveform of one stem's spectrogram from the network: the inverse of `analyse`.

    Parameters
    ----------
    channels : np.ndarray [shape=(4, BINS, frames)], float32
    segment : int
        Samples to return.

    Returns
    -------
    np.ndarray [shape=(2, segment)], float32
    """
    frames = channels.shape[-1]
    embedded = frames * TRANSFORM.hop + 2 * PAD
    inner = slice(OUTER, OUTER + frames)
    waves = np.empty((2, segment), np.float32)
    for wave, (real, imaginary) in zip(waves, channels.reshape(2, 2, BINS, frames), strict=True):
        # One channel at a time halves the memory; the inverse transform reads contiguous bins.
        spectrum = np.zeros((TRANSFORM.frames(embedded), TRANSFORM.bins), np.complex64).T
        spectrum.real[:BINS, inner] = real
        spectrum.imag[:BINS, inner] = imaginary
        wave[:] = TRANSFORM.istft(spectrum, embedded)[PAD : PAD + segment]
    return waves
