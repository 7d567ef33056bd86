"""schemathesis asks every operation with valid and invalid data: no bug, and no answer that the description does not know."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import schemathesis
import structlog
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, BaseSchema, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from hub.app import people
from hub.domain.item import Role
from hub.store.engine import make_engine
from tests.clock import FixedClock
from tests.postgres import PostgresServer
from tests.web.server import Api, web_of
from tests.world import world

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
EXAMPLES = int(os.environ.get("HUB_SCHEMATHESIS_EXAMPLES", "8"))


@pytest.fixture(scope="module")
def almighty(_postgres_template: str, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One person with every role and scope, in a world where there is something of everything.

    On PostgreSQL, which refuses more than SQLite does: long texts, U+0000, numbers out of range.
    """
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.dev.ConsoleRenderer(colors=False)])
    folder = tmp_path_factory.mktemp("schema")
    postgres_server.execute(f'CREATE DATABASE "schemathesis" TEMPLATE "{_postgres_template}" STRATEGY file_copy')
    with world(make_engine(postgres_server.url("schemathesis")), FixedClock(), folder) as made:
        roles = [(role, "", "ABC") for role in Role]
        people.add_person(made.context, "system", username="almighty", name="全能", department="minzheng", roles=roles)
        made.draft("almighty")
        made.submitted()
        made.approved()
        made.released()
        made.send()
        with web_of(made, folder) as web:
            yield web.as_("almighty")
    structlog.reset_defaults()
    postgres_server.execute('DROP DATABASE "schemathesis" WITH (FORCE)')


@pytest.fixture(scope="module")
def description(almighty: Api) -> BaseSchema:
    return schemathesis.openapi.from_url(f"{almighty.base}/api/v1/openapi.json")


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "invalid"])
def test_every_answer_is_described(almighty: Api, description: BaseSchema, mode: GenerationMode) -> None:
    faults: list[str] = []
    seen: set[int] = set()
    for found in description.get_all_operations():
        operation = found.ok()
        try:
            seen |= ask(almighty, operation, mode)
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, operation.label
        except Exception as fault:  # noqa: BLE001 - whatever it is, the other operations are asked as well
            faults.append(f"{operation.label}: {fault}")
    assert not faults, "\n\n".join(faults)
    # The questions were real ones. What good writes answer is held against the description in every other test.
    assert seen >= ({200, 404} if mode is GenerationMode.POSITIVE else {422}), seen


def ask(almighty: Api, operation: APIOperation, mode: GenerationMode) -> set[int]:
    seen: set[int] = set()

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    def one(case: Case) -> None:
        answer = case.call_and_validate(
            checks=list(CHECKS), headers={"Authorization": f"Bearer {almighty.token}"}, session=almighty.session
        )
        seen.add(answer.status_code)

    one()
    return seen
