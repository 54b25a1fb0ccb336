"""The command line of `build.py`. Standard library only: it is parsed before anything is installed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; `command` names a function of `demixer_build.commands`."""
    parser = argparse.ArgumentParser(prog="build.py", description="Set Demixer up, run it, test it.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="set everything up and serve the app on this machine")
    run.add_argument("--port", type=int, default=8000, help="where to serve (default: %(default)s)")
    run.add_argument("--no-open", action="store_true", help="do not open a browser")

    test = commands.add_parser(
        "test", allow_abbrev=False, help="set everything up, then check and test; other arguments go to pytest"
    )
    test.add_argument("--fast", action="store_true", help="leave out the slow tests")
    test.add_argument("--soak", action="store_true", help="run the long tests too: hours of music, up to an hour")

    commands.add_parser("check", help="check formatting, lint and types of Python and JavaScript")
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
        help="compressed forms to store beside the files (default: %(default)s, accepted by every browser over HTTPS)",
    )
    commands.add_parser(
        "evaluate",
        help="measure the separation quality of every model on the music at hand, into docs/quality/; arguments go to "
        "`demixer evaluate`",
    )
    bench = commands.add_parser("bench", help="measure speed, memory and size, as ratios of one run")
    bench.add_argument("--json", type=Path, metavar="FILE", help="write the figures there instead of showing tables")
    bench.add_argument("--quick", action="store_true", help="under 5 minutes instead of under 30")
    bench.add_argument("--reliability", action="store_true", help="run long songs and inject faults instead, for hours")
    commands.add_parser("clean", help="remove build products; keeps .venv and the downloads")

    parsed, rest = parser.parse_known_args(arguments)
    if rest and parsed.command not in ("test", "evaluate"):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    parsed.rest = rest
    return parsed
