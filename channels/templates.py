"""Where the templates lie: beside the packages in a checkout, inside ``hub`` in an installed wheel."""

from __future__ import annotations

from pathlib import Path


def templates_dir() -> Path:
    """Return the folder that holds ``site/``, ``console/``, ``channels/`` …; FileNotFoundError when neither place has it."""
    root = Path(__file__).resolve().parents[1]
    for folder in (root / "templates", root / "hub" / "_templates"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"找不到模板目录：{root / 'templates'} 与 {root / 'hub' / '_templates'} 都不存在，请重新安装 disclosure-hub")
