"""Published weights to ONNX graphs, here and in the browser: numpy and the standard library alone.

`checkpoints` reads, `graph` builds, `onnx_writer` writes; an architecture is a module or package of its own. Nothing in
a file is ever run, and a file is never read whole.
"""
