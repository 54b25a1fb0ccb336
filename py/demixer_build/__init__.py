"""The build behind `build.py`: everything between a fresh clone and a served site. Never shipped to the browser."""
