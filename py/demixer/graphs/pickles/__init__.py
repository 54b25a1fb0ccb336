"""A pickle machine that builds values and calls nothing.

A pickle is a program, and Python's own unpickler runs whatever function it names. This machine shares no code with
it. It interprets the opcodes of protocols 1 to 5; a name in the pickle becomes a `Global`, which is two strings, and
nothing is ever imported. "Calling" a `Global` looks its name up in the table of `builders`, functions that build plain
values, tensors and storages from arguments they have checked; any other name becomes an `Inert` object, which keeps its
arguments and its state and has no behaviour.

Everything is bounded, in `limits`: the pickle's length, opcodes, containers, values copied from one container to
another, lengths of integers and names, and keys whose hashes a file can make collide. A length is compared with what is
left of the file before anything is allocated.
"""

from demixer.graphs.pickles.limits import LONGEST
from demixer.graphs.pickles.machine import unpickle
from demixer.graphs.pickles.values import Global, Inert, PickledArray, Storage, Tensor, Type

__all__ = ["LONGEST", "Global", "Inert", "PickledArray", "Storage", "Tensor", "Type", "unpickle"]
