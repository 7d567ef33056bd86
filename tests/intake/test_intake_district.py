"""A district in TOML."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.domain.item import Role
from hub.domain.problems import Invalid
from hub.intake.district import District, load_district
from tests.intake.conftest import EXAMPLES

SOURCE = (EXAMPLES / "district.toml").read_text(encoding="utf-8")


def test_the_sample_district_is_complete(district: District) -> None:
    assert len(district.departments) == 11
    assert district.centre.name == "区融媒体中心"
    assert [a.number for a in district.areas] == [*range(1, 27), 0]
    assert len(district.site.id_code) == 10
    assert district.site.url == "http://127.0.0.1:8000"
    roots = [c for c in district.columns if not c.parent]
    assert [c.name for c in roots] == ["权威发布", "民生看点", "发布现场"]
    child = next(c for c in district.site.columns if c.slug == "redian-wenda")
    assert [p.name for p in child.parents] == ["民生看点"]
    assert child.keywords
    assert child.description


def test_every_department_can_hand_in_and_sign(district: District) -> None:
    for department in district.departments:
        roles = {role for p in district.people if p.department == department.slug for role in p.roles}
        assert {Role.LIAISON, Role.DEPT_HEAD} <= roles


def test_three_reviews_can_always_be_three_people(district: District) -> None:
    for role in (Role.FIRST_REVIEWER, Role.SECOND_REVIEWER, Role.FINAL_REVIEWER, Role.PUBLISHER):
        assert sum(role in p.roles for p in district.people) == 2
    finals = [p.grades for p in district.people if Role.FINAL_REVIEWER in p.roles]
    assert sorted(finals) == ["AB", "ABC"]
    assert len({p.name for p in district.people}) == len(district.people)
    assert all(2 <= len(p.name) <= 3 for p in district.people)


@pytest.mark.parametrize(
    ("old", "new", "field", "code"),
    [
        ('id_code = "3299000001"', 'id_code = "32"', "site.id_code", "bad_form"),
        ('url = "http://127.0.0.1:8000"', 'url = "yunchuan"', "site.url", "bad_url"),
        ('tag_date = "2026-01-01"', 'tag_date = "今年"', "site.tag_date", "bad_form"),
        ('tag_date = "2026-01-01"', 'tag_date = "2026-01-01"\ncolour = "red"', "site.colour", "unknown_key"),
        ('slug = "minzheng"', 'slug = "民政"', "departments.1.slug", "bad_form"),
        ('slug = "minzheng"', 'slug = "renshe"', "departments.1.slug", "repeated"),
        ('kind = "centre"', 'kind = "department"', "departments", "centre"),
        ('kind = "centre"', 'kind = "office"', "departments.10.kind", "unknown"),
        ('parent = "quanwei-fabu"', 'parent = "nowhere"', "columns.1.parent", "unknown"),
        ('type = "政策文件"', 'type = "文件"', "columns.0.type", "unknown"),
        ('keywords = ["政策文件", "权威发布"]', "keywords = []", "columns.0.keywords", "required"),
        ("number = 26", "number = 27", "areas.25.number", "bad_number"),
        ('roles = ["auditor"]', 'roles = ["boss"]', "people.31.roles", "unknown"),
        ('grades = "AB"', 'grades = "X"', "people.26.grades", "unknown"),
        ('department = "donghu"', 'department = "dongho"', "people.18.department", "unknown"),
        ('username = "final-1"', "username = 5", "people.26.username", "not_text"),
        ("[site]", "[website]", "site", "required"),
        ("[[areas]]", "[[fields]]", "areas", "required"),
    ],
)
def test_mistakes_are_named_with_their_place(tmp_path: Path, old: str, new: str, field: str, code: str) -> None:
    assert old in SOURCE
    path = tmp_path / "district.toml"
    path.write_text(SOURCE.replace(old, new) if old.startswith("[") else SOURCE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(Invalid) as caught:
        load_district(path)
    assert (field, code) in {(p.field, p.code) for p in caught.value.problems}


def test_what_is_no_toml_is_told(tmp_path: Path) -> None:
    path = tmp_path / "district.toml"
    path.write_text("[site\n", encoding="utf-8")
    with pytest.raises(Invalid, match="TOML"):
        load_district(path)
