"""Beacons: what every answer is held against. Some entities never change, some are never found.

Each has a word in its title that no other has. Whoever searches for the word of a beacon must find
it, or be told that he cannot be answered; whoever searches for that of a hidden one finds nothing.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from demo import writes
from demo.application import Application
from suggest import builder
from suggest.phrases import Phrase
from suggest.store import Store

_COUNT = 40
_HIDDEN = 10
# Words far from each other, so that tolerance of typing errors leads from none to another.
_SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo")
_WORD = 6  # syllables


@dataclass(frozen=True, kw_only=True)
class Beacon:
    """An entity that never changes."""

    id: str
    word: str  # that its title alone has
    title: str


@dataclass(frozen=True, kw_only=True)
class Beacons:
    """Those that are lit, and those that are hidden."""

    lit: Sequence[Beacon]
    hidden: Sequence[Beacon]

    @property
    def hidden_ids(self) -> frozenset[str]:
        """What no answer may contain."""
        return frozenset(one.id for one in self.hidden)


async def light(application: Application, chance: random.Random) -> Beacons:
    """Make them, with an owner; they are told of by no event."""
    [owner] = await application.commit(writes.create_user("Keeper"))
    words = ["".join(chance.choices(_SYLLABLES, k=_WORD)) for _ in range(_COUNT + _HIDDEN)]
    titles = [f"Beacon {word}" for word in words]
    made = await application.commit(*(writes.create_sound(owner.id, title) for title in titles))
    beacons = [
        Beacon(id=str(one.id), word=word, title=title)
        for one, word, title in zip(made, words, titles, strict=True)
    ]
    hidden = beacons[_COUNT:]
    await application.commit(*(writes.make_private("sound", int(one.id)) for one in hidden))
    return Beacons(lit=beacons[:_COUNT], hidden=hidden)


def publish(store: Store, beacons: Beacons) -> str:
    """Have the lit ones suggested; the edition of the snapshot."""
    phrases = [
        Phrase(one.word, float(number), "sound", one.id, f"/{one.id}")
        for number, one in enumerate(beacons.lit, 1)
    ]
    edition = store.put(builder.build(phrases).pieces)
    store.publish(edition)
    return edition
