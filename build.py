#!/usr/bin/env python3
"""The one command: `python build.py run | test | check | site | bench | evaluate | clean`. Starts on a bare Python."""

import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036  (older ones are told so, instead of failing on the syntax)
    sys.exit("error: Demixer needs Python 3.11 or newer; this is " + sys.version.split()[0] + ".")

sys.path.insert(0, str(Path(__file__).resolve().parent / "py"))

from demixer_build.environment import enter

if __name__ == "__main__":
    enter(sys.argv[1:])
