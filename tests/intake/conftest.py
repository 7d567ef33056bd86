"""What every test of intake needs: a file store of its own, the sample district's words, a fixed day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from hub.intake.district import District, load_district
from hub.intake.files import FileStore
from hub.intake.report import Refused, Taken, read_sources
from hub.intake.vocabulary import Vocabulary

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)
DEFAULTS = {"公开主体": "区民政局", "栏目": "行政规范性文件", "信息类型": "policy", "形成日期": "2026-11-10"}

Read = Callable[..., list[Taken | Refused]]


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "store")


@pytest.fixture(scope="session")
def district() -> District:
    return load_district(EXAMPLES / "district.toml")


@pytest.fixture(scope="session")
def words(district: District) -> Vocabulary:
    return district.vocabulary


@pytest.fixture
def read(store: FileStore, words: Vocabulary) -> Read:
    """``read(path, …, **defaults)`` → results, on a fixed day, with a department, column, kind and date unless given."""

    def reading(*paths: Path, defaults: dict[str, str] = DEFAULTS, mapping: dict[str, str] | None = None) -> list[Taken | Refused]:
        return list(read_sources(paths, words, store, defaults, NOW, mapping=mapping))

    return reading


def only(results: list[Taken | Refused]) -> Taken:
    """The single result, which must have been taken."""
    (result,) = results
    assert isinstance(result, Taken), [str(p) for p in result.problems]
    return result


def refusal(results: list[Taken | Refused]) -> Refused:
    (result,) = results
    assert isinstance(result, Refused)
    assert all(p.blocking and p.message for p in result.problems)
    return result
