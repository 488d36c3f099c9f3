"""Our own OpenAPI document against our own routes: whatever a client sends, no 5xx, and answers as described.

`schemathesis` makes the requests from the document: what fits its schemas and what does not. Bounded here, with a fixed
seed; `EDI_GATEWAY_TEST_EXAMPLES=500` looks longer.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from edi_gateway.config import Webhooks
from edi_gateway.web.api import blueprint
from tests.gateway.documents.desk import TOKEN, Desk, desadv, invoic, invrpt, partial
from tests.web.test_api import Shop

EXAMPLES = int(os.environ.get("EDI_GATEWAY_TEST_EXAMPLES", "3"))
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory):
    """The API of a gateway where everything has happened once."""
    desk = Desk(tmp_path_factory.mktemp("schemathesis"))
    object.__setattr__(desk.gateway, "config", desk.gateway.config.model_copy(update={"webhooks": Webhooks()}))
    app = Flask(__name__)
    app.register_blueprint(blueprint(desk.gateway))
    shop = Shop(desk, app.test_client())
    desk.arrive(invrpt())
    shop.post("/orders", shop.order())
    for text in (partial(), desadv(), invoic()):
        desk.arrive(text)
    yield schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    desk.close()


def paths() -> list[str]:
    """Every operation, as `get /orders`; read from a gateway of its own, for pytest wants them before there is one."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        app = Flask(__name__)
        app.register_blueprint(blueprint(desk.gateway))
        described = app.test_client().get("/api/v1/openapi.json").get_json()
        desk.close()
    return [f"{method} {path}" for path, methods in described["paths"].items() for method in methods]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("operation", paths())
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_request_is_answered_with_5xx_or_otherwise_than_described(
    schema, operation: str, mode: GenerationMode
) -> None:
    method, path = operation.split(" ")
    described = schema[path][method.upper()]

    @seed(20261122)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(case=described.as_strategy(generation_mode=mode))
    def conforms(case) -> None:
        case.call_and_validate(headers=HEADERS, checks=CHECKS)

    conforms()


def test_the_document_is_openapi_3_1(schema) -> None:
    assert schema.specification.version == "3.1.0"
    schema.validate()
