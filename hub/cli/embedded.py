"""The embedded hub: which processes it has, on which ports, with which secrets. One folder holds everything it keeps."""

from __future__ import annotations

import json
import secrets
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from hub.embedded.program import Program, answers
from hub.embedded.redis_server import RedisServer
from hub.settings import BadConfig, Settings

WEB, WECHAT, WEIBO = 8000, 8001, 8002
PLATFORMS = {"wechat": "channels.wechat.platform", "weibo": "channels.weibo.platform"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What was chosen the first time and is kept, so that addresses in what was published stay true."""

    web: int
    wechat: int
    weibo: int
    secrets: dict[str, str]

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.web}"

    @property
    def addresses(self) -> dict[str, str]:
        return {"wechat": f"http://127.0.0.1:{self.wechat}", "weibo": f"http://127.0.0.1:{self.weibo}"}


def plan(data: Path, wanted: int = WEB) -> Plan:
    """Read the plan of an earlier run, or make one with free ports. Raises BadConfig when a kept port is taken."""
    kept = kept_plan(data)
    if kept is not None:
        taken = [port for port in (kept.web, kept.wechat, kept.weibo) if not _free(port)]
        if taken:
            ports = "、".join(map(str, taken))
            raise BadConfig(f"端口 {ports} 已被占用（可能已有一个中枢在运行）。请先停止它，或换一个数据目录：HUB_DATA_DIR=新目录 make run")
        return kept
    web, wechat, weibo = _free_ports(wanted)
    made = Plan(web, wechat, weibo, secrets={name: secrets.token_hex(24) for name in ("WECHAT_SECRET", "WECHAT_CALLBACK", "WEIBO_TOKEN")})
    data.mkdir(parents=True, exist_ok=True)
    file = data / "demo.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps({"web": made.web, "wechat": made.wechat, "weibo": made.weibo, "secrets": made.secrets}), "utf-8")
    return made


def kept_plan(data: Path) -> Plan | None:
    """The plan of the hub that lives in ``data``, if one does."""
    file = data / "demo.json"
    return Plan(**json.loads(file.read_text("utf-8"))) if file.exists() else None


def environment(chosen: Plan, data: Path, config: Path, redis_url: str) -> dict[str, str]:
    """Variables of every process of the embedded hub."""
    return {
        "HUB_DATA_DIR": str(data),
        "HUB_CONFIG": str(config),
        "HUB_REDIS_URL": redis_url,
        "HUB_HOST": "127.0.0.1",
        "HUB_PORT": str(chosen.web),
        "HUB_SITE_URL": chosen.site,
        **{f"HUB_DEMO_{name}": value for name, value in chosen.secrets.items()},
    }


def write_config(chosen: Plan, example: Path, target: Path) -> Path:
    """The example's configuration with this plan's ports."""
    text = example.read_text("utf-8")
    for usual, port in ((WECHAT, chosen.wechat), (WEIBO, chosen.weibo)):
        text = text.replace(f"127.0.0.1:{usual}", f"127.0.0.1:{port}")
    text = text.replace('district = "district.toml"', f'district = "{example.parent.resolve() / "district.toml"}"')
    target.write_text(text, "utf-8")
    return target


def platform_programs(chosen: Plan, data: Path) -> list[Program]:
    states = data / "platforms"
    states.mkdir(parents=True, exist_ok=True)
    more = {
        "wechat": [
            "--secret",
            chosen.secrets["WECHAT_SECRET"],
            "--callback-token",
            chosen.secrets["WECHAT_CALLBACK"],
            "--hub",
            chosen.site,
        ],
        "weibo": ["--token", chosen.secrets["WEIBO_TOKEN"]],
    }
    return [
        Program(
            f"platform-{name}",
            [sys.executable, "-m", module, "--port", str(getattr(chosen, name)), "--state", str(states / f"{name}.db"), *more[name]],
            ready=answers(chosen.addresses[name] + "/"),
            grace=3,
        )
        for name, module in PLATFORMS.items()
    ]


def hub_programs(settings: Settings, variables: dict[str, str]) -> list[Program]:
    """Web, one worker of threads for all channels, and beat."""
    hub = [sys.executable, "-m", "hub.cli"]
    return [
        Program("web", [*hub, "web"], variables, answers(f"http://{settings.host}:{settings.port}/healthz")),
        Program("worker", [*hub, "worker"], variables, grace=30),
        Program("beat", [*hub, "beat"], variables),
    ]


def redis_server(data: Path) -> RedisServer:
    return RedisServer(data / "redis")


def _free_ports(first: int) -> tuple[int, int, int]:
    for base in range(first, first + 400, 10):
        ports = (base, base + 1, base + 2)
        if all(_free(p) for p in ports):
            return ports
    raise BadConfig(f"从 {first} 起找不到三个空闲端口；请关闭占用端口的程序")


def _free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
