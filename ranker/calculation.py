"""A calculation: from the activity of a catalogue to its scores, with what each stage took."""

import time

from core.rank_editions import Edition, RankStore, RankStoreError
from core.telemetry import logger
from ranker import activity, editions
from ranker.editions import Calculation
from ranker.parameters import Prior
from ranker.signals import Policy
from ranker.solver import solve
from ranker.sources import Source

log = logger("ranker")


def calculate(
    source: Source,
    policy: Policy,
    *,
    parent: Edition | None,
    before: Edition | None = None,
    deterministic: bool = False,
) -> Calculation:
    """The scores of all entities, starting from those of `parent` if there is one.

    `before` is what `parent` itself started from, if that is still there.

    Raises what `activity.load`, `solver.solve` and `editions.prior_of` do.
    """
    loaded = activity.load(source, policy)
    seconds = dict(loaded.seconds)
    began = time.perf_counter()
    prior: Prior | None = None
    known = 0
    if parent is not None:
        prior, known = editions.prior_of(
            parent, loaded.entities, before=before, moment=loaded.moment
        )
    seconds["prior"] = time.perf_counter() - began
    solution = solve(
        loaded.graph,
        policy.parameters(deterministic=deterministic),
        teleport=loaded.entities.spread(policy.teleport),
        prior=prior,
    )
    seconds["solve"] = solution.seconds
    return Calculation(
        entities=loaded.entities,
        graph=loaded.graph,
        size=loaded.size,
        signals=loaded.signals,
        moment=loaded.moment,
        solution=solution,
        policy=policy,
        source=source.name,
        parent=None if parent is None else parent.name,
        known=known,
        seconds=seconds,
    )


def parent_of(store: RankStore, edition: Edition | None) -> Edition | None:
    """The edition that another one started from, if it is there and its scores are whole."""
    name = None if edition is None else edition.manifest.get("parent")
    if name is None:
        return None
    try:
        found = store.open(name)
        editions.ranked_of(found)
    except RankStoreError:
        return None  # it was removed, or is of no use: it would only have saved some passes
    return found


def newest(store: RankStore) -> Edition | None:
    """The newest edition that is whole; None if there is none. One that is not is left alone."""
    for name in store.names():
        try:
            edition = store.open(name)
            for file in edition.manifest["files"]:
                edition.array(file)
        except RankStoreError as error:
            log.warning("edition_damaged", edition=name, reason=str(error))
        else:
            return edition
    return None


def prune(store: RankStore, *, keep: int) -> list[str]:
    """Remove the oldest editions but those in a slot, until `keep` of the others are left."""
    slots = store.slots()
    others = [name for name in store.names() if slots.slot_of(name) is None]
    for name in others[keep:]:
        store.remove(name)
    return others[keep:]
