"""Who may import whom, and who may do what: rules that import-linter cannot say, and import-linter itself."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.sources import CODE, ROOT, called, calls, imports, python_files, tree

STANDARD = frozenset(sys.stdlib_module_names)
ENVIRONMENT = {Path("hub/settings.py")}
NETWORK = {Path("channels/http.py"), Path("hub/app/notices.py")}
"""The one seam to the platforms, and the hook that tells people outside."""


def _fits(path: Path, allowed: set[Path]) -> bool:
    return path in allowed or path.is_relative_to("hub/embedded")


def test_the_contracts_of_import_linter_hold(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-logo"]
    done = subprocess.run([*command, "--cache-dir", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_import_linter_knows_every_adapter() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    adapters = {f"channels.{path.parent.name}" for path in (ROOT / "channels").glob("*/__init__.py")} | {"channels.memory"}
    independent = next(each for each in contracts if each["id"] == "adapters-apart")
    contract_only = next(each for each in contracts if each["id"] == "contract-only")
    assert adapters == set(independent["modules"])
    assert adapters <= set(contract_only["forbidden_modules"])


@pytest.mark.parametrize("path", python_files("hub/domain"), ids=str)
def test_the_domain_uses_the_standard_library_only(path: Path) -> None:
    foreign = {name for name in imports(path) if name.split(".")[0] not in STANDARD and not name.startswith("hub.domain")}
    assert not foreign


@pytest.mark.parametrize("path", python_files("hub/embedded"), ids=str)
def test_what_is_run_as_a_file_needs_nothing_installed(path: Path) -> None:
    if path.name in {"tether.py", "guardian.py"}:
        assert all(name.split(".")[0] in STANDARD for name in imports(path))


def test_only_the_settings_read_the_environment() -> None:
    for path in python_files(*CODE):
        for node in ast.walk(tree(path)):
            reads = (isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv", "os.environb"}) or (
                isinstance(node, ast.ImportFrom) and node.module == "os" and any(each.name in {"environ", "getenv"} for each in node.names)
            )
            assert not reads or _fits(path, ENVIRONMENT), f"{path}:{node.lineno} reads the environment"  # type: ignore[attr-defined]


def test_only_the_seam_speaks_to_the_network() -> None:
    """A loopback platform may call back, as the real one does; it is never part of a hub that serves the public."""
    for path in python_files(*CODE):
        loopback = path.parts[0] == "channels" and path.name.startswith(("platform", "loopback"))
        if path not in NETWORK and not loopback:
            assert not {"requests", "httpx", "aiohttp", "urllib3"} & {name.split(".")[0] for name in imports(path)}, path


def test_only_the_unit_of_work_commits() -> None:
    for path in python_files("hub", "workers"):
        if path == Path("hub/store/uow.py"):
            continue
        for call in calls(path):
            if called(call).endswith(".commit"):
                # super(): a unit of work that does one thing more before it commits.
                assert called(call) in {"work.commit", "super().commit"}, f"{path}:{call.lineno} commits by itself"


def test_only_the_store_opens_sessions_and_transactions() -> None:
    for path in python_files("hub", "workers"):
        if path.is_relative_to("hub/store"):
            continue
        for call in calls(path):
            name = called(call)
            opens = name in {"Session", "sessionmaker", "scoped_session", "create_engine"} or name.endswith((".begin", "engine.connect"))
            assert not opens, f"{path}:{call.lineno} calls {name}"


def test_no_schedule_is_given_to_celery() -> None:
    """With Redis an ETA past the visibility timeout is delivered again and again; ``due_at`` is the schedule."""
    for path in python_files("hub", "workers"):
        for call in calls(path):
            given = {keyword.arg for keyword in call.keywords}
            if called(call).split(".")[-1] in {"apply_async", "send_task", "s", "si", "signature", "retry"}:
                assert not {"eta", "countdown", "expires_at"} & given, f"{path}:{call.lineno}"


def test_a_verb_never_sleeps_inside_a_transaction() -> None:
    for path in python_files("hub/app", "hub/store", "hub/domain"):
        assert not any(called(call) in {"time.sleep", "sleep"} for call in calls(path)), path
