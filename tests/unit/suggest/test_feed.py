"""Which events have an entity looked at; how they are followed is tested on real services."""

import pytest

from core.events import Action, Event, encode, routing_key
from core.settings import Settings
from suggest import builder, snapshot
from suggest.engine import Engine
from suggest.feed import Feed
from suggest.layers import Layers
from suggest.phrases import Phrase


@pytest.mark.parametrize(
    ("action", "waiting"),
    [(Action.CREATE, 1), (Action.SAVE, 1), (Action.DESTROY, 1), (Action.REFRESH, 0)],
)
async def test_activity_has_nothing_looked_at(action: Action, waiting: int) -> None:
    phrases = [Phrase("Rain", 1.0, "sound", "1", "/1")]
    layers = Layers(Engine(snapshot.in_memory(builder.build(phrases).pieces)))
    feed = Feed(Settings(), layers, None)
    event = Event("sound", 2, action, 1_772_281_800_123_456)
    feed._note(routing_key(event), encode(event))
    assert feed.waiting == waiting
