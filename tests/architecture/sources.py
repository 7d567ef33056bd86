"""The checkout as these tests read it: files by kind, and Python as syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("hub", "channels", "workers")
OURS = (*CODE, "tests", "scripts", "templates", "docs", "deploy", "examples", "bench")


def python_files(*folders: str) -> list[Path]:
    """Python files below the folders, as paths relative to the checkout."""
    return sorted(path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts)


def text_files() -> list[Path]:
    """Every text file that is ours, relative to the checkout; sample data and compiled requirements excepted."""
    endings = {".py", ".md", ".html", ".css", ".toml", ".yml", ".conf", ".j2", ".xml", ".txt", ".js"}
    below = [path for folder in OURS for path in (ROOT / folder).rglob("*") if path.suffix in endings and "__pycache__" not in path.parts]
    top = [path for path in ROOT.iterdir() if path.is_file() and (path.suffix in endings or path.name in {"Makefile", "Dockerfile"})]
    return sorted(path.relative_to(ROOT) for path in (*below, *top) if not path.name.startswith("requirements"))


def markdown_files() -> list[Path]:
    return [path for path in text_files() if path.suffix == ".md" and path.parts[0] != "examples"]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text("utf-8"), filename=str(path))


def imports(path: Path) -> Iterator[str]:
    """Absolute names of the modules a file imports."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call))


def called(call: ast.Call) -> str:
    """Source text of what is called: ``work.commit``, ``Session``."""
    return ast.unparse(call.func)


def functions(*folders: str) -> dict[str, Path]:
    """Every function by its name, and the file that defines it."""
    return {
        node.name: path
        for path in python_files(*folders)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
