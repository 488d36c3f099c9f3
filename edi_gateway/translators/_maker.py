"""Making frozen records quickly: they are most of what reading a message costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields, make_dataclass
from typing import Any, Generic, TypeVar

R = TypeVar("R")


class Maker(Generic[R]):
    """Makes a frozen, slotted record of its values: what its `__init__` does, in a third of the time.

    A frozen dataclass sets each field by a call. So a twin of the same slots, which is not frozen, is filled and then
    declared to be the record. The classes of records have no `__post_init__`; unknown names are left out.
    """

    def __init__(self, record_type: type[R]) -> None:
        own: tuple[Field[Any], ...] = fields(record_type)  # type: ignore[arg-type]  # R is a dataclass
        self.names = tuple(f.name for f in own)
        self.required = frozenset(f.name for f in own if f.default is MISSING)
        self.repeating = tuple(f.name for f in own if str(f.type).startswith("tuple"))
        self._record_type = record_type
        self._defaults = {f.name: f.default for f in own if f.name not in self.required}
        self._twin: Callable[..., Any] | None = None  # made at the first record: most processes need few of them

    def __call__(self, values: dict[str, Any]) -> R:
        """The record; a name that is not among the values has its default. Raises KeyError for a mandatory one."""
        whole = self._defaults | values
        return self.of(*[whole[name] for name in self.names])

    def of(self, *values: Any) -> R:
        """The record of all its values, in the order of its fields."""
        twin = self._twin
        if twin is None:
            name = f"_{self._record_type.__name__}"
            self._twin = twin = make_dataclass(name, self.names, slots=True, eq=False, repr=False)
        record = twin(*values)
        record.__class__ = self._record_type
        made: R = record
        return made
