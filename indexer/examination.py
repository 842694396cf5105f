"""Examinations: a generation is held against the database and against what is live, gate by gate.

What is asked of the services is here; what follows from the answers, in `gates.py`.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from elasticsearch import NotFoundError

from core.telemetry import logger
from indexer import gate_rules, parity, privacy
from indexer.errors import NoGenerationError, engine_within_reach
from indexer.gate_rules import skipped
from indexer.gates import Examination, Gate, Outcome, Ruling
from indexer.generation import Generation
from indexer.judged_queries import read as read_judged
from indexer.known_rows import known_rows
from indexer.probing import WORD, Gauge, Hit, KnownItem, Prober, Rankings
from indexer.services import Services

_PATIENCE: Final = 5.0  # seconds that a change may be on its way
_ITEMS: Final = 60  # entities that are looked for, each in several ways
_TIMED: Final = 30  # queries whose time is taken
_ROUNDS: Final = 3  # times that each is asked; the quickest counts
_ALWAYS: Final = ("permalink", "created_at", "updated_at")  # every hit is shown and sorted by these
_FOUND_BY: Final = "RR@10"  # how far up the entity stands that was looked for
_JUDGED_BY: Final = "nDCG@10"

log = logger("gates")


async def examine(
    services: Services, candidate: Generation, live: Generation | None, prober: Prober
) -> Examination:
    """Ask every gate about a generation; `live` is what it is held against.

    Raises `TemporarilyUnavailableError` when a service is away, and `NoGenerationError` when an
    index is: nothing is decided then.
    """
    subject = _Subject(services, candidate, live, prober)
    with engine_within_reach():
        try:
            rulings = [ruling async for ruling in _rulings(subject)]
        except NotFoundError as error:
            raise NoGenerationError(
                f"{candidate.index}, or what is live, was deleted while it was examined; look at "
                "`disco index list`"
            ) from error
    now, _ = await services.fence.wait()
    examination = Examination(
        rulings=rulings, examined_at=now, baseline=live.index if live else None
    )
    for one in examination.failed:
        log.warning("gate_failed", index=candidate.index, gate=one.gate, detail=one.detail)
    return examination


async def _rulings(subject: "_Subject") -> AsyncIterator[Ruling]:
    yield await subject.parity()
    yield await subject.population()
    yield await subject.coverage()
    yield await subject.contents()
    yield await subject.privacy()
    profile = await subject.profile()
    yield profile
    if profile.outcome is Outcome.FAILS:
        why = "no search can be made"
        for gate in (Gate.KNOWN_ITEMS, Gate.JUDGMENTS, Gate.LATENCY):
            yield skipped(gate, why)
        return
    items = await subject.items()
    yield await subject.known_items(items)
    yield await subject.judgments()
    yield await subject.latency(items)


@dataclass(frozen=True)
class _Subject:
    """The generation that is examined, and what it is held against."""

    services: Services
    candidate: Generation
    live: Generation | None
    prober: Prober

    async def parity(self) -> Ruling:
        compared, found = 0, []
        windows = parity.compare(self.services, self.candidate, patience=_PATIENCE)
        async for window, differences in windows:
            compared += max(window.rows, window.documents)
            found += [f"{one.entity} {one.id} ({one.kind})" for one in differences]
        return gate_rules.rule_parity(compared, found)

    async def population(self) -> Ruling:
        if self.live is None:
            return skipped(Gate.POPULATION, "nothing is live to compare with")
        await self.services.generations.refresh(self.live)
        documents, live = [await self._count(one.index) for one in (self.candidate, self.live)]
        return gate_rules.rule_population(documents, live)

    async def coverage(self) -> Ruling:
        if self.live is None:
            return skipped(Gate.COVERAGE, "nothing is live to compare with")
        names = profile_fields(self.services.profile_of(self.live))
        filled, live = [
            await _filled(self.services, one.index, names) for one in (self.candidate, self.live)
        ]
        counts = [await self._count(one.index) for one in (self.candidate, self.live)]
        return gate_rules.rule_coverage(filled, counts[0], live, counts[1])

    async def contents(self) -> Ruling:
        if self.live is None:
            return skipped(Gate.CONTENTS, "nothing is live to compare with")
        rows = await known_rows(self.services, self.live, count=_ITEMS)
        ids = [str(row["id"]) for row in rows]
        found, live = [
            await _documents(self.services, one.index, ids) for one in (self.candidate, self.live)
        ]
        pairs = [(found[one], live[one]) for one in ids if one in found and one in live]
        names = profile_fields(self.services.profile_of(self.live))
        stored = dict.fromkeys(name.partition(".")[0] for name in names)
        return gate_rules.rule_contents(pairs, [*stored])

    async def privacy(self) -> Ruling:
        definition = self.services.definitions.get(self.candidate.recipe.entity)
        if definition is None or definition.private_sql is None:
            why = f"there is no {self.candidate.recipe.entity}.private.sql that says what is"
            return skipped(Gate.PRIVACY, why)
        found = await privacy.exposure(self.services, self.candidate, self.live, patience=_PATIENCE)
        return gate_rules.rule_privacy(found.entities, found.exposed, found.told, found.names)

    async def profile(self) -> Ruling:
        return gate_rules.rule_profile(await self.prober.problem(self.candidate))

    async def items(self) -> Sequence[KnownItem]:
        """Queries for entities that are there, asked as the live generation would be."""
        reference = self.live if await self._can_compare() else None
        if reference and (items := await known_items(self.services, self.prober, reference)):
            return items
        return await known_items(self.services, self.prober, self.candidate)

    async def known_items(self, items: Sequence[KnownItem]) -> Ruling:
        if not items:
            return skipped(Gate.KNOWN_ITEMS, "there is nothing to look for")
        texts = [one.text for one in items]
        rankings = await self.prober.rank(self.candidate, texts)
        before = await self._before(texts)
        kinds: dict[str, list[int]] = {}
        for number, one in enumerate(items):
            kinds.setdefault(one.kind, []).append(number)
        answers = _Answers(self.prober, items, rankings, before)
        gauges = {kind: answers.gauge(kind, numbers) for kind, numbers in kinds.items()}
        single = [number for number, one in enumerate(items) if one.kind != WORD]
        return gate_rules.rule_known_items(gauges, answers.gauge("", single))

    async def judgments(self) -> Ruling:
        entity = self.candidate.recipe.entity
        judged = read_judged(self.services.settings.definitions_path, entity)
        if not judged:
            return skipped(Gate.JUDGMENTS, f"there is no {entity}.judgments.jsonl")
        texts = [one.text for one in judged]
        rankings = await self.prober.rank(self.candidate, texts)
        before = await self._before(texts)
        names = [str(number) for number in range(len(judged))]
        gauge = self.prober.gauge(
            dict(zip(names, (one.grades for one in judged), strict=True)),
            dict(zip(names, map(_ids, rankings), strict=True)),
            None if before is None else dict(zip(names, map(_ids, before), strict=True)),
            _JUDGED_BY,
        )
        return gate_rules.rule_judgments(gauge)

    async def latency(self, items: Sequence[KnownItem]) -> Ruling:
        if not items:
            return skipped(Gate.LATENCY, "there is nothing to look for")
        step = max(1, len(items) // _TIMED)
        texts = [one.text for one in items[::step]][:_TIMED]
        against = self.live if await self._can_compare() else None
        seconds, live = await self._times(texts, against)
        return gate_rules.rule_latency(seconds, live, self.services.settings.search_deadline)

    async def _times(
        self, texts: Sequence[str], against: Generation | None
    ) -> tuple[Sequence[float], Sequence[float]]:
        """The quickest of several runs of each query, one after the other, in turns."""
        best, live = [float("inf")] * len(texts), [float("inf")] * len(texts)
        for _ in range(_ROUNDS):
            for number, text in enumerate(texts):
                best[number] = min(best[number], await self.prober.time(self.candidate, text))
                if against is not None:
                    live[number] = min(live[number], await self.prober.time(against, text))
        return best, live if against is not None else []

    async def _can_compare(self) -> bool:
        return self.live is not None and await self.prober.problem(self.live) is None

    async def _before(self, texts: Sequence[str]) -> Rankings | None:
        if self.live is None or not await self._can_compare():
            return None
        return await self.prober.rank(self.live, texts)

    async def _count(self, index: str) -> int:
        with engine_within_reach():
            return int((await self.services.engine.count(index=index))["count"])


@dataclass(frozen=True)
class _Answers:
    """What was found for known items, and is live."""

    prober: Prober
    items: Sequence[KnownItem]
    rankings: Rankings
    before: Rankings | None

    def gauge(self, kind: str, numbers: Sequence[int]) -> Gauge:
        """How far up what was looked for stands, in the answers of those numbers."""
        before = self.before
        return self.prober.gauge(
            {str(one): self._grades(one) for one in numbers},
            {str(one): _ids(self.rankings[one]) for one in numbers},
            None if before is None else {str(one): _ids(before[one]) for one in numbers},
            _JUDGED_BY if kind == WORD else _FOUND_BY,
        )

    def _grades(self, number: int) -> Mapping[str, int]:
        """The entity that is looked for, and whatever is as good."""
        item, before = self.items[number], self.before
        hits = [*self.rankings[number], *(before[number] if before is not None else ())]
        return dict.fromkeys(
            {item.id, *(hit.id for hit in hits if self.prober.answers(item, hit))}, 1
        )


async def known_items(
    services: Services, prober: Prober, reference: Generation
) -> Sequence[KnownItem]:
    """Queries for a few entities that are there, by the recipe and the profile of a generation.

    `Prober.problem` of it has to be None.
    """
    return prober.known_items(reference, await known_rows(services, reference, count=_ITEMS))


async def _filled(services: Services, index: str, names: Sequence[str]) -> Mapping[str, int]:
    """How many documents have each of the fields."""
    filters = {name: {"exists": {"field": name}} for name in names}
    with engine_within_reach():
        answer = await services.engine.search(
            index=index, size=0, aggs={"filled": {"filters": {"filters": filters}}}
        )
    buckets = answer["aggregations"]["filled"]["buckets"]
    return {name: buckets[name]["doc_count"] for name in names}


async def _documents(
    services: Services, index: str, ids: Sequence[str]
) -> Mapping[str, Mapping[str, Any]]:
    """The documents of those ids that are there, without what they have no value for."""
    if not ids:
        return {}
    with engine_within_reach():
        answer = await services.engine.mget(index=index, ids=ids)
    return {
        doc["_id"]: {name: value for name, value in doc["_source"].items() if value is not None}
        for doc in answer["docs"]
        if doc.get("found")
    }


def profile_fields(profile: Mapping[str, Any]) -> list[str]:
    """The fields that searches by a profile use or show, each once."""

    def named() -> Iterator[str]:
        yield from _ALWAYS
        yield from (profile.get("title", "title"), profile.get("subtitle", "subtitle"))
        for weights in profile.get("match", {}).values():
            yield from weights
        yield from (*profile.get("highlight", ()), *profile.get("fields", ()))
        for key in ("filters", "sorts"):
            yield from (one["field"] for one in profile.get(key, {}).values())

    return [*dict.fromkeys(named())]


def _ids(hits: Sequence[Hit]) -> Sequence[str]:
    return [hit.id for hit in hits]
