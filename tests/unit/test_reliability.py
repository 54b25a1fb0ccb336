"""Tables of `build.py bench --reliability`, from JUnit reports."""

from __future__ import annotations

from demixer_build.paths import ROOT
from demixer_build.reliability import TABLES, cases

REPORT = """<testsuites><testsuite>
  <testcase name="test_two_hours[chromium-Spleeter]" time="12.6">
    <properties><property name="peak" value="812 MB" /></properties></testcase>
  <testcase name="test_it_goes_on[chromium]" time="1"><failure message="no" /></testcase>
  <testcase name="test_it_needs_more" time="0"><skipped message="here" /></testcase>
</testsuite></testsuites>"""


def test_a_report_becomes_rows() -> None:
    assert list(cases(REPORT)) == [
        ("two hours[Spleeter]", "passed", "13", "peak: 812 MB"),
        ("it goes on", "failed", "1", ""),
        ("it needs more", "skipped", "0", ""),
    ]


def test_the_tests_behind_the_tables_exist() -> None:
    assert all((ROOT / tests).is_file() for tests in TABLES.values())
