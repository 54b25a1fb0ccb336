"""Splits an unpickled checkpoint into named tensors and plain values."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

import numpy as np

from demixer.graphs.pickles import Global, Inert, PickledArray, Storage, Tensor, Type
from demixer.graphs.reading import damaged, unsupported

#: Keys of the network's state in files that hold more, as Lightning, Demucs and others write them.
_STATES: Final = ("state_dict", "state", "model_state_dict", "model")
_DEEPEST: Final = 64
_MOST_VALUES: Final = 100_000
_MOST_TENSORS: Final = 100_000
_LONGEST_TEXTS: Final = 16 << 20

Stored = Tensor | PickledArray


def split(content: object) -> tuple[dict[str, Stored], dict[str, object]]:
    """Separate the tensors of the network from everything else.

    Parameters
    ----------
    content : object
        From `unpickle`.

    Returns
    -------
    tensors : dict of str to Tensor or PickledArray
        By the names that training code gave them. Where the file has a state of the network among other things, only
        that state; else every tensor, named by the way to it, joined with dots.
    metadata : dict
        The rest, as `plain` values.
    """
    state, rest = content, {}
    if isinstance(content, dict):
        for name in _STATES:
            if isinstance(content.get(name), dict | Inert):
                state = content[name]
                rest = {key: value for key, value in content.items() if key != name}
                break
        else:
            rest = {key: value for key, value in content.items() if not _is_tensor(value)}
    named = _Tensors()
    named.add(state, "", 0)
    metadata = _Plain().value(rest, 0)
    assert isinstance(metadata, dict)
    return named.found, metadata


def _is_tensor(value: object) -> bool:
    return isinstance(value, Tensor) or (isinstance(value, PickledArray) and value.dtype is not None)


class _Tensors:
    """Every tensor inside a value, by name."""

    def __init__(self) -> None:
        self.found: dict[str, Stored] = {}
        self._above: set[int] = set()  # containers around the current value
        self._count = 0

    def add(self, value: object, name: str, depth: int) -> None:
        self._count += 1
        if self._count > _MOST_TENSORS or depth > _DEEPEST:
            raise unsupported("it has too many values, or too deeply nested ones")
        if isinstance(value, Tensor) or (isinstance(value, PickledArray) and value.dtype is not None):
            if name in self.found:
                raise damaged(f"it has two tensors {name[:100]}")
            self.found[name] = value
            return
        if isinstance(value, Inert) and value.name.startswith("torch._") and "rebuild" in value.name:
            kind = ", ".join(str(part) for part in (value.name, *value.arguments) if isinstance(part, str | Global))
            raise unsupported(f"tensor {name[:100]} is of a kind that is not read ({kind})")
        if id(value) in self._above:
            return
        self._above.add(id(value))
        for key, part in _parts(value):
            self.add(part, f"{name}.{key}" if name and key else name or key, depth + 1)
        self._above.remove(id(value))


def _parts(value: object) -> Iterable[tuple[str, object]]:
    if isinstance(value, dict):
        return ((str(key)[:1000], part) for key, part in value.items() if isinstance(key, str | int))
    if isinstance(value, list | tuple):
        return ((str(index), part) for index, part in enumerate(value))
    if isinstance(value, Inert) and isinstance(value.state, dict):  # a whole `torch.nn.Module`
        return (("", value.state[part]) for part in ("_parameters", "_buffers", "_modules") if part in value.state)
    return ()


class _Plain:
    """Conversion to values that could stand in JSON, but for sets, tuples, bytes, fractions and numpy scalars.

    A file can nest one list in another many times over, so that a few bytes stand for billions of values: what is
    counted is the values as a reader of the result would meet them.
    """

    def __init__(self) -> None:
        self._count = 0
        self._length = 0  # of texts
        self._above: set[int] = set()

    def value(self, value: object, depth: int) -> object:
        """A plain value; None for a tensor, and for a container inside itself."""
        self._count += 1
        if isinstance(value, str | bytes):
            self._length += len(value)
        if self._count > _MOST_VALUES or self._length > _LONGEST_TEXTS or depth > _DEEPEST:
            raise unsupported("it has too many values beside its tensors, or too deeply nested ones")
        if value is None or isinstance(value, bool | int | float | str | bytes | Fraction | np.generic):
            return value
        if isinstance(value, Global):
            return str(value)
        if isinstance(value, Tensor | PickledArray | Storage | Type) or id(value) in self._above:
            return None
        self._above.add(id(value))
        result = self._container(value, depth + 1)
        self._above.remove(id(value))
        return result

    def _container(self, value: object, depth: int) -> object:
        if isinstance(value, dict):
            return {self._key(key, depth): self.value(part, depth) for key, part in value.items()}
        if isinstance(value, list):
            return [self.value(part, depth) for part in value]
        if isinstance(value, tuple):
            return tuple(self.value(part, depth) for part in value)
        if isinstance(value, set | frozenset):
            return {self._key(part, depth) for part in value}
        assert isinstance(value, Inert), type(value)
        return self._object(value, depth)

    def _key(self, key: object, depth: int) -> object:
        if isinstance(key, Inert | Tensor):  # hashable by identity alone
            return f"<{key.name if isinstance(key, Inert) else 'tensor'} {self._count}>"
        return self.value(key, depth)

    def _object(self, value: Inert, depth: int) -> object:
        """An object of a foreign class: a dict or list where it is one in all but its class, else its parts."""
        state = value.state
        if value.name.startswith("omegaconf.") and isinstance(state, dict):  # configurations, in Lightning's files
            return self.value(state.get("_content", state.get("_val")), depth)
        if value.name == "argparse.Namespace" and isinstance(state, dict):
            return self.value(state, depth)
        if value.items and not value.values:
            return self.value(value.items, depth)
        if value.values and not value.items:
            return self.value(value.values, depth)
        parts: dict[object, object] = {"class": value.name}
        if value.arguments:
            parts["arguments"] = value.arguments
        if state is not None:
            parts["state"] = state
        return self.value(parts, depth)
