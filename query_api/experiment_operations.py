"""Experiments, for operators: which one runs, beginning one and ending it.

Every process of the query API follows the file, so each action takes effect within a second.
"""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from core import definitions
from core.database import open_pool
from core.errors import UsageError
from core.operation_log import Actor, OperationLog
from core.settings import Settings
from evaluation import experiment_operations as analysis
from evaluation.experiment_operations import Design, Measure, Standing
from query_api.experiment_file import ExperimentFile
from query_api.variants import LIVE, Experiment

__all__ = ["LIVE", "Experiment", "ExperimentError", "current", "standing", "start", "stop"]
_LONGEST: Final = timedelta(days=90)  # that is looked back where nobody knows when it began


class ExperimentError(UsageError):
    """An experiment cannot begin or end so; the message says what to do."""


def current(settings: Settings) -> Experiment | None:
    """The experiment of the file; raises `ExperimentError` where there is no file."""
    return _file(settings).read().experiment


async def start(
    settings: Settings, actor: Actor, experiment: Experiment, *, dry_run: bool = False
) -> str:
    """Begin an experiment; the file as it is then.

    Raises `ExperimentError` while another one runs, `TrialsError` if the file cannot have it, and
    as the operation log does.
    """
    file = _file(settings)
    if (running := file.read().experiment) is not None:
        raise ExperimentError(
            f"the experiment {running.name} runs; end it first: `disco experiment stop`"
        )
    text = file.with_experiment(experiment)
    if not dry_run:
        await _recorded(settings, actor, file, text, before=None, after=experiment)
    return text


async def stop(settings: Settings, actor: Actor, *, dry_run: bool = False) -> Experiment:
    """End the experiment that runs; which it was. Raises `ExperimentError` if there is none."""
    file = _file(settings)
    running = file.read().experiment
    if running is None:
        raise ExperimentError(f"{file.path} has no experiment: there is nothing to end")
    text = file.with_experiment(None)
    if not dry_run:
        await _recorded(settings, actor, file, text, before=running, after=None)
    return running


async def standing(settings: Settings, running: Experiment, measure: Measure) -> Standing:
    """How an experiment stands, by the searches since it began.

    Raises `ServiceUnavailableError`, and `OwnSchemaError`.
    """
    since = await analysis.begun_at(settings, running.name) or datetime.now(UTC) - _LONGEST
    return await analysis.standing(settings, _design(running), since, measure)


def _design(running: Experiment) -> Design:
    rest = 1 - sum(running.shares.values())
    shares = {LIVE: rest, **running.shares} if rest > 1e-9 else dict(running.shares)
    return Design(
        name=running.name,
        unit=running.unit,
        shares={} if running.interleave else shares,
        interleaved=running.interleave,
    )


async def _recorded(
    settings: Settings,
    actor: Actor,
    file: ExperimentFile,
    text: str,
    *,
    before: Experiment | None,
    after: Experiment | None,
) -> None:
    action, subject = ("start", after.name) if after else ("stop", before.name if before else "")
    async with (
        open_pool(settings.database_url, application="disco experiment", size=2) as primary,
        OperationLog(primary, actor).record(
            f"experiment.{action}", subject, alone=True, whole_area=True
        ) as entry,
    ):
        await entry.plan(before=_document(before), after=_document(after))
        file.write(text)


def _document(experiment: Experiment | None) -> dict[str, Any] | None:
    return None if experiment is None else asdict(experiment)


def _file(settings: Settings) -> ExperimentFile:
    if not settings.experiments:
        raise ExperimentError(
            "there is no file of variants; write one with the variants that are to be compared "
            "(docs/experiments.md), and set DISCO_EXPERIMENTS to it"
        )
    return ExperimentFile(Path(settings.experiments), definitions.load(settings.definitions_path))
