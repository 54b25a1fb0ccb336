"""`build.py bench`: speed, memory and size, as ratios of one run. Start reading at `measure.py`."""
