"""What `make run` starts: the sample district all the way, a second run on the same data, and Ctrl-C while it serves."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from tests.architecture.sources import ROOT
from tests.waiting import gone, wait_until

HUB = (sys.executable, "-m", "hub.cli")
ITEMS, DELIVERIES = 11, 39
"""Of twelve samples one is sent back; not every item goes to every channel."""


def variables(folder: Path) -> dict[str, str]:
    """A newcomer's environment, and a mark that every process of this run inherits."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    return own | {"HUB_DATA_DIR": str(folder / "data"), "HUB_TEST_MARK": str(folder)}


def processes_of(folder: Path) -> list[int]:
    """Every living process that was started, however indirectly, with this folder's mark."""
    mark = f"HUB_TEST_MARK={folder}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            marked = mark in (entry / "environ").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if marked and not gone(int(entry.name)):
            found.append(int(entry.name))
    return found


def hub_json(folder: Path, *arguments: str) -> Any:
    done = subprocess.run([*HUB, *arguments, "--json"], cwd=ROOT, env=variables(folder), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def rows_of(printed: str) -> list[list[str]]:
    """The lines of the final table: item, state, channel, delivery, time, link."""
    return [cells for line in printed.splitlines() if len(cells := line.split("\t")) == 6][1:]


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as answer:
        assert answer.status == 200
        return str(answer.read().decode())


def test_a_newcomer_runs_it_twice_and_stops_it(tmp_path: Path, free_ports: int) -> None:
    demo = [*HUB, "demo", "--port", str(free_ports + 500)]
    first = subprocess.run([*demo, "--once"], cwd=ROOT, env=variables(tmp_path), capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stdout + first.stderr
    assert first.stderr == ""
    rows = rows_of(first.stdout)
    assert len(rows) == DELIVERIES
    assert {(row[1], row[3]) for row in rows} == {("已发布", "已送达")}
    assert all(row[5].startswith("http://127.0.0.1:") for row in rows)
    assert "记录完好" in first.stdout
    assert "未发布 东湖街道2026年11月最低生活保障审核结果公示：保密审查退回" in first.stdout
    assert f"✓ 全部到位：{ITEMS} 件稿件，{DELIVERIES} 个投递" in first.stdout
    assert processes_of(tmp_path) == []

    # The commands find this hub by its data folder alone.
    deliveries = hub_json(tmp_path, "deliveries")
    assert len(deliveries) == DELIVERIES
    assert hub_json(tmp_path, "audit", "verify")["ok"] is True

    printed = tmp_path / "second.txt"
    with printed.open("wb") as output:
        second = subprocess.Popen(demo, cwd=ROOT, env=variables(tmp_path), stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: "中枢正在运行" in printed.read_text("utf-8") or second.poll() is not None, timeout=120, shown=printed.read_text)
        shown = printed.read_text("utf-8")
        assert second.poll() is None, shown
        assert "单位 0，栏目 0，领域 0，人员 0（新增）" in shown
        assert "0 件新建，12 件已有" in shown
        assert " → " not in shown, "nobody has anything left to sign"
        assert rows_of(shown) == rows
        for row in rows:
            assert get(row[5])
        assert "demo-tokens.txt" in shown
        tokens = (tmp_path / "data" / "demo-tokens.txt").read_text("utf-8").splitlines()
        assert all(line.split("\t")[1].startswith("dh_") for line in tokens)
        assert hub_json(tmp_path, "deliveries") == deliveries
        assert len(processes_of(tmp_path)) > 5
    finally:
        second.send_signal(signal.SIGINT)
        code = second.wait(60)
    assert code == 0
    assert printed.read_text("utf-8").rstrip().endswith("已停止。再次运行 make run 将继续使用同一份数据。")
    assert processes_of(tmp_path) == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(rows[0][5].split("/")[2].split(":")[1]))) != 0
