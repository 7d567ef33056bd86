"""The ``hub`` command on a small seeded hub. Its platforms live in this process; ``public`` has real website and feeds."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from channels.memory import MemoryPlatform
from hub.app.send import send_due
from hub.cli.mistakes import run
from hub.cli.root import app
from hub.settings import Settings
from hub.wiring import Container
from tests.architecture.sources import ROOT

CHANNELS = ("website", "feed", "wechat")
# Said here, the site need not be read out of the district's whole description by every command.
SITE = '[site]\nname = "云川区人民政府"\ndomain = "yunchuan.example"\nid_code = "3299000001"'
# Building the tree of commands anew for every command would be half of what these tests cost.
COMMAND = get_command(app)
SIGNERS = (("dept", "minzheng-head"), ("first", "first-1"), ("second", "second-1"), ("final", "final-1"))
STATEMENTS = ("--pre-release", "经审查，可以公开", "--secrecy", "不涉密，可以公开")


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be JSON and nothing else."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[list[str]]:
        """A piped table: its lines, cut into cells."""
        return [line.split("\t") for line in self.out.splitlines()]

    def one_sentence(self) -> str:
        """What went wrong: one line of Chinese on stderr, nothing on stdout."""
        assert self.code != 0
        assert self.out == ""
        assert self.err.startswith("✗ ")
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        return self.err.removeprefix("✗ ").strip()


def write_item(path: Path, *refs: str, **changes: object) -> Path:
    """A JSON file with one item for each reference."""
    common = {
        "kind": "通知公告",
        "department": "区民政局",
        "column": "民生看点/通知公告",
        "body": "现将有关事项通知如下。",
        "formed_date": "2026-11-12",
        "channels": ["website", "rss", "wechat"],
    }
    items = [{"id": ref, "title": f"关于{ref}事项的通知", **common, **changes} for ref in refs]
    path.write_text(json.dumps({"items": items}, ensure_ascii=False), "utf-8")
    return path


class Hub:
    """A hub's folder and its command line."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"

    def __call__(self, *args: object) -> Answer:
        """Run a command in this process; what ends a process ends here as an exit code."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(COMMAND, [str(a) for a in args])
        return Answer(code, out.getvalue(), err.getvalue())

    def ok(self, *args: object) -> Answer:
        answer = self(*args)
        assert (answer.code, answer.err) == (0, ""), answer
        return answer

    def process(self, *args: object, **variables: str) -> Answer:
        """Run a command as the process that it is for everybody else."""
        done = subprocess.run(
            [sys.executable, "-m", "hub.cli", *map(str, args)],
            cwd=ROOT,
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def take_in(self, *refs: str, **changes: object) -> list[str]:
        """Import items of 区民政局; returns their public ids in the order given."""
        file = write_item(self.folder / "items.json", *refs, **changes)
        lines = {line["external_ref"]: line for line in self.ok("import", file, "--as", "minzheng-liaison", "--json").json}
        return [lines[ref]["public_id"] for ref in refs]

    def approve(self, *items: str) -> None:
        self.ok("items", "submit", *items, "--as", "minzheng-liaison")
        for stage, who in SIGNERS:
            self.ok("items", "sign", *items, "--stage", stage, "--as", who, *(STATEMENTS if stage == "dept" else ()))

    def released(self, *refs: str, **changes: object) -> list[str]:
        items = self.take_in(*refs, **changes)
        self.approve(*items)
        self.ok("items", "release", *items, "--as", "publisher-1")
        return items

    def send(self, *channels: str) -> None:
        """What the workers do."""
        hub = Container(Settings())
        for channel in channels or CHANNELS:
            while send_due(hub.context, channel, "test"):
                pass
        hub.close()

    def deliveries(self, *filters: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ok("deliveries", *filters, "--json").json
        return found

    def delivery(self, item: str, channel: str, action: str = "publish") -> dict[str, Any]:
        return next(d for d in self.deliveries("--item", item, "--channel", channel) if d["action"] == action)

    def state(self, item: str) -> str:
        return next(i["state"] for i in self.ok("items", "list", "--json").json if i["id"] == item)

    def site_files(self) -> dict[str, tuple[bytes, int]]:
        """Path → bytes and time of last change of every public file."""
        site = self.data / "site"
        return {str(p.relative_to(site)): (p.read_bytes(), p.stat().st_mtime_ns) for p in site.rglob("*") if p.is_file()}


def _environment(monkeypatch: pytest.MonkeyPatch, folder: Path, *real: str) -> None:
    """``real``: channels that write files instead of living in this process."""
    for name in [n for n in os.environ if n.startswith("HUB_") and not n.startswith("HUB_TEST_")]:
        monkeypatch.delenv(name)
    accounts = (f'[[accounts]]\nname = "{name}"\nkind = "{name if name in real else "memory"}"' for name in CHANNELS)
    config = folder / "hub.toml"
    config.write_text("\n".join([f'district = "{ROOT / "examples" / "district.toml"}"', SITE, *accounts]), "utf-8")
    monkeypatch.setenv("HUB_DATA_DIR", str(folder / "data"))
    monkeypatch.setenv("HUB_CONFIG", str(config))


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Configured, without a database."""
    _environment(monkeypatch, tmp_path)
    yield Hub(tmp_path)
    for name in CHANNELS:
        MemoryPlatform.forget(name)


@pytest.fixture(scope="session")
def _seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeded")
    with pytest.MonkeyPatch.context() as patch:
        _environment(patch, folder)
        hub = Hub(folder)
        hub.ok("db", "upgrade")
        hub.ok("seed")
    return folder / "data" / "hub.db"


@pytest.fixture
def hub(bare: Hub, _seeded: Path) -> Hub:
    """A SQLite hub with the sample district's departments, columns and people, and no item."""
    bare.data.mkdir()
    shutil.copyfile(_seeded, bare.data / "hub.db")
    return bare


@pytest.fixture
def public(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The same with a real website and real feeds."""
    _environment(monkeypatch, hub.folder, "website", "feed")
    return hub
