"""How a route is declared: its scope, what it answers and how it refuses stand beside the view, and nowhere else.

From these rows come the check of the token and of the request before the view runs, and the OpenAPI description.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models import Tag
from pydantic import BaseModel

from edi_gateway.gateway.tokens import Scope
from edi_gateway.web.api.access import require
from edi_gateway.web.api.bodies import reads

View = Callable[..., Response]
Declare = Callable[[View], View]

ALWAYS = (400, 401, 403, 405, 413, 422, 503)
"""How every route may refuse."""


@dataclass(frozen=True, slots=True)
class Form:
    """A representation other than JSON: of an upload, or of a download."""

    content_type: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One route as the description knows it."""

    method: str
    path: str
    scope: Scope
    refusals: tuple[int, ...]
    takes: tuple[Form, ...] = ()
    gives: tuple[Form, ...] = ()
    is_conditional: bool = False  # If-Match


@dataclass(slots=True)
class Routes:
    """The routes of the API while it is put together."""

    api: APIBlueprint
    tags: Sequence[Tag] = ()
    operations: list[Operation] = field(default_factory=list)

    def under(self, *tags: Tag) -> Routes:
        """The same routes, and what is added here stands under these tags."""
        return Routes(self.api, tags, self.operations)

    def get(self, path: str, scope: Scope, summary: str, answer: type[BaseModel] | None, **more: Any) -> Declare:
        return self._route("get", path, scope, summary, {200: answer}, **more)

    def post(
        self, path: str, scope: Scope, summary: str, answers: Mapping[int, type[BaseModel] | None], **more: Any
    ) -> Declare:
        return self._route("post", path, scope, summary, answers, **more)

    def delete(self, path: str, scope: Scope, summary: str, **more: Any) -> Declare:
        return self._route("delete", path, scope, summary, {204: None}, **more)

    def _route(
        self,
        method: str,
        path: str,
        scope: Scope,
        summary: str,
        answers: Mapping[int, type[BaseModel] | None],
        *,
        refusals: Sequence[int] = (),
        takes: Sequence[Form] = (),
        gives: Sequence[Form] = (),
        is_conditional: bool = False,
    ) -> Declare:
        self.operations.append(
            Operation(
                method=method,
                path=path,
                scope=scope,
                refusals=tuple(refusals),
                takes=tuple(takes),
                gives=tuple(gives),
                is_conditional=is_conditional,
            )
        )
        register = getattr(self.api, method)(path, tags=list(self.tags), summary=summary, responses=dict(answers))

        def declare(view: View) -> View:
            checked = reads(view)

            @wraps(checked)
            def guarded(**values: Any) -> Response:
                require(scope)
                return checked(**values)

            registered: View = register(guarded)
            return registered

        return declare
