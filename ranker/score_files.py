"""Files of scores, `id<TAB>score` a line: read as a prior or a teleport vector, and written."""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranker import inputs, text_tables
from ranker.errors import OutputError, ScoreFileError
from ranker.graph import Floats
from ranker.node_ids import NodeIds

LAYOUT = text_tables.Layout(
    ids=("id",), number="score", number_optional=False, error=ScoreFileError
)


def read(path: str, ids: NodeIds) -> Floats:
    """One value a node, scaled so that the file's sum to 1; NaN for nodes that it does not name.

    Raises:
        ScoreFileError: the file cannot be read, a line is malformed, an id comes twice, or nothing
            is above zero.
    """
    name = inputs.name_of(path)
    with inputs.opened(path, ScoreFileError) as file:
        batches = list(text_tables.read(file, name, LAYOUT))
    named = pa.chunked_array(
        [text_tables.as_text(rows.ids[0]) for rows in batches], pa.string()
    ).combine_chunks()
    numbers = [rows.numbers for rows in batches if rows.numbers is not None]
    scores = np.concatenate([np.empty(0), *numbers])
    _check(named, scores, name)
    return ids.values(named, scores / scores.sum())


def _check(named: pa.Array, scores: Floats, name: str) -> None:
    if not 0.0 < scores.sum() < np.inf:
        raise ScoreFileError(name, "holds no scores above zero; a line is id, score")
    if pc.count_distinct(named).as_py() < len(named):
        counts = pc.value_counts(named)
        twice = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")[0]
        raise ScoreFileError(name, f"the id {twice} stands in several lines; leave one of them")


def lines(ids: NodeIds, scores: Floats) -> Iterator[str]:
    """The file's text, in pieces: by falling score, ties by id; every digit that a float has."""
    for some, values in ids.ranked(scores):
        yield "".join(map("{}\t{!r}\n".format, some, values))


def check_writable(path: str) -> None:
    """Find out before a long calculation whether its result could be written there.

    Raises:
        OutputError: it could not.
    """
    target = Path(path)
    if target.is_dir():
        raise OutputError(f"{path} is a folder; name a file")
    folder = Path(os.path.realpath(target)).parent
    if not folder.is_dir():
        raise OutputError(f"{path}: there is no folder {folder}; make it, or name another")
    if not os.access(target if _is_special(target) else folder, os.W_OK):
        raise OutputError(f"{path} cannot be written; name another file")


def write(path: str, pieces: Iterable[str]) -> None:
    """Write the whole file, or leave what was there: it takes its place when it is complete.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        with _replacing(Path(path)) as file:
            for piece in pieces:
                file.write(piece)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror}); what was there is unchanged"
        ) from error


@contextmanager
def _replacing(target: Path) -> Iterator[IO[str]]:
    if _is_special(target):  # a pipe or a terminal, which nothing can take the place of
        with target.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        return
    target = Path(os.path.realpath(target))
    descriptor, partial = tempfile.mkstemp(
        dir=target.parent, prefix=f".{target.name}.", suffix=".partial"
    )
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(partial).chmod(_mode(target))
        Path(partial).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(partial).unlink()
        raise


def _is_special(target: Path) -> bool:
    return target.exists() and not target.is_file()


def _mode(target: Path) -> int:
    """That of the file which is replaced; for a new one, what the process gives to new files."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
