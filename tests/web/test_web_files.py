"""Files over HTTP: what is taken, what an item may use, who may fetch it."""

from __future__ import annotations

import io

import requests
from PIL import Image

from hub.domain.verbs import Verb
from tests.web.server import Api, Web
from tests.web.test_web_refusals import problem, refused


def upload(person: Api, name: str, data: bytes, **form: str) -> requests.Response:
    return person("POST", "files", files={"file": (name, data)}, data=form)


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(out, "PNG")
    return out.getvalue()


def test_uploaded_used_and_fetched(web: Web) -> None:
    person = web.as_("li")
    stored = upload(person, "附件 说明.txt", "说明\n".encode())
    assert stored.status_code == 201, stored.text
    use = stored.json()["file"]
    assert (use["name"], use["size"], use["role"]) == ("附件 说明.txt", 7, "attachment")
    assert stored.headers["Location"] == stored.json()["self"]
    assert len(web.world.recorded(Verb.FILE_STORED, f"file:{use['sha256']}")) == 1
    picture = upload(person, "图.png", png(), role="picture", alt="红色方块", ai_generated="true").json()["file"]
    assert (picture["width"], picture["height"], picture["alt"], picture["ai_generated"]) == (8, 6, "红色方块", True)

    body = f'<p>正文</p><figure><img src="file:{picture["sha256"]}" alt="红色方块"></figure>'
    item = person.post("items", {"content": web.content(body=body) | {"files": [use, picture]}})
    assert item.status_code == 201, item.text
    assert [p for p in item.json()["problems"] if p["blocking"]] == []
    own = person.get(f"files/{use['sha256']}")
    assert own.content == "说明\n".encode()
    fetched = web.as_("ma").get(f"{item.json()['self']}/files/{use['sha256']}")
    assert fetched.content == "说明\n".encode()
    assert "filename*=UTF-8''%E9%99%84" in fetched.headers["Content-Disposition"]
    assert fetched.headers["X-Content-Type-Options"] == "nosniff"
    problem(web.as_("ma").get(f"files/{use['sha256']}"), 404, "file_unknown")
    assert web.as_("guan").get(f"files/{use['sha256']}").status_code == 200
    problem(person.get(f"{item.json()['self']}/files/{'0' * 64}"), 404, "file_unknown")
    problem(person.get("files/abc"), 422, "invalid")


def test_what_is_not_taken(small: Web) -> None:
    person = small.as_("li")
    for name, data, code in (
        ("x.exe", b"MZ" + b"\x00" * 100, "program"),
        ("x.pdf", b"<html><script>1</script>", "markup"),
        ("x.txt", b"", "empty"),
        ("秘密★.txt", "机密★10年\n".encode(), "secrecy_mark"),
    ):
        answer = upload(person, name, data)
        refused(small, answer, 422, "invalid", Verb.FILE_STORED)
        assert [e["code"] for e in answer.json()["errors"]] == [code], answer.text
    problem(person("POST", "files", data={"role": "attachment"}), 422, "invalid")


def test_a_file_may_not_change_its_name_into_a_page(small: Web) -> None:
    person = small.as_("li")
    use = upload(person, "说明.txt", b"alert(1)").json()["file"]
    for change in ({"name": "x.html"}, {"media_type": "text/html"}, {"name": "../x.txt"}, {"size": 1}, {"role": "cover"}):
        content = small.content() | {"files": [use | change]}
        answer = person.post("items", {"content": content})
        found = problem(answer, 422, "invalid")
        assert found["errors"][0]["field"].startswith("files.0"), found
    assert person.post("items", {"content": small.content() | {"files": [use]}}).status_code == 201
