"""A district described in TOML: site identity, organs, columns, areas and the people who work there.

The keys are documented at the top of ``examples/district.toml``. Everything wrong is told at once, each with its place.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from channels.base import ColumnRef, Named, SiteIdentity
from hub.domain.item import Role
from hub.domain.problems import Invalid, Problem
from hub.intake.text import clean_line, decode
from hub.intake.vocabulary import Vocabulary, near_matches

COLUMN_TYPES = (
    *("首页", "概况信息", "机构职能", "负责人信息", "工作动态", "政策文件", "信息公开指南", "信息公开目录", "信息公开年报", "依申请公开"),
    *("数据发布", "数据开放", "政策解读", "回应关切", "办事服务", "咨询投诉", "征集调查", "在线访谈"),
)
"""ColumnType (国办发〔2017〕47号 附件; ``domain.md`` §3)."""

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ID_CODE = re.compile(r"[A-Za-z0-9]{10}")
_TAG_DATE = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?")
_Entry = TypeVar("_Entry")


@dataclass(frozen=True, slots=True)
class DepartmentEntry:
    """``kind``: department or centre."""

    slug: str
    name: str
    org_code: str
    kind: str = "department"


@dataclass(frozen=True, slots=True)
class ColumnEntry:
    """``parent`` is empty for a root column."""

    slug: str
    name: str
    type: str
    description: str
    keywords: tuple[str, ...]
    parent: str = ""


@dataclass(frozen=True, slots=True)
class AreaEntry:
    """``number``: 1 to 26 of 国办发〔2019〕54号, 0 for what the district added."""

    slug: str
    name: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """``roles`` are values of ``hub.domain.item.Role``; ``grades`` matter for final reviewers."""

    username: str
    name: str
    department: str
    roles: tuple[str, ...]
    grades: str = "ABC"


@dataclass(frozen=True, slots=True)
class District:
    """Checked: slugs are unique, every reference is known, parents come before their children."""

    site: SiteIdentity
    """With columns, departments and areas filled in."""
    departments: tuple[DepartmentEntry, ...]
    columns: tuple[ColumnEntry, ...]
    areas: tuple[AreaEntry, ...]
    people: tuple[PersonEntry, ...]

    @property
    def vocabulary(self) -> Vocabulary:
        """For importing before there is a database, and for tests."""
        return Vocabulary(
            departments={d.slug: d.name for d in self.departments},
            columns={c.slug: c.name for c in self.columns},
            areas={a.slug: a.name for a in self.areas},
            column_parents={c.slug: c.parent for c in self.columns if c.parent},
        )

    @property
    def centre(self) -> DepartmentEntry:
        """The media centre (融媒体中心)."""
        return next(d for d in self.departments if d.kind == "centre")


def load_district(path: Path) -> District:
    """Read and check a district file. Raises ``Invalid`` with every problem found (``field`` is the TOML path), OSError if unreadable."""
    try:
        table = tomllib.loads(decode(path.read_bytes())[0])
    except UnicodeDecodeError as error:
        raise Invalid((Problem("file", "encoding", f"“{path.name}”的文字编码无法识别", "请另存为UTF-8编码"),)) from error
    except tomllib.TOMLDecodeError as error:
        raise Invalid((Problem("file", "not_toml", f"“{path.name}”不是TOML：{error}", "请按样例修改"),)) from error
    reader = _Reader()
    departments = reader.each(table, "departments", reader.department)
    columns = reader.each(table, "columns", reader.column)
    areas = reader.each(table, "areas", reader.area)
    people = reader.each(table, "people", reader.person)
    reader.unknown(table, "", ("site", "departments", "columns", "areas", "people"))
    reader.together(departments, columns, areas, people)
    site = reader.site(table.get("site"))
    if reader.problems:
        raise Invalid(tuple(reader.problems))
    refs = _refs(columns)
    named = tuple(Named(d.slug, d.name) for d in departments), tuple(Named(a.slug, a.name) for a in areas)
    identity = SiteIdentity(**site, columns=refs, departments=named[0], areas=named[1])
    return District(identity, departments, columns, areas, people)


def _refs(columns: tuple[ColumnEntry, ...]) -> tuple[ColumnRef, ...]:
    by_slug: dict[str, ColumnRef] = {}
    for entry in columns:
        above = by_slug.get(entry.parent)
        parents = (*above.parents, Named(above.slug, above.name)) if above else ()
        by_slug[entry.slug] = ColumnRef(entry.slug, entry.name, entry.type, entry.description, entry.keywords, parents)
    return tuple(by_slug.values())


class _Reader:
    """Collects problems while reading, so that a person mends the file once and not ten times."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def say(self, where: str, code: str, message: str, remedy: str = "") -> None:
        self.problems.append(Problem(where, code, message, remedy))

    def each(self, table: dict[str, Any], key: str, read: Callable[[dict[str, Any], str], _Entry]) -> tuple[_Entry, ...]:
        value = table.get(key)
        if not isinstance(value, list) or not value or not all(isinstance(v, dict) for v in value):
            self.say(key, "required", f"没有 [[{key}]]", "请按样例填写")
            return ()
        return tuple(read(entry, f"{key}.{index}") for index, entry in enumerate(value))

    def text(self, entry: dict[str, Any], where: str, key: str, *, required: bool = True, pattern: re.Pattern[str] | None = None) -> str:
        value = entry.get(key, "")
        if not isinstance(value, str):
            self.say(f"{where}.{key}", "not_text", f"{key} 不是文字", "请加引号")
            return ""
        said = clean_line(value)
        if required and not said:
            self.say(f"{where}.{key}", "required", f"{key} 没有填写", f"请填写 {key}")
        elif said and pattern and not pattern.fullmatch(said):
            self.say(f"{where}.{key}", "bad_form", f"{key} 的形式不对：“{said}”", _FORMS.get(pattern, ""))
        return said

    def texts(self, entry: dict[str, Any], where: str, key: str) -> tuple[str, ...]:
        value = entry.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            self.say(f"{where}.{key}", "not_list", f"{key} 不是文字的列表", '请写成 ["…", "…"]')
            return ()
        return tuple(clean_line(v) for v in value)

    def unknown(self, entry: dict[str, Any], where: str, known: tuple[str, ...]) -> None:
        for key in entry:
            if key not in known:
                near = near_matches(key, list(known))
                self.say(f"{where}.{key}".lstrip("."), "unknown_key", f"不认识的项目“{key}”", f"是不是“{near[0]}”？" if near else "请删除")

    def site(self, entry: Any) -> dict[str, Any]:
        if not isinstance(entry, dict):
            self.say("site", "required", "没有 [site]", "请按样例填写")
            return {}
        optional = ("description", "organiser", "operator", "contact", "icp", "police")
        self.unknown(entry, "site", ("name", "domain", "id_code", "url", "keywords", "tag_date", *optional))
        values: dict[str, Any] = {key: self.text(entry, "site", key, required=False) for key in optional}
        values |= {key: self.text(entry, "site", key) for key in ("name", "domain", "url")}
        values["id_code"] = self.text(entry, "site", "id_code", pattern=_ID_CODE)
        values["tag_date"] = self.text(entry, "site", "tag_date", pattern=_TAG_DATE)
        values["keywords"] = self.texts(entry, "site", "keywords")
        values["url"] = values["url"].rstrip("/")
        parts = urlsplit(values["url"])
        if values["url"] and (parts.scheme not in ("http", "https") or not parts.netloc or parts.path):
            self.say("site.url", "bad_url", f"“{values['url']}”不是网站的根地址", "请写成 https://域名")
        return values

    def department(self, entry: dict[str, Any], where: str) -> DepartmentEntry:
        self.unknown(entry, where, ("slug", "name", "org_code", "kind"))
        kind = self.text(entry, where, "kind", required=False) or "department"
        if kind not in ("department", "centre"):
            self.say(f"{where}.kind", "unknown", f"没有“{kind}”这种单位", "可以是 department 或 centre")
        slug = self.text(entry, where, "slug", pattern=_SLUG)
        return DepartmentEntry(slug, self.text(entry, where, "name"), self.text(entry, where, "org_code"), kind)

    def column(self, entry: dict[str, Any], where: str) -> ColumnEntry:
        self.unknown(entry, where, ("slug", "name", "parent", "type", "description", "keywords"))
        kind = self.text(entry, where, "type")
        if kind and kind not in COLUMN_TYPES:
            self.say(f"{where}.type", "unknown", f"“{kind}”不是规定的栏目类型", f"可选{'、'.join(COLUMN_TYPES)}")
        keywords = self.texts(entry, where, "keywords")
        if not keywords:
            self.say(f"{where}.keywords", "required", "栏目没有关键词", "ColumnKeywords 为必选标签，请填写")
        return ColumnEntry(
            self.text(entry, where, "slug", pattern=_SLUG),
            self.text(entry, where, "name"),
            kind,
            self.text(entry, where, "description"),
            keywords,
            self.text(entry, where, "parent", required=False),
        )

    def area(self, entry: dict[str, Any], where: str) -> AreaEntry:
        self.unknown(entry, where, ("slug", "name", "number"))
        number = entry.get("number", 0)
        if type(number) is not int or not 0 <= number <= 26:
            self.say(f"{where}.number", "bad_number", f"领域序号“{number}”不对", "1至26为国家试点领域，其他填0")
            number = 0
        return AreaEntry(self.text(entry, where, "slug", pattern=_SLUG), self.text(entry, where, "name"), number)

    def person(self, entry: dict[str, Any], where: str) -> PersonEntry:
        self.unknown(entry, where, ("username", "name", "department", "roles", "grades"))
        roles = self.texts(entry, where, "roles")
        for role in roles:
            if role not in set(Role):
                self.say(f"{where}.roles", "unknown", f"没有“{role}”这个角色", f"可选{'、'.join(Role)}")
        if not roles:
            self.say(f"{where}.roles", "required", "没有写明角色", f"可选{'、'.join(Role)}")
        grades = self.text(entry, where, "grades", required=False) or "ABC"
        if set(grades) - set("ABC"):
            self.say(f"{where}.grades", "unknown", f"审核级别“{grades}”不对", "由 A、B、C 组成，例如 AB")
        username = self.text(entry, where, "username", pattern=_SLUG)
        return PersonEntry(username, self.text(entry, where, "name"), self.text(entry, where, "department"), roles, grades)

    def together(
        self,
        departments: tuple[DepartmentEntry, ...],
        columns: tuple[ColumnEntry, ...],
        areas: tuple[AreaEntry, ...],
        people: tuple[PersonEntry, ...],
    ) -> None:
        """What only shows when all entries are seen: repeated slugs and names, references to nobody, no centre or two."""
        self._once("departments", "slug", [d.slug for d in departments])
        self._once("departments", "name", [d.name for d in departments])
        self._once("departments", "org_code", [d.org_code for d in departments])
        self._once("columns", "slug", [c.slug for c in columns])
        self._once("columns", "name", [f"{c.parent}/{c.name}" for c in columns])
        self._once("areas", "slug", [a.slug for a in areas])
        self._once("areas", "name", [a.name for a in areas])
        self._once("people", "username", [p.username for p in people])
        known: list[str] = []
        for index, column in enumerate(columns):
            if column.parent and column.parent not in known:
                self.say(f"columns.{index}.parent", "unknown", f"前面没有栏目“{column.parent}”", "上级栏目要写在下级前面")
            known.append(column.slug)
        slugs = [d.slug for d in departments]
        for index, person in enumerate(people):
            if person.department and person.department not in slugs:
                near = near_matches(person.department, slugs)
                self.say(f"people.{index}.department", "unknown", f"没有单位“{person.department}”", f"是不是“{near[0]}”？" if near else "")
        if departments and sum(d.kind == "centre" for d in departments) != 1:
            self.say("departments", "centre", "融媒体中心应当恰有一个", '请给它写上 kind = "centre"')

    def _once(self, table: str, key: str, values: list[str]) -> None:
        for index, value in enumerate(values):
            if value and value in values[:index]:
                self.say(f"{table}.{index}.{key}", "repeated", f"{key}“{value}”重复", "每个只能出现一次")


_FORMS = {
    _SLUG: "只用小写字母、数字和连字符，例如 minzheng",
    _ID_CODE: "应为10位字母和数字",
    _TAG_DATE: "请写成 2026 或 2026-01-01",
}
