"""Read a TOML text against a pydantic model and name every fault: file, key, reason, what is expected.

Used for `gateway.toml` and `partners/<name>/partner.toml`. Pure: text in, a model or problems out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

TEXT_CHARACTERS_MAX = 1_000_000
"""A configuration file longer than this is not one."""

SECRET_KEYS = frozenset({"api_token", "key_passphrase", "smtp_password"})
"""Keys whose values no error shows."""

ModelT = TypeVar("ModelT", bound=BaseModel)


class Section(BaseModel):
    """One table of a file: unknown keys are refused, and it does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a configuration: where it stands, why it is refused, what would be accepted."""

    file: str
    key: str  # dotted, such as as2.signing_certificates[1].file; "" for the whole file
    reason: str
    expected: str = ""

    def __str__(self) -> str:
        where = f"{self.file}: {self.key}" if self.key else self.file
        return f"{where}: {self.reason}" + (f" (expected: {self.expected})" if self.expected else "")

    def as_json(self) -> dict[str, str]:
        return {"file": self.file, "key": self.key, "reason": self.reason, "expected": self.expected}


def parse(text: str, file: str) -> dict[str, Any] | Problem:
    """The tables of a TOML text, numbers with a point as Decimal (never float)."""
    if len(text) > TEXT_CHARACTERS_MAX:
        return Problem(file, "", "the file is too long", f"at most {TEXT_CHARACTERS_MAX} characters")
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        return Problem(file, "", f"not TOML: {error}", "TOML 1.0, UTF-8")
    except RecursionError:
        return Problem(file, "", "not TOML: nested too deeply", "TOML 1.0, UTF-8")


def validate(data: Mapping[str, Any], model: type[ModelT], file: str, context: object = None) -> ModelT | list[Problem]:
    """The model filled with the data, or every fault of it. `context` is what the model's validators may look at."""
    try:
        return model.model_validate(data, context=context)
    except ValidationError as error:
        details = error.errors(include_url=False)
        return [_problem(detail, model, file) for detail in details if not _follows_from_another(detail, details)]


def _follows_from_another(detail: ErrorDetails, details: Sequence[ErrorDetails]) -> bool:
    """Whether pydantic says this only because it refused another value: a list is too short without its bad items."""
    location = detail["loc"]
    within = any(len(other["loc"]) > len(location) and other["loc"][: len(location)] == location for other in details)
    return detail["type"] == "default_factory_not_called" or (detail["type"] == "too_short" and within)


def key_path(location: Sequence[int | str]) -> str:
    """`("as2", "signing_certificates", 0, "file")` as `as2.signing_certificates[1].file`: counted from 1."""
    path = ""
    for step in location:
        path += f"[{step + 1}]" if isinstance(step, int) else f".{step}"
    return path.removeprefix(".")


def _problem(detail: ErrorDetails, model: type[BaseModel], file: str) -> Problem:
    location = detail["loc"]
    key = key_path(location)
    match detail["type"]:
        case "extra_forbidden":
            return Problem(file, key, "unknown key", _known_keys(model, location))
        case "missing":
            return Problem(file, key, "missing", _description(model, location))
        case "value_error":  # our own validators: "reason; expected"
            reason, _, expected = str(detail["ctx"]["error"]).partition("; ")
            return Problem(file, key, reason, expected)
        case _:
            return Problem(file, key, f"{_shown(detail['input'], location)} is refused", _lowered(detail["msg"]))


def _known_keys(model: type[BaseModel], location: Sequence[int | str]) -> str:
    owner = _model_at(model, location[:-1])
    if owner is None:
        return ""
    near = get_close_matches(str(location[-1]), owner.model_fields, n=1)
    return f"did you mean {near[0]}?" if near else "one of " + ", ".join(sorted(owner.model_fields))


def _description(model: type[BaseModel], location: Sequence[int | str]) -> str:
    owner = _model_at(model, location[:-1])
    found = owner.model_fields.get(str(location[-1])) if owner else None
    return (found.description or "") if found else ""


def _model_at(model: type[BaseModel], location: Sequence[int | str]) -> type[BaseModel] | None:
    """The model whose keys stand at a location, or None where the location leaves the models."""
    current: type[BaseModel] | None = model
    for step in location:
        if isinstance(step, int):
            continue
        found = current.model_fields.get(step) if current else None
        current = _model_within(found.annotation) if found else None
    return current


def _model_within(annotation: Any) -> type[BaseModel] | None:
    """The pydantic model inside `Model`, `Model | None`, `tuple[Model, ...]` or `dict[str, Model]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_within(part))), None)


def _shown(value: object, location: Sequence[int | str]) -> str:
    """A value as a problem quotes it: short, and never a secret."""
    if location and location[-1] in SECRET_KEYS:
        return "this value"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _lowered(message: str) -> str:
    return message.removeprefix("Input should be ").removeprefix("Value error, ")
