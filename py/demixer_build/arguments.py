"""The command line of `build.py`. Standard library only: it is read before anything is installed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; `command` names a function of `demixer_build.commands`."""
    parser = argparse.ArgumentParser(prog="build.py", description="Set Demixer up, run it, test it.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="set everything up and serve the app on this machine")
    run.add_argument("--port", type=int, default=8000, help="where to serve (default: %(default)s)")
    run.add_argument("--no-open", action="store_true", help="do not open a browser")

    test = commands.add_parser(
        "test", allow_abbrev=False, help="set everything up, then check and test; other arguments go to pytest"
    )
    test.add_argument("--fast", action="store_true", help="leave out the slow tests")
    test.add_argument("--soak", action="store_true", help="the long runs too: hours of music, minutes to an hour")

    commands.add_parser("check", help="formatting, lint and types of Python and JavaScript")
    site = commands.add_parser("site", help="build dist/, a static site for any host that can set headers")
    site.add_argument(
        "--precision",
        action="extend",
        type=lambda text: text.split(","),
        metavar="LIST",
        help="include only these weights, such as `default` (default: all)",
    )
    site.add_argument(
        "--compress",
        choices=("br", "gz", "both"),
        default="br",
        help="compressed forms to lay beside the files (default: %(default)s, which every browser takes over HTTPS)",
    )
    commands.add_parser(
        "evaluate",
        help="separation quality: of every model on the music at hand, into docs/quality/; or `demixer evaluate` "
        "with the arguments given",
    )
    bench = commands.add_parser("bench", help="speed, memory and size, as ratios measured in one run")
    bench.add_argument("--json", type=Path, metavar="FILE", help="write the figures there instead of showing tables")
    bench.add_argument("--quick", action="store_true", help="under 5 minutes instead of under 30")
    bench.add_argument("--reliability", action="store_true", help="long songs and failing machines instead, for hours")
    commands.add_parser("clean", help="remove what was built; keeps .venv and the downloads")

    parsed, rest = parser.parse_known_args(arguments)
    if rest and parsed.command not in ("test", "evaluate"):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    parsed.rest = rest
    return parsed
