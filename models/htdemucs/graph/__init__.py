"""The graph of HT-Demucs, built from the published weights; start with `network.py`.

It has the inputs, outputs and numbers of the published graph, with less work for the runtime.
"""

from .network import build

__all__ = ["build"]
