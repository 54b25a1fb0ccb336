"""Our own HT-Demucs graph, built from the published weights.

Same inputs and outputs as the stock graph, same numbers, less work for the runtime. Read `network.py` first.
"""

from .network import build

__all__ = ["build"]
