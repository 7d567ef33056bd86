"""Take the pictures of docs/tour: ``python scripts/tour.py``.

Starts the hub of `make run` in a temporary folder, withdraws one item as its publisher would, photographs what the public sees at
the widths of a desk and of a phone, and writes docs/tour/*.png and docs/tour/README.md. Needs Chromium and the development
requirements. Nothing outside this machine is asked for anything.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
TOUR = ROOT / "docs" / "tour"
WIDTHS = {1280: (900, 1600), 390: (844, 1500)}
"""Width of the window → its height, and how much of a longer page is shown."""
COLOURS = 160
PATIENCE = 300
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
WITHDRAWN = "YC-SAMPLE-11"
NOTICE = "该公示因附件有误已撤下，更正后的公示将另行发布。"


@dataclass(frozen=True)
class Stop:
    """One picture: its file name, heading, words and address (``{site}``, ``{wechat}``, ``{YC-SAMPLE-01:website}``)."""

    name: str
    heading: str
    words: str
    address: str


STOPS = (
    Stop(
        "home",
        "The district's site",
        "Files on a disk: no script, no database behind it. Every page carries the tags that inspections of government sites read.",
        "{site}/",
    ),
    Stop(
        "column",
        "A column",
        "A list by date, paged from the old end, so that publishing one item changes two pages and not all of them.",
        "{site}/columns/quanwei-fabu/",
    ),
    Stop(
        "item",
        "An item with a table and attachments",
        "The recruitment notice: the facts that the rules ask for (索引号, 发布机构, 效力 …), the text, and the spreadsheet it came with.",
        "{YC-SAMPLE-01:website}",
    ),
    Stop(
        "corrected",
        "An item that was corrected",
        "The food inspection results. The page itself says that a correction exists, and links to it.",
        "{YC-SAMPLE-08:website}",
    ),
    Stop(
        "correction",
        "Its correction",
        "The other half of the pair: what was wrong, what is right, and the way back to the item it corrects.",
        "{YC-SAMPLE-06:website}",
    ),
    Stop(
        "emergency",
        "An urgent warning",
        "The cold wave warning took the same three reviews as everything else; urgency shortens clocks, not signatures.",
        "{YC-SAMPLE-04:website}",
    ),
    Stop(
        "withdrawn",
        "A withdrawn item",
        "Its address goes on answering: 410, with the reason the public is given and nothing of the text.",
        "{YC-SAMPLE-11:website}",
    ),
    Stop(
        "subscribe",
        "The feeds",
        "RSS 2.0, Atom and JSON Feed of everything, each column, area and department, for readers and for programs.",
        "{site}/subscribe/",
    ),
    Stop(
        "wechat",
        "The WeChat-style account",
        "The loopback platform's page, as a follower's phone shows the account. It enforces the real one's limits, tokens and quotas.",
        "{wechat}/",
    ),
    Stop(
        "wechat-article",
        "A WeChat-style article",
        "The body as it survives there: inline styles, uploaded pictures, links written out, and the way to the original.",
        "{YC-SAMPLE-02:wechat}",
    ),
    Stop(
        "weibo",
        "The Weibo-style account",
        "Short posts with a link to the page. The website goes first: a post never leads to a page that is not there yet.",
        "{weibo}/",
    ),
    Stop(
        "weibo-post",
        "A Weibo-style post",
        "The picture of the infographic item, its text and its permanent address.",
        "{YC-SAMPLE-03:weibo}",
    ),
    Stop(
        "api",
        "The REST API",
        "OpenAPI 3.1 at /api/v1: submit, review, release, withdraw, read deliveries and the record.",
        "{site}/api/v1/docs",
    ),
)


class Hub:
    """The hub of `make run` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.data, self.printed = folder / "data", folder / "printed.txt"
        own = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        self._variables = own | {"HUB_DATA_DIR": str(self.data)}
        self._command = [sys.executable, "-m", "hub.cli"]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start it and wait until every sample is out; stop it at the end."""
        with self.printed.open("wb") as output:
            demo = subprocess.Popen(  # noqa: S603 - our own command
                [*self._command, "demo"], cwd=ROOT, env=self._variables, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            self._wait(lambda: "中枢正在运行" in self._said() or demo.poll() is not None)
            if "✓ 全部到位" not in self._said():
                raise SystemExit(f"the demo did not come to its end:\n{self._said()}")
            yield
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait()

    def ask(self, *arguments: str) -> Any:
        return json.loads(self._run(*arguments, "--json"))

    def withdraw(self, item: str) -> None:
        self._run("items", "withdraw", item, "--reason", "附件有误", "--notice", NOTICE, "--as", "publisher-1")
        self._wait(lambda: {d["state"] for d in self.ask("deliveries", "--item", item)} <= {"delivered", "withdrawn"})

    def addresses(self) -> dict[str, str]:
        """What the stops' addresses name."""
        plan = json.loads((self.data / "demo.json").read_text("utf-8"))
        found = {name: f"http://127.0.0.1:{plan[port]}" for name, port in (("site", "web"), ("wechat", "wechat"), ("weibo", "weibo"))}
        refs = {item["id"]: item["external_ref"] for item in self.ask("items", "list")}
        for delivery in self.ask("deliveries"):
            if delivery["url"]:
                found[f"{refs[delivery['item']]}:{delivery['channel']}"] = delivery["url"]
        return found

    def _run(self, *arguments: str) -> str:
        command = [*self._command, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self._variables, stdout=subprocess.PIPE, check=True, text=True)  # noqa: S603
        return done.stdout

    def _said(self) -> str:
        return self.printed.read_text("utf-8")

    def _wait(self, done: Any) -> None:
        end = time.monotonic() + PATIENCE
        while not done():
            if time.monotonic() > end:
                raise SystemExit(f"not within {PATIENCE} s:\n{self._said()}")
            time.sleep(0.5)


def photograph(browser: Browser, addresses: dict[str, str]) -> None:
    for width, (height, most) in WIDTHS.items():
        context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN", timezone_id="Asia/Shanghai")
        page = context.new_page()
        for stop in STOPS:
            address = stop.address[1:-1] if stop.address.startswith("{YC-") else ""
            page.goto(addresses[address] if address else stop.address.format_map(addresses), wait_until="networkidle")
            save(shot(page, width, most), TOUR / f"{stop.name}-{width}.png")
        context.close()


def shot(page: Page, width: int, most: int) -> bytes:
    tall = int(page.evaluate("document.documentElement.scrollHeight"))
    return page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": width, "height": min(tall, most)})


def save(picture: bytes, path: Path) -> None:
    """As a palette PNG: pages have few colours, and the repository carries every version for ever."""
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("RGB").quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)


def write_readme() -> None:
    parts = [
        "# The tour, in pictures",
        "",
        "What `make run` shows, at the widths of a desk (1280) and of a phone (390). Made by `python scripts/tour.py`; the district, its",
        "people and its items are invented, and both platforms are loopback twins on this machine.",
    ]
    for stop in STOPS:
        desk, phone = f"{stop.name}-1280.png", f"{stop.name}-390.png"
        parts += ["", f"## {stop.heading}", "", stop.words, "", f'<img src="{desk}" width="720" alt="{stop.heading}, on a desk">']
        parts += [f'<img src="{phone}" width="220" alt="{stop.heading}, on a phone">']
    (TOUR / "README.md").write_text("\n".join(parts) + "\n", "utf-8")


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("Chromium is not installed: apt-get install chromium fonts-noto-cjk")
    TOUR.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hub-tour-") as folder, sync_playwright() as playwright:
        hub = Hub(Path(folder))
        with hub.running():
            addresses = hub.addresses()
            hub.withdraw(next(item["id"] for item in hub.ask("items", "list") if item["external_ref"] == WITHDRAWN))
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            photograph(browser, addresses)
            browser.close()
    write_readme()
    size = sum(path.stat().st_size for path in TOUR.glob("*.png"))
    print(f"{len(STOPS) * len(WIDTHS)} pictures, {size / 1e6:.2f} MB, in {TOUR.relative_to(ROOT)}")  # noqa: T201


if __name__ == "__main__":
    main()
