"""The scripts run in Safari 17 and Firefox ESR: what these may lack is asked for in one place; nothing is newer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

WEB: Final = Path(__file__).parents[2] / "web"

#: What a browser may lack -> the files that know what to do then.
GUARDED: Final = {
    r"navigator\.storage": {"library/opfs.js", "library/space.js", "platform/storage.js"},
    r"createSyncAccessHandle|createWritable": {"library/opfs.js"},
    r"SharedArrayBuffer": {"engine/devices/candidates.js"},
    r"navigator\.gpu": {"engine/devices/candidates.js"},
    r"AbortSignal\.any": {"base/waiting.js"},
    r"navigator\.wakeLock": {"platform/wake-lock.js"},
    r"\bNotification\.": {"platform/notification.js"},
    r"launchQueue": {"platform/launch.js"},
    r"mediaSession": {"platform/media-keys.js"},
    r"showSaveFilePicker": {"export/page/save.js"},
}

#: Younger than Safari 17 or Firefox ESR, or in one browser only.
TOO_NEW: Final = (
    r"Array\.fromAsync",
    r"Promise\.(withResolvers|try)",
    r"(Object|Map)\.groupBy",
    r"\bIterator\.",
    r"\.(keys|values|entries)\(\)\s*\.(map|filter|flatMap|take|drop|reduce|toArray|forEach|some|every|find)\(",
    r"\.(union|intersection|difference|symmetricDifference|isSubsetOf|isSupersetOf|isDisjointFrom)\(",
    r"\b(from|to)(Base64|Hex)\(",
    r"\bFloat16Array\b",
    r"ReadableStream\.from",
    r"URL\.parse",
    r"RegExp\.escape",
    r"\.bytes\(\)",
    r"Symbol\.(asyncD|d)ispose",
    r"requestIdleCallback|\bscheduler\.",
)


def scripts() -> dict[str, str]:
    """The code of each script, without comments."""
    comment = re.compile(r"/\*.*?\*/|(?<!:)//[^\n]*", re.DOTALL)
    paths = [path for path in WEB.rglob("*.js") if not {"node_modules", "vendor"} & set(path.relative_to(WEB).parts)]
    return {path.relative_to(WEB).as_posix(): comment.sub("", path.read_text(encoding="utf-8")) for path in paths}


@pytest.mark.parametrize("feature", GUARDED)
def test_what_a_browser_may_lack_is_asked_for_in_one_place(feature: str) -> None:
    assert {path for path, code in scripts().items() if re.search(feature, code)} == GUARDED[feature]


@pytest.mark.parametrize("feature", TOO_NEW)
def test_nothing_newer_is_used(feature: str) -> None:
    assert [path for path, code in scripts().items() if re.search(feature, code)] == []
