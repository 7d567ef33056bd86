"""Prepare ``.venv`` for ``make run`` (or, with ``--dev``, for ``make test``): ``python3 scripts/bootstrap.py [--dev]``.

Standard library only, and free of new syntax: it is run by whatever ``python3`` the machine has, to be able to say that it is
too old. Installs exactly what the hashed requirements file names, makes the checkout importable and writes the ``hub`` command.
A second run finds its stamp and returns at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST = (3, 11)
NAMES = ("python3.14", "python3.13", "python3.12", "python3.11")
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
QUIET_SECONDS = 10
"""Where no terminal shows a moving line, one line every so many seconds says that it lives."""


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def stop(text: str) -> None:
    say(text)
    raise SystemExit(2)


def continue_with_newer_python() -> None:
    """Become a newer interpreter if this one is too old and the machine has one."""
    if sys.version_info >= OLDEST:
        return
    for name in NAMES:
        newer = shutil.which(name)
        if newer:
            os.execv(newer, [newer, *sys.argv])  # noqa: S606 - the same script under a newer interpreter
    stop(
        f"需要 Python 3.11 或更新版本，当前为 {sys.version.split()[0]}。\n"
        f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}. Debian/Ubuntu: apt-get install python3.11 python3.11-venv, "
        "or point make at one: make run PYTHON=/path/to/python3.12"
    )


def create_venv() -> None:
    try:
        import ensurepip
        import venv
    except ImportError:
        name = "python{}.{}-venv".format(*sys.version_info[:2])
        stop(
            f"缺少 Python 的 venv 组件，请安装后重试：apt-get install {name}\n"
            f"Python's venv module is missing: apt-get install {name} (or python3-venv)"
        )
    say(f"· .venv ({sys.version.split()[0]}, pip {ensurepip.version()})")
    venv.EnvBuilder(clear=True, with_pip=True, symlinks=True).create(VENV)


def usable() -> bool:
    """False when there is no environment, or its interpreter is gone, too old or without pip."""
    probe = f"import sys, pip; sys.exit(sys.version_info < {OLDEST})"
    return PYTHON.exists() and subprocess.run([str(PYTHON), "-c", probe], check=False, capture_output=True).returncode == 0  # noqa: S603


class Progress:
    """One moving line on a terminal, a line now and then elsewhere."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.seen = 0
        self.megabytes = 0.0
        self.shown_at = time.monotonic()

    def feed(self, line: str) -> None:
        if line.startswith("Collecting "):
            self.seen += 1
        size = re.match(r"\s*Downloading .*\(([\d.]+) ([kM])B\)", line)
        if size:
            self.megabytes += float(size.group(1)) / (1 if size.group(2) == "M" else 1000)
        text = f"{self.seen}/{self.total}, {self.megabytes:.0f} MB"
        if line.startswith("Installing collected"):
            text += " … installing"
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K  {text}")
            sys.stderr.flush()
        elif time.monotonic() - self.shown_at > QUIET_SECONDS:
            self.shown_at = time.monotonic()
            say(f"  {text}")

    def finish(self) -> None:
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")


def install(requirements: Path) -> None:
    wanted = len(re.findall(r"^[A-Za-z0-9].*==", requirements.read_text("utf-8"), re.MULTILINE))
    say(f"· {requirements.name}: {wanted} packages, every file checked by its hash (first time: a few minutes)")
    started = time.monotonic()
    progress = Progress(wanted)
    command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--no-input", "--disable-pip-version-check"]
    command += ["--progress-bar", "off", "--prefer-binary", "--retries", "5", "--timeout", "60", "-r", str(requirements)]
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, encoding="utf-8", errors="replace") as pip:  # noqa: S603
        for line in pip.stdout or ():
            lines.append(line)
            progress.feed(line)
    progress.finish()
    if pip.returncode != 0:
        say("".join(lines[-25:]))
        stop(
            "依赖安装失败：原因见上。检查网络或 pip 的软件源设置后重试。\n"
            "Installing the dependencies failed, see above; mend it and run make again."
        )
    say(f"· done in {time.monotonic() - started:.0f} s, {progress.megabytes:.0f} MB downloaded")


def install_project() -> None:
    """Make the checkout importable and write the ``hub`` command. No build is needed, so none can fail."""
    site = subprocess.run(  # noqa: S603
        [str(PYTHON), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], check=True, capture_output=True, encoding="utf-8"
    ).stdout.strip()
    (Path(site) / "disclosure_hub.pth").write_text(f"{ROOT}\n", "utf-8")
    command = VENV / "bin" / "hub"
    # /bin/sh finds the interpreter: a #! line would end at the first space of the folder's name.
    command.write_text(f'#!/bin/sh\nexec "{PYTHON}" -m hub.cli "$@"\n', "utf-8")
    command.chmod(0o755)


def main(arguments: list[str]) -> None:
    continue_with_newer_python()
    runtime, dev = ROOT / "requirements.txt", ROOT / "requirements-dev.txt"
    requirements = dev if "--dev" in arguments else runtime
    with (ROOT / ".bootstrap.lock").open("w") as lock:
        # Two makes at once must not install into one folder.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if PYTHON.exists() and is_stamped(requirements):
            return
        if not usable():
            create_venv()
        install(requirements)
        install_project()
        # The development file holds everything the hub runs on.
        for each in {requirements, runtime}:
            stamp(each).write_text(expected(each), "utf-8")


def stamp(requirements: Path) -> Path:
    return VENV / f".installed-{requirements.stem}"


def expected(requirements: Path) -> str:
    """Changes with the requirements, and with the place of the checkout, whose path the environment holds."""
    return f"{hashlib.sha256(requirements.read_bytes()).hexdigest()} {ROOT}\n"


def is_stamped(requirements: Path) -> bool:
    return stamp(requirements).exists() and stamp(requirements).read_text("utf-8") == expected(requirements)


if __name__ == "__main__":
    main(sys.argv[1:])
