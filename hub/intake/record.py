"""What a source reads, before names become slugs and texts become dates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import rfc8785

from channels.base import sha256_hex
from hub.domain.content import FileUse, RelationTo
from hub.domain.problems import Problem
from hub.intake.files import FileStore
from hub.intake.text import clean_line
from hub.intake.vocabulary import Vocabulary


class Unusable(Exception):
    """A whole file cannot be read. Message and remedy are Chinese."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.code = code
        self.remedy = remedy

    @property
    def problem(self) -> Problem:
        return Problem("file", self.code, str(self), self.remedy)


@dataclass(frozen=True, slots=True)
class Record:
    """One row or file, by our field names.

    ``row`` is the line or position a person can find, 0 for a whole file. ``body_html`` is already clean; when it is empty,
    the value ``body`` counts as plain text. ``external_ref`` empty: made from department, title and date.
    """

    row: int
    values: Mapping[str, object]
    body_html: str = ""
    files: tuple[FileUse, ...] = ()
    relations: tuple[RelationTo, ...] = ()
    wording: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    external_ref: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def title(self) -> str:
        return clean_line(str(self.values.get("title") or ""))


@dataclass(frozen=True, slots=True)
class Reading:
    """What every source is given. ``defaults`` are by our field names; ``mapping`` sends a table's own headers to our fields."""

    vocabulary: Vocabulary
    files: FileStore
    defaults: Mapping[str, object]
    mapping: Mapping[str, str]
    today: date


Source: TypeAlias = Callable[[Path, Reading], Iterator[Record]]
"""Yields one record per item. Raises ``Unusable`` when the whole file cannot be read."""


def stable_digest(*parts: str) -> str:
    """32 hex characters that name these texts, the same on every machine and in every release."""
    return sha256_hex(rfc8785.dumps(list(parts)))[:32]
