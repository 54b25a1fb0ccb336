"""Entry point: `python -m demixer_build COMMAND`, called by `build.py` inside `.venv`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from demixer_build import commands
from demixer_build.arguments import parse
from demixer_build.errors import exit_with_one_line


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status."""
    parsed = parse(arguments)
    with exit_with_one_line():
        return int(getattr(commands, parsed.command)(parsed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
