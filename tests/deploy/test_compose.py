"""docker-compose.yml is checked without a container engine: its schema, and that everything it names exists."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest

from channels.registry import CHANNELS
from hub.settings import read_config
from tests.deploy.compose import COMPOSE, ENV_EXAMPLE, ROOT, SCHEMA, documented, filled, load, variables

SERVICES = load()["services"]
HUB = sorted(name for name, service in SERVICES.items() if service.get("command", [""])[0] == "hub")
SAMPLE = {"HUB_DB_PASSWORD": "d" * 8, "HUB_REDIS_PASSWORD": "r" * 8, "HUB_SITE_URL": "https://www.example.gov.cn"}


def test_the_file_follows_its_schema() -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(load())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("web", "restart"), None),
        (("web", "healthcheck"), None),
        (("web", "user"), "root"),
        (("web", "privileged"), True),
        (("redis", "image"), None),
        (("postgres", "healthcheck", "test"), []),
    ],
)
def test_the_schema_notices(path: tuple[str, ...], value: object) -> None:
    # A copy by way of JSON: what YAML anchors share must not change together.
    compose: dict[str, Any] = json.loads(json.dumps(load()))
    *folders, last = path
    place = compose["services"]
    for folder in folders:
        place = place[folder]
    if value is None:
        del place[last]
    else:
        place[last] = value
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(compose)


def test_every_part_of_the_house_has_its_service() -> None:
    assert set(SERVICES) == {
        *("postgres", "redis", "migrate", "web", "beat", "nginx"),
        *("worker-website", "worker-feed", "worker-wechat", "worker-weibo", "worker-chores"),
    }


def test_every_channel_has_a_queue_and_a_worker() -> None:
    queues = {name: service["command"][3] for name, service in SERVICES.items() if name.startswith("worker-")}
    assert all(SERVICES[name]["command"][:3] == ["hub", "worker", "--queue"] for name in queues)
    assert set(queues.values()) == set(CHANNELS) - {"memory"} | {"chores"}
    assert all(name == f"worker-{queue}" for name, queue in queues.items())


def test_every_variable_is_documented_and_nothing_else_is() -> None:
    assert set(variables(COMPOSE.read_text("utf-8"))) == set(documented())


def test_secrets_have_no_value_in_the_repository() -> None:
    required = {name for name, form in variables(COMPOSE.read_text("utf-8")).items() if form == ":?"}
    assert {"HUB_DB_PASSWORD", "HUB_REDIS_PASSWORD"} <= required
    for name, value in documented().items():
        if re.search(r"PASSWORD|SECRET|TOKEN|KEY", name):
            assert value == "", f"{name} has a value in {ENV_EXAMPLE.name}"


@pytest.mark.parametrize("name", sorted(name for name, form in variables(COMPOSE.read_text("utf-8")).items() if form == ":?"))
def test_a_missing_required_variable_stops_the_start(name: str) -> None:
    with pytest.raises(KeyError, match=name):
        filled(load(), SAMPLE | {name: ""})


def test_filled_like_compose() -> None:
    given = {"a": ["${ONE:-x}", "$$HOME", "${TWO}"], "b": 3}
    assert filled(given, {"TWO": "2"}) == {"a": ["x", "$HOME", "2"], "b": 3}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_a_service_names_exists(name: str) -> None:
    compose = load()
    service = filled(SERVICES[name], SAMPLE)
    for volume in service.get("volumes", ()):
        source, target, *mode = volume.split(":")
        assert target.startswith("/")
        assert mode in ([], ["ro"])
        if source.startswith("."):
            assert (ROOT / source).is_file(), f"{source} is mounted and does not exist"
        else:
            assert source in compose["volumes"]
    assert set(service["networks"]) <= set(compose["networks"])
    for other, how in service.get("depends_on", {}).items():
        assert other in SERVICES
        runs_once = SERVICES[other]["restart"].startswith("on-failure")
        assert how["condition"] == ("service_completed_successfully" if runs_once else "service_healthy")
    if "build" in service:
        assert (ROOT / "Dockerfile").is_file()


def test_only_nginx_is_published() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]


def test_database_and_redis_are_inside_only() -> None:
    assert load()["networks"]["inside"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == SERVICES["redis"]["networks"] == ["inside"]


def test_nothing_runs_as_root() -> None:
    for name, service in SERVICES.items():
        assert service.get("user") or "unprivileged" in service["image"], f"{name} would run as root"
    assert "\nUSER 10001:10001\n" in (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize("name", HUB)
def test_a_hub_service_is_told_all_it_needs(name: str) -> None:
    environment = filled(SERVICES[name]["environment"], SAMPLE)
    assert {"HUB_DATABASE_URL", "HUB_REDIS_URL", "HUB_CONFIG", "HUB_DATA_DIR", "HUB_SITE_DIR", "HUB_SITE_URL"} <= set(environment)
    targets = [volume.split(":")[1] for volume in SERVICES[name]["volumes"]]
    assert {environment[key] for key in ("HUB_DATA_DIR", "HUB_SITE_DIR", "HUB_CONFIG")} <= set(targets)
    assert "${" not in str(environment)


def test_the_example_configuration_names_only_known_variables() -> None:
    """A secret is the name of a variable, and the compose file hands that variable to the hub."""
    config = read_config(ROOT / "deploy" / "hub.toml")
    given = SERVICES["web"]["environment"]
    named = [name for account in config.accounts for name in account.secrets.values()]
    assert {account.kind for account in config.accounts} == set(CHANNELS) - {"memory"}
    assert named
    assert set(named) <= set(given)


# ------------------------------------------------------------------------------------------------------------ Dockerfile


def test_the_image_copies_what_exists_and_what_the_ignore_file_lets_through() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    sources = [word for line in re.findall(r"^COPY (?!--)(.+)$", text, re.MULTILINE) for word in line.split()[:-1]]
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert set(sources) == allowed
    assert all((ROOT / source).exists() for source in sources)


def test_the_image_installs_only_what_has_a_hash() -> None:
    installs = re.findall(r"pip install ([^\n&\\]+)", (ROOT / "Dockerfile").read_text("utf-8"))
    assert installs
    assert all("--require-hashes" in each or "--no-index" in each for each in installs)
