"""What a pickle is read into, besides Python's own plain values."""

from __future__ import annotations

from dataclasses import dataclass, field

from demixer.graphs.dtypes import Array, Shape, decode, elements


@dataclass(frozen=True, slots=True)
class Global:
    """A name in a module, never resolved."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False, slots=True)
class Inert:
    """An object of a class that is not known here.

    Parameters
    ----------
    kind : Global
        The class, or the function that was to make the object.
    arguments : tuple
    state : object
        The object's attributes, mostly.
    items : dict
        Entries of what was a mapping.
    values : list
        Elements of what was a sequence or a set.
    """

    kind: Global
    arguments: tuple[object, ...] = ()
    state: object = None
    items: dict[object, object] = field(default_factory=dict)
    values: list[object] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.kind)


@dataclass(frozen=True, eq=False, slots=True)
class Storage:
    """The memory that tensors are views of.

    Parameters
    ----------
    key : str
        Name of the data in the file.
    dtype : str, optional
        None for bytes without a type.
    start, count : int
        Position in the data and length, in elements.
    """

    key: str
    dtype: str | None
    start: int
    count: int


@dataclass(frozen=True, eq=False, slots=True)
class Tensor:
    """A view of a storage; offset and strides are in elements."""

    storage: Storage
    dtype: str
    offset: int
    shape: Shape
    strides: Shape


@dataclass(eq=False, slots=True)
class Type:
    """A dtype of numpy; `dtype` is None for one that is not read."""

    dtype: str | None
    big_endian: bool = False


@dataclass(eq=False, slots=True)
class PickledArray:
    """An array of numpy whose data are inside the pickle; `dtype` is None for one that is not read."""

    dtype: str | None = None
    shape: Shape = ()
    big_endian: bool = False
    column_major: bool = False
    data: bytes = b""

    def array(self) -> Array:
        assert self.dtype is not None
        stored = elements(self.data, self.dtype, big_endian=self.big_endian)
        return decode(stored.reshape(self.shape, order="F" if self.column_major else "C"), self.dtype)
