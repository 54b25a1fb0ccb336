"""Data of the quality table on the About panel, from the committed report (`python build.py evaluate`)."""

from __future__ import annotations

import json
from typing import Any, Final

from demixer_build.paths import ROOT

SCORES: Final = ROOT / "docs" / "quality" / "scores.json"

#: Views of the report in order of preference: a model is shown in the first one that has scores of it.
_VIEWS: Final = ("four stems", "vocals", "drums")
_NOT_MUSIC: Final = {"synthetic"}


def table() -> list[dict[str, Any]]:
    """SDR in dB by song, then by model and preset: `[{song, seconds, rows: [{model, preset, sdr: {stem: dB}}]}]`."""
    results = json.loads(SCORES.read_text(encoding="utf-8"))["results"]
    songs = sorted({result["song"] for result in results} - _NOT_MUSIC)
    return [
        {
            "song": song,
            "seconds": next(round(result["duration"]) for result in results if result["song"] == song),
            "rows": [_row(result) for result in results if result["song"] == song],
        }
        for song in songs
    ]


def _row(result: dict[str, Any]) -> dict[str, Any]:
    model, _, preset = result["system"].partition(":")
    view = next(view for view in _VIEWS if view in result["scores"])
    sdr = {stem: scores["sdr"] for stem, scores in result["scores"][view].items()}
    return {"model": model, "preset": preset or "standard", "sdr": sdr}
