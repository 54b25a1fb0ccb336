"""Progress of set-up on the console."""

from __future__ import annotations

import sys
import time

import pytest

from demixer_build.console import stage, step


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.delenv("DEMIXER_BUILD_STAGE", raising=False)
    return now


def test_steps_carry_the_number_of_their_stage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEMIXER_BUILD_STAGE", "")  # undone after the test
    stage(2, 9)
    with step("Installing", 20):
        pass
    with step("Copying"):
        pass
    assert capsys.readouterr().out.splitlines() == ["[2/9] Installing (about 20 s)", "[2/9] Copying"]


def test_progress_and_the_time_left_are_shown_at_intervals(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with step("Downloading") as shown:
        for second in range(1, 31):
            clock[0] = second
            shown.progress(second, 60, "MB")
    with step("Converting", 40) as shown:
        clock[0] += 15
        shown.detail("layer 3")
    assert capsys.readouterr().out.splitlines() == [
        "Downloading",
        "  Downloading: about 50 s left, 10 of 60 MB",
        "  Downloading: about 40 s left, 20 of 60 MB",
        "  Downloading: about 30 s left, 30 of 60 MB",
        "Converting (about 40 s)",
        "  Converting: about 25 s left, layer 3",
    ]


def test_a_terminal_shows_one_line_for_a_step(
    clock: list[float], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with step("Compressing") as shown:
        clock[0] = 2
        shown.progress(1, 4)
    out = capsys.readouterr().out
    assert "Compressing: about 6 s left, 25 %" in out
    assert out.endswith("Compressing (2 s)\n")
