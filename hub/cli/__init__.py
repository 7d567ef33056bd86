"""The ``hub`` command. Exit codes: 0 fine, 1 found wrong or refused, 2 bad call or configuration."""

from __future__ import annotations

import sys

from rich.console import Console

from hub.cli.root import app
from hub.domain.problems import Invalid, Refusal
from hub.settings import BadConfig


def main() -> None:
    """Run the command line; what the rules refuse and what is misconfigured is said in one sentence, not as a traceback."""
    errors = Console(stderr=True)
    try:
        app()
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
