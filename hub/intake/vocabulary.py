"""The district's own words: departments, columns, areas. Data, never enums (``domain.md`` §2: local names differ)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.domain.problems import Problem
from hub.intake.text import clean_line

_ASIDE = re.compile(r"[（(][^（）()]*[）)]$")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What an item may point at. All mappings are slug → Chinese name.

    ``column_parents`` maps a child column's slug to its parent's; two columns may share a name under different parents.
    ``items`` holds the public ids (and, while importing, the external references) that relations may name; None: not checked.
    """

    departments: Mapping[str, str]
    columns: Mapping[str, str]
    areas: Mapping[str, str] = field(default_factory=dict)
    column_parents: Mapping[str, str] = field(default_factory=dict)
    items: frozenset[str] | None = None

    def column_path(self, slug: str) -> str:
        """``民生看点/通知公告``: the column as forms and drop-downs show it."""
        parent = self.column_parents.get(slug, "")
        return f"{self.column_path(parent)}/{self.columns[slug]}" if parent else self.columns[slug]

    def department(self, written: str) -> str | Problem:
        """Slug for a slug or a name; 云川区民政局 finds 区民政局."""
        written = clean_line(written)
        found = _exact(self.departments, written) or [s for s, n in self.departments.items() if written.endswith(n)]
        return found[0] if len(found) == 1 else self._unknown("department", "公开主体", written, list(self.departments.values()))

    def area(self, written: str) -> str | Problem:
        """Slug for a slug or a name, an aside in brackets not counted; empty stays empty."""
        written = clean_line(written)
        if not written:
            return ""
        found = _exact(self.areas, written) or _exact(self.areas, _ASIDE.sub("", written))
        return found[0] if len(found) == 1 else self._unknown("area", "领域", written, list(self.areas.values()))

    def column(self, written: str, child: str = "") -> str | Problem:
        """Slug for a slug, a path (民生看点/通知公告) or a name; ``child`` is a column under it."""
        parts = [clean_line(p) for p in [*re.split(r"[/／>＞—]+", written), child] if clean_line(p)]
        path = "/".join(parts)
        if path in self.columns:
            return path
        found = [s for s in self.columns if self.column_path(s) == path]
        if not found and parts:
            found = [s for s, n in self.columns.items() if parts[-1] in (n, s) and (len(parts) == 1 or self._parent_named(s, parts[-2]))]
        if len(found) > 1:
            choices = "、".join(f"“{self.column_path(s)}”" for s in found)
            return Problem("column", "ambiguous", f"栏目“{path}”有{len(found)}个", f"请写明是{choices}中的哪一个")
        return found[0] if found else self._unknown("column", "栏目", path, [self.column_path(s) for s in self.columns])

    def _parent_named(self, slug: str, name: str) -> bool:
        parent = self.column_parents.get(slug, "")
        return name in (parent, self.columns.get(parent))

    @staticmethod
    def _unknown(field_name: str, label: str, written: str, names: list[str]) -> Problem:
        if not written:
            return Problem(field_name, "required", f"{label}没有填写", f"请填写{label}")
        near = near_matches(written, names)
        remedy = f"是不是{'、'.join(f'“{n}”' for n in near)}？" if near else f"请从{label}表中选择，或请管理员先添加"
        return Problem(field_name, "unknown", f"没有名为“{written[:40]}”的{label}", remedy)


def near_matches(written: str, names: list[str], most: int = 3) -> list[str]:
    """Names that look like what was written, the nearest first."""
    contained = [n for n in names if len(written) >= 2 and (written in n or n.rsplit("/", 1)[-1] in written)]
    return list(dict.fromkeys([*contained, *difflib.get_close_matches(written, names, n=most, cutoff=0.5)]))[:most]


def _exact(names: Mapping[str, str], written: str) -> list[str]:
    return [written] if written in names else [slug for slug, name in names.items() if name == written]
