"""The door of suggestions: what the command line may ask of them.

Somebody waits for `disco suggest query`: what only a build or the service needs is imported there.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.errors import ServiceUnavailableError
from suggest import phrases, snapshot
from suggest.errors import SnapshotError, SuggestError
from suggest.folding import fold
from suggest.kernel import mode
from suggest.kernel.memory import DEFAULT_LIMIT, MOST_RESULTS
from suggest.phrases import Phrase
from suggest.store import Store

if TYPE_CHECKING:
    from core.settings import Settings
    from suggest.builder import Built
    from suggest.engine import Engine
    from suggest.positions import Position
    from suggest.sources import Collected

__all__ = [
    "DEFAULT_LIMIT",
    "MOST_RESULTS",
    "BuildReport",
    "Sample",
    "Store",
    "UnknownTypeError",
    "answer_lines",
    "build_file",
    "build_from_database",
    "open_file",
    "open_store",
    "publish",
    "serve",
]

_SAMPLES: Final = 5
_SAMPLE_LENGTH: Final = 3  # characters typed
_SAMPLE_TEXTS: Final = 3


class UnknownTypeError(SuggestError):
    """No phrase of the snapshot has that type. The message lists those there are."""

    exit_code = 2


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A beginning, and the texts that it is completed to."""

    typed: str
    texts: Sequence[str]
    before: Sequence[str] = ()  # those of the snapshot that is published


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """A snapshot that was built."""

    edition: str
    size: int  # bytes
    facts: dict[str, Any]  # counts, types, and the rank edition, as the snapshot has them
    samples: Sequence[Sample]  # what the heaviest phrases begin with
    sources: "Sequence[Collected]"  # what each source of the database gave; none for a file
    position: str | None = None  # where it ends in the stream of changes; None: that is not known


def build_file(source: Path, output: Path | None, *, word_starts: bool = True) -> BuildReport:
    """Build a snapshot of a file of phrases, and write it to `output` unless that is None.

    Raises:
        PhraseError: A line of the file is wrong; the message has its number.
        SnapshotError: The snapshot cannot be written.
    """
    from suggest import builder  # noqa: PLC0415 - see above

    built = builder.build(phrases.read(source), word_starts=word_starts)
    pieces = built.pieces
    if output is not None:
        snapshot.write(output, pieces)
    return _report(built, pieces)


async def build_from_database(
    settings: "Settings", *, force: bool, dry_run: bool, ranks: str | None = None
) -> BuildReport:
    """Build a snapshot of all that the sources find, into the store.

    Ranks are in the weights: of the live rank edition, if there is one, or of that which `ranks`
    names; "none" means no ranks. The facts name the edition.

    Raises:
        SourceError: A source cannot be used.
        RankStoreError: The rank edition cannot be.
        DriftError: It has far fewer phrases of a type than the published one; not with `force`.
        ServiceUnavailableError: The database does not answer, or the engine, which knows what is
            live.
    """
    from suggest import builder, drift, rank_weights, sources  # noqa: PLC0415 - see above

    found: list[Phrase] = []
    weights = await rank_weights.choose(settings, ranks)
    position = None if dry_run else await _mark(settings)
    collected = await sources.collect(
        settings, sources.load(), found, weights, level=position is not None
    )
    built = builder.build(found)
    if weights is not None:
        built = replace(built, facts=built.facts | {"rank_edition": weights.edition})
    store = open_store(settings)
    if not force:
        drift.check(built.facts, store.published_facts())
    pieces = built.pieces
    if not dry_run:
        store.put(pieces, position)
    report = _report(built, pieces, collected)
    return replace(
        report,
        samples=_compared(store, report.samples, pieces),
        position=None if position is None else str(position),
    )


def open_file(path: Path, types: Sequence[str] = (), *, few: bool = False) -> "Engine":
    """An engine on a snapshot file.

    Args:
        path: The file.
        types: Entity types that will be asked for.
        few: Whether so little will be asked that machine code is not worth loading.

    Raises:
        SnapshotError: It cannot be used.
        UnknownTypeError: It has no phrases of one of the types.
    """
    if few:
        mode.prefer_plain()
    from suggest.engine import Engine  # noqa: PLC0415 - see above, and after the mode is chosen

    engine = Engine.open(path)
    if unknown := sorted(set(types) - set(engine.types)):
        there = ", ".join(engine.types) or "none"
        raise UnknownTypeError(f"{path} has no type {', '.join(unknown)}; its types: {there}")
    return engine


def open_store(settings: "Settings") -> Store:
    """The store of these settings."""
    return Store(Path(settings.suggest_store))


def publish(store: Store, what: str, *, dry_run: bool = False) -> str:
    """Have an edition of the store served, or a snapshot file, which is taken into it.

    Returns:
        The edition.

    Raises:
        StoreError: It is neither.
        SnapshotError: Its file cannot be used.
    """
    path = Path(what)
    if path.is_file():
        edition = snapshot.load(path).edition if dry_run else store.add(path)
    else:
        edition = what
        snapshot.load(store.existing(edition))
    if not dry_run:
        store.publish(edition)
    return edition


def answer_lines(
    engine: "Engine", lines: Iterable[bytes], **options: Any
) -> Iterator[tuple[bytes, Sequence[int]]]:
    """Answers to beginnings that come as bytes, in as few pieces as possible.

    Yields:
        Answers, a line each, and the numbers (from 0) of the beginnings among `lines` that are no
        UTF-8. Those have no completions.
    """
    typed, bad = [], []
    for number, line in enumerate(lines):
        try:
            typed.append(line.decode())
        except UnicodeDecodeError:
            typed.append("")
            bad.append(number)
    for piece in engine.answer_lines(typed, **options):
        yield piece, bad
        bad = []


def serve(settings: "Settings", *, on_listening: Callable[[str], None]) -> None:
    """Serve what the store publishes, until SIGTERM or SIGINT; see `serving`."""
    from suggest import serving  # noqa: PLC0415 - see above

    serving.serve(settings, on_listening=on_listening)


async def _mark(settings: "Settings") -> "Position | None":
    """Where in the stream of changes what is read next begins; None without the broker."""
    if not settings.suggest_overlay_phrases:
        return None
    from core.broker import UNAVAILABLE_ERRORS  # noqa: PLC0415 - see above
    from suggest import change_stream  # noqa: PLC0415 - see above

    try:
        return await change_stream.mark(settings)
    except (*UNAVAILABLE_ERRORS, ServiceUnavailableError):
        return None


def _report(
    built: "Built", pieces: Sequence[bytes], collected: "Sequence[Collected]" = ()
) -> BuildReport:
    return BuildReport(
        edition=snapshot.edition_of(pieces),
        size=sum(map(len, pieces)),
        facts=built.facts,
        samples=list(_samples(built.heaviest)),
        sources=collected,
    )


def _compared(store: Store, samples: Sequence[Sample], pieces: Sequence[bytes]) -> Sequence[Sample]:
    """Samples as the engine answers them, by what was built and by what is published."""
    from suggest.engine import Engine  # noqa: PLC0415 - see above

    built, published, edition = Engine(snapshot.in_memory(pieces)), None, store.published()
    with contextlib.suppress(SnapshotError):  # of another version, perhaps
        published = Engine.open(store.path_of(edition)) if edition else None
    return [
        Sample(
            typed=one.typed,
            texts=_completed(built, one.typed),
            before=_completed(published, one.typed) if published else (),
        )
        for one in samples
    ]


def _completed(engine: "Engine", typed: str) -> Sequence[str]:
    found = engine.completions(typed, limit=_SAMPLE_TEXTS, fuzzy=False)
    return [completion["text"] for completion in found]


def _samples(heaviest: Sequence[Phrase]) -> Iterator[Sample]:
    """Beginnings of the heaviest phrases, with what stands first below each."""
    folded = [fold(phrase.text) for phrase in heaviest]
    beginnings = dict.fromkeys(text[:_SAMPLE_LENGTH] for text in folded)
    for typed in islice(beginnings, _SAMPLES):
        texts = (
            phrase.text
            for phrase, text in zip(heaviest, folded, strict=True)
            if text.startswith(typed)
        )
        yield Sample(typed=typed, texts=list(islice(texts, _SAMPLE_TEXTS)))
