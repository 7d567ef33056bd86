"""Reading docker-compose.yml without a container engine: merge keys, ``${VARIABLES}``, and the part of its schema we use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
ENV_EXAMPLE = ROOT / "deploy" / "env.example"
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>[A-Z][A-Z0-9_]*)(?:(?P<form>:-|:\?)(?P<rest>[^}]*))?\}")

_TEXTS = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_DURATION = {"type": "string", "pattern": r"^(\d+h)?(\d+m)?(\d+s)?$"}
_HEALTHCHECK = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "disable": {"const": True},
        "test": {"type": "array", "items": {"type": "string"}, "minItems": 2, "prefixItems": [{"enum": ["CMD", "CMD-SHELL"]}]},
        "interval": _DURATION,
        "timeout": _DURATION,
        "start_period": _DURATION,
        "retries": {"type": "integer", "minimum": 1},
    },
    "oneOf": [{"required": ["disable"]}, {"required": ["test", "interval", "timeout", "retries"]}],
}
_SERVICE = {
    "type": "object",
    "additionalProperties": False,
    "anyOf": [{"required": ["image"]}, {"required": ["build"]}],
    "required": ["restart", "healthcheck", "read_only", "networks", "logging", "cap_drop", "security_opt"],
    "properties": {
        "image": {"type": "string"},
        "build": {"type": "object", "properties": {"context": {"const": "."}}, "additionalProperties": False},
        "user": {"type": "string", "not": {"enum": ["root", "0", "0:0"]}},
        "restart": {"enum": ["unless-stopped", "on-failure:3"]},
        "init": {"const": True},
        "read_only": {"const": True},
        "tmpfs": _TEXTS,
        "shm_size": {"type": "string"},
        "security_opt": {"const": ["no-new-privileges:true"]},
        "cap_drop": {"const": ["ALL"]},
        "logging": {"type": "object", "required": ["driver", "options"]},
        "volumes": _TEXTS,
        "environment": {"type": "object", "additionalProperties": {"type": "string"}},
        "networks": _TEXTS,
        "depends_on": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["condition"],
                "properties": {"condition": {"enum": ["service_healthy", "service_completed_successfully"]}},
                "additionalProperties": False,
            },
        },
        "stop_grace_period": _DURATION,
        "healthcheck": _HEALTHCHECK,
        "command": _TEXTS,
        "expose": _TEXTS,
        "ports": _TEXTS,
    },
}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "services", "networks", "volumes"],
    "patternProperties": {"^x-": {}},
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z][a-z0-9-]*$"},
        "services": {"type": "object", "additionalProperties": _SERVICE},
        "networks": {"type": "object"},
        "volumes": {"type": "object"},
    },
}


def load() -> dict[str, Any]:
    """The file with its anchors and merges resolved, variables still in it."""
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))
    return loaded


def variables(text: str) -> dict[str, str]:
    """Every variable of the text and its form: ``:?`` (required), ``:-`` (has a default) or an empty string."""
    return {found["name"]: found["form"] or "" for found in VARIABLE.finditer(text)}


def filled(value: Any, environment: Mapping[str, str]) -> Any:
    """Put the values in as Compose does, in texts, lists and maps. Raises KeyError for a required variable that is empty."""
    if isinstance(value, dict):
        return {key: filled(each, environment) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, environment) for each in value]
    if not isinstance(value, str):
        return value

    def put(found: re.Match[str]) -> str:
        given = environment.get(found["name"], "")
        if not given and found["form"] == ":?":
            raise KeyError(found["name"])
        return given or (found["rest"] or "" if found["form"] == ":-" else "")

    return VARIABLE.sub(put, value).replace("$$", "$")


def documented() -> dict[str, str]:
    """Variables of deploy/env.example with their example values."""
    lines = ENV_EXAMPLE.read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))  # type: ignore[misc]
