"""`build.py bench --reliability`: long songs, interrupted jobs, injected faults and odd files, as tables.

Runs the tests of these, and shows the figures that they record.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from xml.etree import ElementTree

from demixer_build.bench.tables import Sheet, show
from demixer_build.paths import ROOT

#: Title of a table -> its file of tests.
TABLES: Final = {
    "Length and memory": "tests/browser/test_soak.py",
    "Interrupted and resumed": "tests/browser/test_library.py",
    "Faults of the machine": "tests/browser/test_faults.py",
    "Random messages": "tests/browser/test_fuzz.py",
    "Odd files": "tests/browser/test_zoo.py",
}


def report() -> int:
    """Run the tests and print a table for each file; return 0 when all passed."""
    failed = 0
    for title, tests in TABLES.items():
        rows = list(run(tests))
        show([Sheet(title, ("test", "outcome", "seconds", "figures"), rows)])
        failed += sum(outcome == "failed" for _, outcome, _, _ in rows)
    return int(failed > 0)


def run(tests: str) -> Iterator[tuple[str, str, str, str]]:
    """Run a file of tests; yield name, outcome, seconds and recorded figures of each test."""
    with TemporaryDirectory() as folder:
        xml = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", tests, f"--junitxml={xml}"]
        subprocess.run(command, cwd=ROOT, stdout=sys.stderr)
        yield from cases(xml.read_text(encoding="utf-8"))


def cases(xml: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield the same from a JUnit report."""
    for case in ElementTree.fromstring(xml).iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        figures = [f"{each.get('name')}: {each.get('value')}" for each in case.iter("property")]
        name = case.get("name", "").replace("[chromium-", "[").replace("[chromium]", "").replace("_", " ")
        yield name.removeprefix("test "), outcome, f"{float(case.get('time', 0)):.0f}", "\n".join(figures)
