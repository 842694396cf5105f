"""Definitions that differ from the project's own in one place."""

import shutil
from pathlib import Path

from core.settings import Settings


def altered(folder: Path, file: str, old: str, new: str) -> str:
    """A copy of the project's definitions in `folder`, with `new` instead of `old` in one file.

    Returns the folder as the setting `definitions` takes it.
    """
    copy = folder / "definitions"
    if not copy.exists():
        shutil.copytree(Settings().definitions_path, copy)
    text = (copy / file).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
    (copy / file).write_text(text.replace(old, new), encoding="utf-8")
    return str(copy)
