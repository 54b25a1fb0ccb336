"""Music demixing: estimates of a song's stems that sum back to the song.

`separate.separate` is the pipeline; `families` holds the architectures, `analyses` the facts that are computed from
audio, and `graphs` the conversion of published weights to ONNX. `bridge` is the entry point from the browser, `cli` the
command line. Modules import numpy and the standard library alone, `runtimes` and `cli` excepted.
"""

__version__ = "0.1.0"
