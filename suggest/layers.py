"""Layers: a snapshot, and small ones of what changed since, searched as if they were one.

An entity is shown by one layer, and hidden in all others. Costs of all layers are counted from the
snapshot's heaviest phrase, so the order is that of one snapshot of everything; of equal weights the
older layer's comes first.
"""

from collections.abc import Collection, Sequence

from suggest.engine import LONGEST_TYPED, Engine, QueryError
from suggest.folding import fold_utf8
from suggest.kernel.memory import DEFAULT_LIMIT, MOST_RESULTS


class Layers:
    """Answers from a snapshot and what lies above it. One thread uses it."""

    def __init__(self, base: Engine) -> None:
        self.base = base
        self.tag = base.edition.encode()  # names what answers are made of
        self._above: Sequence[Engine] = ()

    def put(self, above: Sequence[Engine], digest: int) -> None:
        """Have other layers above the snapshot; the digest names all that differs from it."""
        self._above = above
        self.tag = f"{self.base.edition}{f'-{digest:016x}' if digest else ''}".encode()

    def answer(
        self,
        typed: str,
        limit: int = DEFAULT_LIMIT,
        types: Collection[str] = (),
        fuzzy: bool = True,
    ) -> bytes:
        """The answer to a beginning, as `Engine.answer`; raises `QueryError`."""
        if not self._above:
            return self.base.answer(typed, limit=limit, types=types, fuzzy=fuzzy)
        if not 1 <= limit <= MOST_RESULTS:
            raise QueryError(f"limit is {limit}; use 1 to {MOST_RESULTS}")
        folded = fold_utf8(typed[:LONGEST_TYPED])
        layers = (self.base, *self._above)
        counts = [layer.find(folded, limit, types, fuzzy) for layer in layers]
        if fuzzy and not any(counts):
            counts = [layer.find_further() for layer in layers]
        if not any(counts[1:]):
            return self.base.written()
        return self._merged(layers, limit)

    def _merged(self, layers: Sequence[Engine], limit: int) -> bytes:
        """The best of all layers, each written by its own."""
        best = sorted(
            (*order, number, at)
            for number, layer in enumerate(layers)
            for at, order in enumerate(layer.found())
        )
        pieces = b",".join([layers[number].piece(at) for *_, number, at in best[:limit]])
        return b'{"completions":[%b],"snapshot":"%b"}' % (pieces, self.base.edition.encode())
