"""Widening needs an engine: see tests/integration. Here is what happens when there is none."""

import asyncio
import socket
import time

import pytest

from core.settings import Settings
from query_api.forgiveness import Forgiven, Forgiveness, Unanswered
from query_api.guarded_engine import create_guarded_engine
from query_api.parameters import SearchRequest
from query_api.profiles import Profiles
from query_api.variant_indices import Placed
from query_api.variants import Variant

LEFT = 0.1  # seconds
PATIENCE = 10.0  # seconds; as long as the engine may take for one call, and longer


@pytest.mark.parametrize("is_there", [True, False])
def test_an_engine_that_does_not_answer_costs_nobody_an_answer(
    profiles: Profiles, is_there: bool
) -> None:
    nothing = {"hits": {"total": {"value": 0, "relation": "eq"}}}
    source = {"type": "sound", "title": "Thunder"}
    hardly = {
        "hits": {"total": {"value": 1, "relation": "eq"}, "hits": [{"_source": source}]},
    }

    live = Variant(name="live", profiles=profiles)

    async def tried(port: int) -> list[Forgiven]:
        settings = Settings(engine_url=f"http://127.0.0.1:{port}")
        async with create_guarded_engine(settings, request_seconds=2 * PATIENCE) as engine:
            search = Unanswered(
                request=SearchRequest(text="rian", entities=("sound",), limit=1),
                placed=Placed(variant=live, indices={"sound": "disco-sound-1"}),
                began=time.monotonic(),
                deadline=LEFT,
            )
            forgiveness = Forgiveness(engine)
            return [await forgiveness.forgiven(search, one) for one in (nothing, hardly)]

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        if not is_there:
            listener.close()
        began = time.monotonic()
        assert asyncio.run(tried(port)) == [Forgiven(response=one) for one in (nothing, hardly)]
    assert time.monotonic() - began < PATIENCE
