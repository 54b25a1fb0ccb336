"""HT-Demucs from a checkpoint to an ONNX graph.

`architecture` reads off a checkpoint which network it is, `weights` gives its tensors by their role, and `network`
writes the graph; start there. `forms` are ways to write the same function for different devices.

Reference: S. Rouard, F. Massa, A. Défossez, "Hybrid Transformers for Music Source Separation", ICASSP 2023, and its
implementation, `demucs.htdemucs` of PyPI's `demucs` 4.1.0.
"""
