"""Hiding: from the commit of "made private" to being gone from the answers, in a deep backlog.

So many live changes wait that they take minutes. Meanwhile sounds are made private, one after the
other; each is asked for by a word that its title alone has, until no answer shows it any more.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import aiohttp
import orjson
import uvloop

from benchmarks.environment import Environment, Say, corpus, environment
from benchmarks.percentiles import draw, histogram, percentiles
from benchmarks.report import Bar, Report, medians
from core.database import open_pool
from core.events import Action, Event
from demo import writes
from demo.application import Application, open_application
from stack import programs

_BAR: Final = 3.0  # seconds, for 99 of 100
_PATIENCE: Final = 60.0  # seconds after which one counts as never hidden
_SYLLABLES: Final = ("ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu")
_SHOWN: Final = "visibility = 'public' AND deleted_at IS NULL"
_FOUND: Final = (
    f"SELECT id FROM sounds WHERE {_SHOWN} AND user_id IN (SELECT id FROM users WHERE {_SHOWN})"
)


@dataclass(kw_only=True)
class Run:
    """One run."""

    seconds: list[float] = field(default_factory=list)  # until each was gone
    never: int = 0


def measure(*, stack: str, size: str, backlog: int, hidden: int, runs: int, say: Say) -> Report:
    """Run the benchmark `runs` times; the report has the medians, its bar holds for all runs."""
    with environment(stack_name=stack, size=size, say=say) as made:
        found = uvloop.run(_measure(made, backlog, hidden, runs))
        described = corpus(size, made.settings)
    figures = [percentiles(run.seconds) | {"never": float(run.never)} for run in found]
    everything = [one for run in found for one in run.seconds]
    say("\n".join(draw(histogram(everything, step=0.25))))
    return Report(
        bench="hiding",
        corpus=described | {"backlog": backlog, "hidden": hidden},
        figures=medians(figures),
        bars={
            "p99": Bar(value=max(one["p99"] for one in figures), bar=_BAR, at_most=True),
            "never": Bar(value=max(one["never"] for one in figures), bar=0, at_most=True),
        },
        details={"runs": figures},
    )


async def _measure(made: Environment, backlog: int, hidden: int, runs: int) -> list[Run]:
    async with (
        open_application(made.settings) as application,
        open_pool(made.settings.database_url, application="disco bench", size=1) as pool,
        aiohttp.ClientSession() as session,
    ):
        rows = await pool.fetch(f"{_FOUND} ORDER BY id LIMIT $1", hidden * runs)
        ids = [row["id"] for row in rows]
        found = []
        with (
            programs.worker(made.settings, made.logs),
            programs.query_api(made.settings, made.logs) as api,
        ):
            search = f"{api.url}/v1/search"
            for number in range(runs):
                chosen = ids[number * hidden : (number + 1) * hidden]
                found.append(await _run(made, application, session, search, chosen, backlog))
        return found


async def _run(  # noqa: PLR0917 - what a run is made of
    made: Environment,
    application: Application,
    session: aiohttp.ClientSession,
    search: str,
    ids: Sequence[int],
    backlog: int,
) -> Run:
    words = {one: _word(one) for one in ids}
    named = await application.commit(
        *(writes.rename("sound", one, f"Soon gone {word}") for one, word in words.items())
    )
    await application.publish(*named)
    for one, word in words.items():
        await _until(session, search, word, one, shown=True)
    made.say(f"{backlog:,} live changes wait")
    latest = named[-1].occurred_at
    await application.publish_events(
        Event("sound", 10**12 + number, Action.SAVE, latest) for number in range(backlog)
    )
    run = Run()
    for one, word in words.items():
        began = time.monotonic()
        await application.apply(writes.make_private("sound", one))
        if await _until(session, search, word, one, shown=False):
            run.seconds.append(time.monotonic() - began)
        else:
            run.never += 1
    return run


async def _until(
    session: aiohttp.ClientSession, search: str, word: str, sound: int, *, shown: bool
) -> bool:
    """Ask until the sound is shown, or is not; whether that came about in time."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        async with session.get(search, params={"q": word, "type": "sound"}) as response:
            if response.status == 200:
                hits = orjson.loads(await response.read())["hits"]
                if (str(sound) in [hit["id"] for hit in hits]) == shown:
                    return True
    return False


def _word(number: int) -> str:
    """A word that no other number has."""
    return "".join(_SYLLABLES[int(digit)] for digit in f"{number:08d}")
