"""Entry: `python -m demixer_build COMMAND`, called by build.py inside `.venv`."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence

from demixer_build import commands
from demixer_build.arguments import parse
from demixer_build.errors import BuildError


def main(arguments: Sequence[str]) -> int:
    """Run one command; what cannot be helped here ends in one line."""
    parsed = parse(arguments)
    try:
        return int(getattr(commands, parsed.command)(parsed))
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print("error: The disk is full. Free some space, then run this again.", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
