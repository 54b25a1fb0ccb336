"""Entry: `python -m demixer_build COMMAND`, called by build.py inside `.venv`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from demixer_build import commands
from demixer_build.arguments import parse
from demixer_build.errors import told_in_one_line


def main(arguments: Sequence[str]) -> int:
    """Run one command and give its exit status."""
    parsed = parse(arguments)
    with told_in_one_line():
        return int(getattr(commands, parsed.command)(parsed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
