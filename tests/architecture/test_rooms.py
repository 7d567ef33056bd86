"""House rules about files: their size, what belongs beside a channel, and what never belongs anywhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.sources import CODE, OURS, ROOT, called, calls, imports, python_files, text_files, tree

LONGEST = 400
LONG = {
    Path("channels/base.py"): "the whole contract between hub and channels, most of it docstrings, is read in one piece",
    Path("hub/store/migrations/versions/0001_first_schema.py"): "a migration is written once and never again changed",
}
NEVER = ("utils.py", "helpers.py", "manager.py", "misc.py", "common.py")
CHANNELS = sorted(path.parent.name for path in (ROOT / "channels").glob("*/__init__.py"))
PLATFORMS = ("wechat", "weibo")
"""Channels that speak to somebody else's server."""
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|HA" + r"CK)\b")


def test_a_file_is_a_room() -> None:
    long = [path for path in python_files(*OURS) if _length(path) > LONGEST and path not in LONG]
    assert not long, "they hold more than one subject"
    assert not [path for path in python_files(*OURS) if path.name in NEVER]


def test_no_exception_outlives_its_reason() -> None:
    for path in LONG:
        assert _length(path) > LONGEST, f"{path} needs no exception any more"


def _length(path: Path) -> int:
    return len((ROOT / path).read_text("utf-8").splitlines())


def test_nothing_is_left_for_later() -> None:
    for path in text_files():
        for number, line in enumerate((ROOT / path).read_text("utf-8").splitlines(), 1):
            assert not UNFINISHED.search(line), f"{path}:{number}: {line.strip()}"


def test_every_module_says_what_it_is_for() -> None:
    assert not [path for path in python_files(*CODE) if tree(path).body and not ast.get_docstring(tree(path))]


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_explains_itself(channel: str) -> None:
    readme = ROOT / "channels" / channel / "README.md"
    assert readme.is_file()
    assert len(readme.read_text("utf-8")) > 500


@pytest.mark.parametrize("channel", PLATFORMS)
def test_a_platform_channel_has_its_code_table_and_its_loopback_platform(channel: str) -> None:
    folder = ROOT / "channels" / channel
    assert (folder / "errors.py").is_file()
    assert (folder / "platform.py").is_file()


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_has_tests_of_its_own(channel: str) -> None:
    """Besides the common questions, which tests/channels/test_contract.py puts to every channel of the registry."""
    assert list((ROOT / "tests" / "channels" / channel).glob("test_*.py"))


def test_tests_wait_for_conditions_and_mock_no_network() -> None:
    for path in python_files("tests"):
        if path.name.startswith("test_"):
            for call in calls(path):
                assert called(call) not in {"time.sleep", "sleep"}, f"{path}:{call.lineno} sleeps: use tests.waiting.wait_until"
            assert not {"unittest.mock", "responses", "requests_mock", "fakeredis"} & set(imports(path)), path


def test_the_requirements_name_no_index() -> None:
    for path in ROOT.glob("requirements*.txt"):
        text = path.read_text("utf-8")
        assert not re.search(r"https?://|file://|--index-url|--find-links|--trusted-host", text), path.name
        assert len(re.findall(r"^[a-z0-9][\w.\[\]-]*==", text, re.MULTILINE)) <= text.count("--hash=sha256:")
