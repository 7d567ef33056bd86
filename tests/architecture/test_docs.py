"""What the documents say is there, is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.architecture.sources import ROOT, functions, markdown_files

LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)(?:\s+\"[^\"]*\")?\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
MAKE = re.compile(r"\bmake ([a-z]+)\b")
CODE_SPAN = re.compile(r"`([^`\n]+)`|^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INVARIANTS = ROOT / "docs" / "invariants.md"
INVARIANT = re.compile(r"`(test_invariant_(\d\d)_[a-z0-9_]+)`")


def _anchors(text: str) -> set[str]:
    """Anchors as the usual forges make them from headings."""
    headings = re.findall(r"^#+\s+(.+?)\s*$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", markdown_files(), ids=str)
def test_links_lead_somewhere(path: Path) -> None:
    text = (ROOT / path).read_text("utf-8")
    for found in LINK.finditer(FENCE.sub("", text)):
        target = unquote(found["target"])
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        place = (ROOT / path).parent / file if file else ROOT / path
        assert place.exists(), f"{path} links to {target}"
        if anchor and place.suffix == ".md":
            assert anchor in _anchors(place.read_text("utf-8")), f"{path} links to {target}: no such heading"


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("path", markdown_files(), ids=str)
def test_the_make_commands_exist(path: Path) -> None:
    spans = "\n".join(one or many for one, many in CODE_SPAN.findall((ROOT / path).read_text("utf-8")))
    assert set(MAKE.findall(spans)) <= _targets()


def test_make_help_lists_every_target() -> None:
    shown = subprocess.run(["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(MAKE.findall(shown)) == _targets()


def test_decisions_are_numbered_and_dated() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    index = (ROOT / "docs" / "adr" / "README.md").read_text("utf-8")
    for path in records:
        text = path.read_text("utf-8")
        assert re.match(rf"# {int(path.name[:4])}\. \S", text), path.name
        assert re.search(r"^\d{4}-\d\d-\d\d · (?:accepted|superseded by \[\d+\])", text, re.MULTILINE), path.name
        assert f"({path.name})" in index, f"docs/adr/README.md does not list {path.name}"


def test_there_are_twelve_invariants() -> None:
    numbers = [number for _, number in INVARIANT.findall(INVARIANTS.read_text("utf-8"))]
    assert numbers == [f"{number:02}" for number in range(1, 13)]


@pytest.mark.parametrize("name", [name for name, _ in INVARIANT.findall(INVARIANTS.read_text("utf-8"))])
def test_every_invariant_is_proved_by_the_test_of_its_name(name: str) -> None:
    assert name in functions("tests/invariants"), f"tests/invariants has no {name}"
