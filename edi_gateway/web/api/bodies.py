"""How the parts of a request are read: exactly, within bounds, with every error and its path.

The body is JSON in UTF-8 whose numbers are read as decimals, never as floats; a key given twice is an error.
`reads` wraps a view whose annotations say what it takes, so that the OpenAPI description and the check are one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from functools import wraps
from typing import Any, TypeVar, get_type_hints

from flask import Response, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from edi_gateway.web.api.errors import ApiRefusal, ErrorEntry, invalid, invalid_model

View = Callable[..., Response]
Model = TypeVar("Model", bound=BaseModel)


def reads(view: View) -> View:
    """Check path, query and body by the view's annotations before it runs. Raises ApiRefusal (400, 413, 415, 422)."""
    hints = get_type_hints(view)
    models = {name: hints[name] for name in ("path", "query", "body", "header") if name in hints}

    @wraps(view)
    def checked(**path_values: Any) -> Response:
        sources: dict[str, Callable[[], Any]] = {
            "path": lambda: path_values,
            "query": lambda: request.args.to_dict(),
            "header": _headers,
            "body": read_json,
        }
        return view(**{name: _validated(model, sources[name]()) for name, model in models.items()})

    # The framework leaves the check to a view that carries this mark.
    checked.__delay_validate_request__ = True  # type: ignore[attr-defined]  # flask-openapi3's own mark
    return checked


def _headers() -> dict[str, str]:
    return {name.lower().replace("-", "_"): value for name, value in request.headers.items()}


def _validated(model: type[Model], values: Any) -> Model:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid_model(error) from None


def read_json() -> Any:
    """The request's body as JSON. Raises ApiRefusal."""
    if not request.is_json:
        raise ApiRefusal(415, "invalid", "send the body as application/json")
    try:
        data = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise ApiRefusal(413, "too_large", f"the body is larger than {request.max_content_length} bytes") from None
    try:
        value = json.loads(
            data.decode("utf-8"), parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_unique
        )
        _refuse_half_characters(value)
        return value
    except (ValueError, RecursionError) as error:
        why = "it nests too deeply" if isinstance(error, RecursionError) else str(error)
        raise ApiRefusal(400, "invalid", f"the body is not JSON in UTF-8: {why}") from None


def _refuse_half_characters(value: Any) -> None:
    """JSON can escape half of a surrogate pair; no text holds one. Raises ValueError."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            item.encode("utf-8")
        elif isinstance(item, dict):
            waiting += [*item, *item.values()]
        elif isinstance(item, list):
            waiting += item


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise invalid([ErrorEntry(path=name, code="duplicate_key", message="the key is given twice")])
        found[name] = value
    return found
