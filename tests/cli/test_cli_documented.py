"""docs/commands.md names every command and option as it is."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.architecture.sources import ROOT
from tests.cli.conftest import COMMAND

TEXT = (ROOT / "docs" / "commands.md").read_text("utf-8")
EXAMPLES = re.findall(r"^\| `(hub [^`]+)`|^(hub [^\n#]+)", TEXT, re.MULTILINE)


def leaves(command: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    found = {path: command} if path and getattr(command, "invoke_without_command", True) else {}
    for name, child in getattr(command, "commands", {}).items():
        found |= leaves(child, (*path, name))
    return found


LEAVES = leaves(COMMAND)


def test_the_tree_is_what_these_tests_think() -> None:
    assert ("items", "sign") in LEAVES
    assert ("deliveries",) in LEAVES
    assert ("items",) not in LEAVES


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_is_named_with_an_example(path: tuple[str, ...]) -> None:
    assert re.search(rf"^(?:\| `)?hub {' '.join(path)}(?= |`|$)", TEXT, re.MULTILINE)


@pytest.mark.parametrize("example", [one or other for one, other in EXAMPLES])
def test_every_example_names_what_exists(example: str) -> None:
    words = example.split()[1:]
    path = max((p for p in LEAVES if tuple(words[: len(p)]) == p), key=len)
    known = {name for param in LEAVES[path].params for name in param.opts}
    assert {word for word in words if word.startswith("--")} <= known
