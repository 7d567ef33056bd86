"""The ``hub`` command. Exit codes: 0 fine, 1 found wrong or refused, 2 bad call or configuration."""

from __future__ import annotations

import sys
from importlib import import_module


def main() -> None:
    """Run the command line; what the rules refuse and what is misconfigured is said in one sentence, not as a traceback."""
    if sys.argv[1:2] in (["web"], ["worker"], ["beat"]):
        # What only starts a process does not wait for the parts that read Word, Excel and PDF to load.
        import_module("hub.cli.processes").app()
    else:
        app = import_module("hub.cli.root").app
        # stdout belongs to the answer; what the parts have to say while working goes to stderr.
        import_module("hub.logs").configure_logging("ERROR")
        sys.exit(import_module("hub.cli.mistakes").run(app))
