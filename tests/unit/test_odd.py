"""Odd files through the command line: to the last sample, and where the page has them."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from demixer.errors import AudioError
from demixer.runtimes.files import open_song, read_song
from tests.encoders import by_ffmpeg, by_libsndfile
from tests.fuzzing.units import units
from tests.odd import FOLDER, LAGS, LENGTHS, read
from tests.zoo import AAC, FLAC, RATE, VORBIS, lag, song


def put(name: str, folder: Path) -> Path:
    path = folder / name
    path.write_bytes(read(name))
    return path


@pytest.mark.parametrize("name", LENGTHS)
def test_an_odd_file_is_read_to_its_end(name: str, tmp_path: Path) -> None:
    with open_song(put(name, tmp_path)) as song:
        assert (song.length, song.loss) == (LENGTHS[name], None)
        assert np.abs(song.samples(song.length - song.rate // 4, song.length)).max() > 0.001


@pytest.mark.parametrize("name", LAGS)
def test_the_delay_is_left_out(name: str, tmp_path: Path) -> None:
    reference = read_song(FOLDER / "MP3 in WAV.wav").samples
    assert abs(lag(reference, read_song(put(name, tmp_path)).samples) - LAGS[name]) <= 1


def test_joined_songs_are_all_read(tmp_path: Path) -> None:
    first = (FOLDER / "8 kB zeros after ID3.mp3").read_bytes()
    joined = tmp_path / "joined.mp3"
    joined.write_bytes(first + bytes(100) + first)
    assert read_song(joined).length == 2 * LENGTHS["8 kB zeros after ID3.mp3"]


def test_channels_of_vorbis_come_in_the_order_of_a_wav() -> None:
    """The third channel of a WAV, low frequencies, is the quiet or dull one here: FFmpeg orders them itself."""
    ours = read_song(FOLDER / "5.1.ogg").samples
    with av.open(str(FOLDER / "5.1.ogg"), "r") as container:
        theirs = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    assert np.allclose(ours, theirs[:, : ours.shape[1]], atol=1e-4)


def test_a_damaged_frame_of_flac_is_no_noise(tmp_path: Path) -> None:
    path = tmp_path / "damaged.flac"
    for place in range(20, 100, 10):
        flac = bytearray(FLAC.encode())
        flac[len(flac) * place // 100] ^= 0x40
        path.write_bytes(flac)
        with open_song(path) as opened:
            assert opened.loss
            assert np.abs(opened.samples(0, opened.length)).max() <= np.abs(song()).max() + 1e-4


def test_what_no_song_has_is_silent(tmp_path: Path) -> None:
    for name, encoded in {
        "loud.ogg": by_libsndfile(60 * song(), RATE, "OGG", "VORBIS"),
        "loud.m4a": by_ffmpeg("ipod", [("aac", 60 * song())]),
    }.items():
        path = tmp_path / name
        path.write_bytes(encoded)
        with open_song(path) as opened:
            assert opened.loss
            assert np.abs(opened.samples(0, opened.length)).max() <= 16


def test_an_unknown_codec_is_named_as_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "unknown.m4a"
    path.write_bytes(AAC.encode().replace(b"stsd", b"free", 1))
    with pytest.raises(AudioError) as caught:
        read_song(path)
    assert caught.value.code == "audio/unsupported"


def test_an_ogg_whose_last_page_comes_first_is_read(tmp_path: Path) -> None:
    """At its end, libsndfile counts fewer samples than none."""
    *headers, first, last = units(VORBIS.encode())
    path = tmp_path / "swapped.ogg"
    path.write_bytes(b"".join(VORBIS.encode()[part.start : part.end] for part in (*headers, last, first)))
    assert read_song(path).length > RATE / 4
