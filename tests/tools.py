"""Programs some tests use if the machine has them. Run as a script it says which are missing; ``--packages`` lists Debian's names."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Tool:
    """One program: what the tests lose without it, and the Debian packages that bring it."""

    program: str
    purpose: str
    packages: tuple[str, ...]


TOOLS = (
    Tool("chromium", "looks at the pages in a browser", ("chromium", "fonts-noto-cjk")),
    Tool("jing", "validates Atom feeds against RFC 4287's RelaxNG", ("jing",)),
    Tool("newsboat", "reads the feeds as a subscriber does", ("newsboat",)),
    Tool("nginx", "serves the site with the configuration of deploy/", ("nginx-light",)),
)


def find(program: str) -> str | None:
    """Path of a program of the table, also where only root's PATH leads. Raises KeyError for a name that is not in it."""
    if program not in {tool.program for tool in TOOLS}:
        raise KeyError(f"{program} is not in tests/tools.py")
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin:/usr/local/sbin")


def need(program: str) -> str:
    """Path of the program, or skip the calling test, saying what to install."""
    import pytest

    path = find(program)
    if path is None:
        tool = next(tool for tool in TOOLS if tool.program == program)
        pytest.skip(f"{program} is not installed (apt-get install {' '.join(tool.packages)}); it {tool.purpose}")
    return path


def main(arguments: list[str]) -> None:
    if "--packages" in arguments:
        print(" ".join(package for tool in TOOLS if find(tool.program) is None for package in tool.packages))
        return
    for tool in TOOLS:
        if find(tool.program) is None:
            print(
                f"note: {tool.program} is missing, the tests where it {tool.purpose} are skipped: apt-get install {' '.join(tool.packages)}"
            )


if __name__ == "__main__":
    main(sys.argv[1:])
