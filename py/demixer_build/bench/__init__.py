"""`build.py bench`: speed, memory and size, as ratios measured in one run. `measure.py` reads from top to bottom."""
