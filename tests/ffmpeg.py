"""The two commands that stempeg calls, for machines without them: FFmpeg's own binary, and its libraries' ffprobe."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def ffmpeg_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put `ffmpeg` and `ffprobe` where commands are found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    ffprobe = folder / "ffprobe"
    ffprobe.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m tests.ffmpeg "$@"\n')
    ffprobe.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def probe(path: str) -> dict[str, Any]:
    """Tell of the audio streams of a file what `ffprobe -show_streams` does, as far as stempeg asks."""
    with av.open(path) as container:
        streams = [
            {
                "index": stream.index,
                "codec_type": stream.type,
                "sample_rate": stream.rate,
                "channels": stream.channels,
                "duration_ts": stream.duration,
                "duration": stream.duration and stream.time_base and float(stream.duration * stream.time_base),
                "tags": dict(stream.metadata),
            }
            for stream in container.streams.audio
        ]
    return {"streams": streams}


if __name__ == "__main__":
    json.dump(probe(sys.argv[-1]), sys.stdout)
