"""What every test relies on."""

from __future__ import annotations

from hypothesis import settings

# The same examples on every run and machine, and no verdict by the clock.
settings.register_profile("demixer", derandomize=True, deadline=None, database=None, max_examples=60)
settings.load_profile("demixer")
