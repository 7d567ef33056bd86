"""Every answer that any test of the API gets is held against the API's own description."""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import requests
from fastapi import FastAPI
from jsonschema import Draft202012Validator

UNDESCRIBED = frozenset({404, 405})
"""Answers of addresses and methods that do not exist."""


class Described:
    """``check`` is a response hook of requests."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._validators: dict[tuple[str, str, int], Draft202012Validator] = {}

    @cached_property
    def _spec(self) -> dict[str, Any]:
        return self._app.openapi()

    @cached_property
    def _paths(self) -> list[tuple[re.Pattern[str], str]]:
        # The fewer parameters the earlier: /items/inbox before /items/{public_id}.
        paths = sorted(self._spec["paths"], key=lambda path: path.count("{"))
        return [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), path) for path in paths]

    def check(self, answer: requests.Response, **_options: Any) -> None:
        if not (place := urlsplit(answer.url).path).startswith("/api/v1/") or place.endswith(("/openapi.json", "/docs")):
            return
        method = str(answer.request.method).lower()
        path = next((path for pattern, path in self._paths if pattern.fullmatch(place)), "")
        operation = self._spec["paths"].get(path, {}).get(method)
        if operation is None:
            assert answer.status_code in UNDESCRIBED, f"{method} {place}: {answer.status_code}"
            return
        told = operation["responses"].get(str(answer.status_code))
        assert told is not None, f"{method} {path}: {answer.status_code} is not described"
        kind = answer.headers["Content-Type"].partition(";")[0]
        assert kind in told["content"], f"{method} {path}: {answer.status_code} came as {kind}"
        if kind.endswith("json"):
            key = (path, method, answer.status_code)
            if key not in self._validators:
                shape = told["content"][kind]["schema"] | {"components": self._spec["components"]}
                self._validators[key] = Draft202012Validator(json.loads(json.dumps(shape)))
            self._validators[key].validate(answer.json())
