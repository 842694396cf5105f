"""Verifying: a generation is compared with the database, and differences are sent to be mended."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from core.broker import declare_topology, open_broker
from indexer import parity
from indexer.cascade import RefreshPublisher
from indexer.generation import Generation
from indexer.services import Services
from indexer.verification import Difference


@dataclass(kw_only=True)
class Verdict:
    """What a verification of one entity type found so far."""

    entity: str
    index: str  # generation that was compared
    compared: int = 0  # entities on either side
    differences: list[Difference] = field(default_factory=list)  # new ones since the last window
    kinds: Counter[str] = field(default_factory=Counter)  # all differences so far
    repaired: int = 0  # refresh events sent


async def verify(
    services: Services,
    entity: str,
    *,
    generation: Generation | None = None,
    repair: bool = False,
    patience: float = 5.0,
) -> AsyncIterator[Verdict]:
    """Compare every row with every document of a generation; yields after each window.

    Without a generation it is the live one. A difference counts when it is still there after
    `patience` seconds. With `repair`, a refresh event is sent for each; a running worker does the
    rest.
    """
    generation = generation or await services.generations.live(entity)
    verdict = Verdict(entity=entity, index=generation.index)
    windows = parity.compare(services, generation, patience=patience)
    async for compared, differences in windows:
        verdict.compared += max(compared.rows, compared.documents)
        verdict.differences = differences
        verdict.kinds.update(difference.kind for difference in differences)
        if repair and differences:
            verdict.repaired += await _repair(services, differences)
        yield verdict


async def _repair(services: Services, differences: Sequence[Difference]) -> int:
    now, _ = await services.fence.wait()
    async with open_broker(services.settings, name="disco verify") as connection:
        channel = await connection.channel()
        await declare_topology(channel, services.settings)
        repairable = [one.key for one in differences if one.is_repairable]
        await RefreshPublisher(channel).publish([(key, now) for key in repairable])
    return len(repairable)
