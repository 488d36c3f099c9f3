"""How the parts of a request are read: exactly, within bounds, with every error and its path.

The body is JSON in UTF-8 whose numbers are read as decimals, never as floats; a key given twice is an error.
`reads` wraps a view whose annotations say what it takes, so that the OpenAPI description and the check are one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import wraps
from typing import Any, TypeVar, get_origin, get_type_hints

from flask import Response, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from edi_gateway.web.api import texts
from edi_gateway.web.api.errors import ApiRefusal, ErrorEntry, fault, invalid, invalid_model
from edi_gateway.web.api.texts import Filled, language

View = Callable[..., Response]
Model = TypeVar("Model", bound=BaseModel)

DEPTH_MAX = 40
"""How deeply a body may nest; a record needs six."""

WHY_CHARACTERS_MAX = 300


def reads(view: View) -> View:
    """Check path, query and body by the view's annotations before it runs. Raises ApiRefusal (400, 413, 415, 422)."""
    hints = get_type_hints(view)
    models = {name: hints[name] for name in ("path", "query", "body", "header") if name in hints}

    @wraps(view)
    def checked(**path_values: Any) -> Response:
        sources: dict[str, Callable[[], Any]] = {
            "path": lambda: path_values,
            "query": lambda: _parameters(models["query"]),
            "header": _headers,
            "body": read_json,
        }
        return view(**{name: _validated(model, sources[name]()) for name, model in models.items()})

    # The framework leaves the check to a view that carries this mark.
    checked.__delay_validate_request__ = True  # type: ignore[attr-defined]  # flask-openapi3's own mark
    return checked


def _parameters(model: type[BaseModel]) -> dict[str, Any]:
    """The query's parameters; only one whose field is a list may be given more than once."""
    lists = {name for name, info in model.model_fields.items() if get_origin(info.annotation) is list}
    given = request.args.to_dict(flat=False)
    repeated = [name for name, values in given.items() if len(values) > 1 and name not in lists]
    if repeated:
        raise invalid([fault(name, "duplicate_parameter", texts.PARAMETER_TWICE) for name in repeated])
    return {name: values if name in lists else values[0] for name, values in given.items()}


def _headers() -> dict[str, str]:
    return {name.lower().replace("-", "_"): value for name, value in request.headers.items()}


def _validated(model: type[Model], values: Any) -> Model:
    if nuls := list(_nuls(values, "")):
        raise invalid([fault(path, "nul_character", texts.NUL) for path in nuls])
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid_model(error) from None


def _nuls(value: Any, path: str) -> Iterator[str]:
    """Where a text holds NUL, which no document can carry and not every database keeps."""
    if isinstance(value, str):
        if "\0" in value:
            yield path
        return
    if isinstance(value, dict):
        if any("\0" in name for name in value):
            yield path
        entries: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list):
        entries = enumerate(value)
    else:
        return
    for name, inner in entries:
        yield from _nuls(inner, f"{path}/{name}" if path else str(name))


def read_data() -> bytes:
    """The request's body, bounded. Raises ApiRefusal (413)."""
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise ApiRefusal(413, Filled(texts.TOO_LARGE, {"bytes": request.max_content_length})) from None


def read_json() -> Any:
    """The request's body as JSON. Raises ApiRefusal (400, 413, 415, 422)."""
    if not request.is_json:
        raise ApiRefusal(415, texts.JSON_EXPECTED)
    data = read_data()
    try:
        value = json.loads(
            data.decode("utf-8"), parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_unique
        )
        _look_through(value)
        return value
    except (ValueError, RecursionError) as error:
        why = "it nests too deeply" if isinstance(error, RecursionError) else str(error)
        raise ApiRefusal(400, Filled(texts.NOT_JSON, {"why": why[:WHY_CHARACTERS_MAX]})) from None


def _look_through(value: Any) -> None:
    """Half of a surrogate pair, which JSON can escape and no text holds, and what nests deeper than any record does.

    Raises ValueError.
    """
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if depth > DEPTH_MAX:
            raise ValueError("it nests too deeply")
        if isinstance(item, str):
            item.encode("utf-8")
        elif isinstance(item, dict):
            waiting += [(inner, depth + 1) for inner in (*item, *item.values())]
        elif isinstance(item, list):
            waiting += [(inner, depth + 1) for inner in item]


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise invalid([ErrorEntry(path=name, code="duplicate_key", message=texts.KEY_TWICE.said(language()))])
        found[name] = value
    return found
