"""What went wrong, in one Chinese sentence and an exit code. A bug still shows its traceback: it is for us, not for the user."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import typer
from pydantic import ValidationError
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from hub.app.seal import Inconsistent
from hub.cli.printing import complain
from hub.cli.shared import let_go, reasons
from hub.domain.problems import Refusal
from hub.settings import BadConfig
from hub.store.record import RecordBroken

FOUND_WRONG, BAD_CALL = 1, 2
# Typer offers no public name for the two classes above its BadParameter; which package they come from changed between versions.
UsageError: type[Exception] = typer.BadParameter.__bases__[0]
PHRASES = (
    (re.compile(r"is not one of (.+?)\.?$"), r"只能是 \1"),
    (re.compile(r"valid integer"), "应为整数"),
    (re.compile(r"greater than or equal to (\S+)"), r"不能小于 \1"),
    (re.compile(r"less than or equal to (\S+)"), r"不能大于 \1"),
    (re.compile(r"valid number"), "应为数"),
    (re.compile(r"No such command '?([^'.]*)'?"), r"没有命令“\1”"),
    (re.compile(r"No such option:? '?([^' ]+)'?"), r"没有选项 \1"),
    (re.compile(r"Option '(.+)' requires an argument"), r"选项 \1 后面要写值"),
    (re.compile(r"Option '(.+)' does not take a value"), r"选项 \1 后面不写值"),
    (re.compile(r"unexpected extra arguments? ?(?:\(s\))? ?\((.+)\)"), r"多余的参数：\1"),
)
"""What the parser of command lines says in English."""
_SYSTEM = {
    FileNotFoundError: "文件或目录不存在",
    PermissionError: "没有权限",
    IsADirectoryError: "这是一个目录",
    NotADirectoryError: "路径中有一段不是目录",
    FileExistsError: "已存在",
}


def run(app: Callable[..., object], args: Sequence[str] | None = None) -> int:
    """Run one command (``args``; None: those of the process) of a Typer or of what it builds; returns the exit code."""
    try:
        code = app(args, standalone_mode=False)
    except Refusal as refusal:
        return _tell(FOUND_WRONG, *reasons(refusal))
    except (Inconsistent, RecordBroken) as error:
        return _tell(FOUND_WRONG, f"{error}。请运行 hub audit verify 查明")
    except BadConfig as bad:
        return _tell(BAD_CALL, str(bad))
    except ValidationError as invalid:
        return _tell(BAD_CALL, *(f"环境变量 HUB_{'_'.join(map(str, e['loc'])).upper()} 的值“{e['input']}”不对" for e in invalid.errors()))
    except (ArgumentError, NoSuchModuleError):
        return _tell(BAD_CALL, "HUB_DATABASE_URL 不是数据库地址；应为 postgresql://用户:密码@主机/库名 或 sqlite:///文件")
    except OperationalError as error:
        return _tell(BAD_CALL, f"数据库无法使用：{' '.join(str(error.orig).split())}；请检查 HUB_DATABASE_URL 和数据库是否在运行")
    except UsageError as error:
        return _usage(error)
    except typer.Abort:
        return _tell(FOUND_WRONG, "已中止")
    except BrokenPipeError:
        # Whoever read our output has read enough (``| head``).
        return FOUND_WRONG
    except OSError as error:
        if error.filename is None:
            raise
        return _tell(BAD_CALL, f"无法读写 {error.filename}：{_SYSTEM.get(type(error), error.strerror)}")
    finally:
        let_go()
    return code if isinstance(code, int) else 0


def _tell(code: int, *sentences: str) -> int:
    for sentence in sentences:
        complain(sentence)
    return code


def _usage(error: Exception) -> int:
    """The classes are told apart by name, for the reason given above."""
    kind, ctx = type(error).__name__, getattr(error, "ctx", None)
    if kind == "NoArgsIsHelpError":
        show: Callable[[], None] = error.show  # type: ignore[attr-defined]
        show()
        return BAD_CALL
    # "python -m hub.cli items" is the same as "hub items", and shorter to read.
    path = " ".join(["hub", *ctx.command_path.split("hub.cli")[-1].removeprefix("hub").split()]) if ctx else "hub"
    return _tell(BAD_CALL, f"{_what(kind, error)}；用法见 {path} --help")


def _what(kind: str, error: Exception) -> str:
    param, message = getattr(error, "param", None), getattr(error, "message", "") or str(error)
    name = "" if param is None else next((o for o in param.opts if o.startswith("--")), f"<{param.name}>")
    if kind == "MissingParameter":
        return f"缺少 {name}"
    for english, chinese in PHRASES:
        if found := english.search(message):
            return f"{name} {found.expand(chinese)}".strip()
    return f"{name} {message}".strip()
