"""The overlay: what changed since a snapshot, kept in layers above it. No I/O.

What is gone is hidden at once. What is new or renamed is packed into a layer, by the builder of
snapshots, and what it takes the place of is hidden when the layer is put up. Layers grow like the
levels of a log-structured tree: one takes in those before it that are not much larger, so that
there are few, and each phrase is packed a few times at most.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from suggest import builder, snapshot
from suggest.engine import Engine
from suggest.entity_index import EntityIndex, Shown
from suggest.layers import Layers
from suggest.phrases import Phrase

Key = tuple[str, int]  # entity type and id
Phrases = tuple[Phrase, ...]

_GROWTH: Final = 4  # a layer takes in those before it that have up to so many times its phrases


class Outcome(StrEnum):
    """What became of a change. Each has exactly one."""

    SHOWN = "shown"  # its phrases are new, or others than before
    HIDDEN = "hidden"  # it is suggested no more
    RESTORED = "restored"  # it is again as the snapshot has it
    UNCHANGED = "unchanged"  # it is suggested as it was; what it weighs waits for the next snapshot
    REFUSED = "refused"  # there is no room for it, so it stays as it was


@dataclass(frozen=True, kw_only=True)
class Packing:
    """What a layer is to be made of."""

    content: Mapping[Key, Phrases]
    fresh: frozenset[Key]  # those of them that no layer shows so
    taken_in: Sequence["_Layer"]  # the layers that it takes the place of
    top: float  # what costs are counted from


class Overlay:
    """What differs from one snapshot. One thread uses it, but for `pack`."""

    def __init__(self, layers: Layers, most: int) -> None:
        self._layers = layers
        self._most = most
        self._index = EntityIndex(layers.base.snapshot)
        self._wanted: dict[Key, Phrases] = {}  # instead of the snapshot's; nothing: hidden
        self._placed: dict[Key, _Layer] = {}
        self._fresh: dict[Key, None] = {}  # wanted, and not packed yet; the oldest first
        self._above: list[_Layer] = []
        self._digest = 0  # of all that is shown otherwise than by the snapshot
        self._shown: dict[Key, int] = {}  # the part of each entity in it
        self.phrases = 0  # wanted ones

    @property
    def entities(self) -> int:
        """How many entities differ from the snapshot."""
        return len(self._wanted)

    @property
    def is_packed(self) -> bool:
        """Whether everything is in a layer."""
        return not self._fresh

    def apply(self, found: Mapping[Key, Phrases]) -> dict[Key, Outcome]:
        """Take the phrases that entities have now; none for one that must not be suggested."""
        outcomes = {key: self._take(key, phrases) for key, phrases in found.items()}
        self._put_up()
        return outcomes

    def plan(self) -> Packing | None:
        """What the next layer is to be made of; None if nothing is to be packed."""
        fresh = {key: self._wanted[key] for key in self._fresh}
        self._fresh.clear()
        if not fresh:
            return None
        size = sum(map(len, fresh.values()))
        kept = len(self._above)
        while kept and self._above[kept - 1].size <= size * _GROWTH:
            kept -= 1
            size += self._above[kept].size
        taken_in = self._above[kept:]
        content = {key: self._wanted[key] for layer in taken_in for key in layer.keys} | fresh
        top = float(self._layers.base.snapshot.facts["top"])
        return Packing(content=content, fresh=frozenset(fresh), taken_in=taken_in, top=top)

    def put(self, packing: Packing, layer: "_Layer") -> None:
        """Show a layer that was packed, but for what went away meanwhile."""
        for key, phrases in packing.content.items():
            if not self._wanted.get(key):  # it went away while the layer was packed
                layer.hide(key)
                continue
            former = self._placed.get(key)
            self._placed[key] = layer
            if former in packing.taken_in and key not in packing.fresh:
                continue  # it only moves
            if former:
                former.hide(key)
            self._hide_base(key, hidden=True)
            self._note(key, phrases)
        self._above = [*(one for one in self._above if one not in packing.taken_in), layer]
        self._put_up()

    def _take(self, key: Key, phrases: Phrases) -> Outcome:
        located = self._index.find(*key)
        own = frozenset(located.shown) if located else frozenset()
        wanted = self._wanted.get(key)
        now = own if wanted is None else _shown(wanted)
        if _shown(phrases) == now:
            return Outcome.UNCHANGED
        size = len(phrases) - len(wanted or ())
        if _shown(phrases) == own:
            self._forget(key)
            self._hide_base(key, hidden=False)
            return Outcome.RESTORED if own else Outcome.HIDDEN
        if not phrases:
            self._forget(key)
            self._hide_base(key, hidden=True)
            self._wanted[key] = ()
            self._note(key, ())
            return Outcome.HIDDEN
        if self.phrases + size > self._most:
            return Outcome.REFUSED
        self._wanted[key] = phrases
        self._fresh[key] = None
        self.phrases += size
        return Outcome.SHOWN

    def _forget(self, key: Key) -> None:
        """Leave the layers above, at once."""
        self.phrases -= len(self._wanted.pop(key, ()))
        self._fresh.pop(key, None)
        if layer := self._placed.pop(key, None):
            layer.hide(key)
        self._digest ^= self._shown.pop(key, 0)

    def _note(self, key: Key, phrases: Phrases) -> None:
        """Have the digest tell of what is shown of an entity."""
        content = repr((key, sorted(_shown(phrases), key=repr))).encode()
        part = int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big")
        self._digest ^= self._shown.get(key, 0) ^ part
        self._shown[key] = part

    def _hide_base(self, key: Key, *, hidden: bool) -> None:
        if (number := self._index.number(*key)) is not None:
            self._layers.base.hide(number, hidden=hidden)

    def _put_up(self) -> None:
        self._layers.put([layer.engine for layer in self._above], self._digest)


class _Layer:
    """A small snapshot above another."""

    def __init__(self, content: Mapping[Key, Phrases], top: float) -> None:
        phrases = [phrase for some in content.values() for phrase in some]
        self.engine = Engine(snapshot.in_memory(builder.build(phrases, top=top).pieces))
        self.keys = dict.fromkeys(content)  # those that it shows, in the order of their changes
        self.size = len(phrases)
        self._index = EntityIndex(self.engine.snapshot)

    def hide(self, key: Key) -> None:
        """Leave an entity out of answers."""
        self.keys.pop(key, None)
        if (number := self._index.number(*key)) is not None:
            self.engine.hide(number)


def pack(packing: Packing) -> _Layer:
    """The layer; may be made by another thread than uses the overlay."""
    return _Layer(packing.content, packing.top)


def _shown(phrases: Phrases) -> frozenset[Shown]:
    return frozenset((phrase.text, phrase.permalink) for phrase in phrases)
