"""The ``hub`` command. Exit codes: 0 fine, 1 found wrong or refused, 2 bad call or configuration."""

from __future__ import annotations

import sys
from importlib import import_module

import typer
from rich.console import Console

from hub.domain.problems import Invalid, Refusal
from hub.settings import BadConfig


def main() -> None:
    """Run the command line; what the rules refuse and what is misconfigured is said in one sentence, not as a traceback."""
    errors = Console(stderr=True)
    try:
        _app()()
    except Invalid as invalid:
        for problem in invalid.problems:
            errors.print(f"[red]✗[/] {problem}", highlight=False)
        sys.exit(1)
    except Refusal as refusal:
        errors.print(f"[red]✗[/] {refusal.message}", highlight=False)
        sys.exit(1)
    except BadConfig as bad:
        errors.print(f"[red]✗[/] {bad}", highlight=False)
        sys.exit(2)


def _app() -> typer.Typer:
    """The tree of commands. What only starts a process does not wait for the parts that read Word, Excel and PDF to load."""
    starting = sys.argv[1:2] in (["web"], ["worker"], ["beat"])
    app: typer.Typer = import_module("hub.cli.processes" if starting else "hub.cli.root").app
    return app
