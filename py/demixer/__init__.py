"""Music demixing: estimate the stems of a song so that they sum back to the song."""

__version__ = "0.1.0"
