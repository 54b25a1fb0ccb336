"""FluidSynth, a soundfont and MIDI files from Debian, which render the music that analyses are tested on."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from demixer_build import debian
from demixer_build.console import say
from demixer_build.errors import BuildError

_PACKAGES: Final = ("fluidsynth", "timgm6mb-soundfont", "openttd-openmsx")
_NEEDED: Final = (Path("/usr/share/sounds/sf2/TimGM6mb.sf2"), Path("/usr/share/games/openttd/baseset/openmsx"))


def ensure() -> None:
    """Install what is missing, as root on Debian; elsewhere report that tests are skipped."""
    if _is_there():
        return
    if debian.can_install():
        try:
            debian.install("Installing FluidSynth and music from Debian", *_PACKAGES)
        except BuildError as error:
            say(str(error))
    if not _is_there():
        say(f"Tests on music are skipped: they need Debian's {', '.join(_PACKAGES)}.")


def _is_there() -> bool:
    return shutil.which("fluidsynth") is not None and all(path.exists() for path in _NEEDED)
