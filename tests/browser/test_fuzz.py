"""Random messages: the engine worker answers each with a value or a typed error, and keeps working."""

from __future__ import annotations

from random import Random
from typing import Any, Final

import pytest

from demixer.errors import CODES
from tests.browser.engines import Engine, song, to_page
from tests.browser.watch import Watch

MESSAGES: Final = 1000

#: Values that replace others in a message.
ODD: Final[list[Any]] = [
    None,
    True,
    -1,
    0,
    1.5,
    2**53,
    1e300,
    "",
    "toString",
    "webgpu",
    "job-1",
    [],
    [[]],
    {},
    {"length": 9},
]
NAMES: Final = ["", "constructor", "extra", "0"]


def sound_requests(version: int, hpss: dict[str, Any], echo: dict[str, Any]) -> list[dict[str, Any]]:
    """One request of every type as it should be, but for its id and its song, which the harness puts in."""
    data = {
        "engine.start": {"device": "wasm", "threads": 1},
        "model.open": {"model": echo, "precision": "default"},
        "analysis.run": {
            "name": "spectrogram",
            "source": "song",
            "options": {"start": 0, "stop": 4096, "columns": 4, "rows": 8, "low": 100, "high": 10_000},
        },
        "job.run": {
            "job": "job-1",
            "song": "song",
            "folder": None,
            "model": hpss,
            "preset": "standard",
            "hop": 512,
            "raw": False,
        },
    }
    return [{"v": version, "type": kind, "data": given} for kind, given in data.items()]


def spoilt(random: Random, value: dict[str, Any]) -> dict[str, Any]:
    """The same with one thing changed, left out or added, at any depth."""
    changed = dict(value)
    key = random.choice([*changed, *NAMES])
    inner = changed.get(key)
    if random.random() < 0.15:
        changed.pop(key, None)
    elif isinstance(inner, dict) and random.random() < 0.8:
        changed[key] = spoilt(random, inner)
    else:
        changed[key] = random.choice(ODD)
    return changed


@pytest.mark.slow
def test_any_message_gets_an_answer(engine: Engine, watch: Watch, hpss: dict[str, Any], echo: dict[str, Any]) -> None:
    watch.expect("Failed to load resource")  # a model that is nowhere
    random = Random(3)
    version = engine.call("version")
    requests = sound_requests(version, hpss, echo)
    messages = []
    for number in range(MESSAGES):
        message = random.choice(requests)
        for _ in range(random.randrange(4)):
            message = spoilt(random, message)
        messages.append({**message, "id": number})
        if random.random() < 0.05:
            messages.append({"v": version, "id": number, "type": "abort"})

    replies = engine.call("storm", messages, {**requests[-1], "id": MESSAGES}, to_page(song(0.1)))

    assert sorted(reply["id"] for reply in replies) == list(range(MESSAGES + 1))
    codes = [reply["error"]["code"] for reply in replies if not reply["ok"]]
    assert set(codes) <= set(CODES)
    assert {"cancelled", "protocol/version", "model/incompatible"} <= set(codes)
    assert len(codes) < MESSAGES
    assert replies[-1]["id"] == MESSAGES
    assert replies[-1]["ok"]
