"""The commands of `build.py`: functions of the same names, which return the exit status."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from argparse import Namespace
from collections.abc import Collection
from pathlib import Path
from typing import Final

from demixer_build import browser, checks, models, node, server, synthesizer, vendor
from demixer_build import site as site_
from demixer_build.console import say, stage
from demixer_build.environment import STAGES
from demixer_build.paths import DIST, NODE_MODULES, ROOT, STATE, VENDOR

_IN_PARALLEL: Final = (
    *("-n", str(min(os.cpu_count() or 1, 4))),
    *("--dist", "loadfile", "--no-loadscope-reorder"),
)
"""Runs the files of tests in their order, one on each core; browsers use several cores, hence the limit."""


def run(arguments: Namespace) -> int:
    """Set everything up and serve the app."""
    _build_site(STAGES["run"])
    server.serve(DIST, arguments.port, open_page=not arguments.no_open)
    return 0


def test(arguments: Namespace) -> int:
    """Set everything up, check, then run the tests, whose summary ends the output."""
    total = STAGES["test"]
    _build_site(total, tools=True)
    stage(7, total)
    browser.ensure()
    if not arguments.fast:
        browser.ensure_engines()
    synthesizer.ensure()
    stage(8, total)
    clean_code = checks.check()
    say(f"[{total}/{total}] Testing")
    left_out = [kind for kind, out in (("slow", arguments.fast), ("soak", not arguments.soak)) if out]
    selection = ["-m", " and ".join(f"not {kind}" for kind in left_out)] if left_out else []
    if arguments.fast:
        selection.append("--hypothesis-profile=fast")
    tests = subprocess.run([sys.executable, "-m", "pytest", *selection, *_IN_PARALLEL, *arguments.rest], cwd=ROOT)
    return tests.returncode or int(not clean_code)


def check(_: Namespace) -> int:
    """Check formatting, lint and types."""
    stage(2, STAGES["check"])
    node.install(tools=True)
    stage(3, STAGES["check"])
    vendor.update()  # for the types of the page's libraries
    stage(4, STAGES["check"])
    return int(not checks.check())


def site(arguments: Namespace) -> int:
    """Build dist/."""
    codings = {"br": ["br"], "gz": ["gzip"], "both": ["br", "gzip"]}[arguments.compress]
    _build_site(STAGES["site"], precisions=arguments.precision, codings=codings)
    return 0


def _build_site(
    total: int, *, tools: bool = False, precisions: Collection[str] | None = None, codings: Collection[str] = ("br",)
) -> None:
    """Run stages 2 to 6 of `total`."""
    stage(2, total)
    node.install(tools=tools)
    stage(3, total)
    vendor.update()
    stage(4, total)
    manifest = models.build()
    stage(5, total)
    contents = site_.build(manifest, precisions)
    stage(6, total)
    site_.write(contents, codings)


def evaluate(arguments: Namespace) -> int:
    """Measure separation quality; without arguments, regenerate docs/quality/."""
    from demixer_build import evaluation  # its dependencies are not installed for every command

    _build_site(STAGES["evaluate"])
    given = arguments.rest
    if not given:
        systems = [part for system in evaluation.SYSTEMS for part in ("--model", system)]
        given = [*map(str, evaluation.songs_at_hand()), "-o", str(evaluation.REPORT), *systems]
    return subprocess.run([Path(sys.executable).with_name("demixer"), "evaluate", *given]).returncode


def bench(arguments: Namespace) -> int:
    """Measure speed, memory and size; or, with `--reliability`, run long songs and inject faults."""
    from demixer_build import reliability  # their dependencies are not installed for every command
    from demixer_build.bench import measure, plot, report, tables

    _build_site(STAGES["bench"])
    stage(7, STAGES["bench"])
    browser.ensure()
    if arguments.reliability:
        return reliability.report()
    measured = measure.measure(quick=arguments.quick)
    if arguments.json:
        arguments.json.write_text(json.dumps(report.as_json(measured), indent=2) + "\n", encoding="utf-8")
        return 0
    tables.show(tables.sheets(measured))
    drawn = STATE / "bench" / "ratios.svg"
    drawn.write_text(plot.chart(plot.ratios(measured), "Run time of our graphs relative to the published one"), "utf-8")
    say(f"Chart of the ratios: {drawn.relative_to(ROOT)}")
    return 0


def clean(_: Namespace) -> int:
    """Remove build products, and keep the downloads."""
    for folder in (DIST, VENDOR, NODE_MODULES, STATE):
        shutil.rmtree(folder, ignore_errors=True)
    say("Removed dist/, web/vendor/, web/node_modules/ and .build/; .venv and the downloads are kept.")
    return 0
