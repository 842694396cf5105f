"""`disco doctor`: is everything there that the project needs, and what are its settings?"""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import click
import uvloop

from cli.output import DOES_NOT_HOLD, OK, SERVICE_UNAVAILABLE, exit_with, json_option, print_json
from core import settings as core_settings
from core.settings import PREFIX, Settings, SettingsError, describe, help_texts, sources
from indexer.doctor import examine
from indexer.health import Condition, Observation, worst

_EXIT_CODES = {
    Condition.OK: OK,
    Condition.WARNING: OK,
    Condition.PROBLEM: DOES_NOT_HOLD,
    Condition.UNREACHABLE: SERVICE_UNAVAILABLE,
}


@click.command()
@click.option("--settings", "only_settings", is_flag=True, help="List all settings instead.")
@json_option
def doctor(only_settings: bool, as_json: bool) -> None:
    """Look at the configuration and at each service, and say what to do if it is not well.

    Changes nothing. Warnings do not fail it. Exits 1 if there is a problem, 3 if a service cannot
    be reached.
    """
    if only_settings:
        _list_settings(as_json)
        return
    # The broker's client logs what our observations say in better words.
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)
    observations = uvloop.run(examine(core_settings.load(), sources()))
    if as_json:
        print_json({"condition": worst(observations), "observations": observations})
    else:
        _print_prose(observations)
    exit_with(_EXIT_CODES[worst(observations)])


def _print_prose(observations: Sequence[Observation]) -> None:
    service = ""
    for one in observations:
        if one.service != service:
            service = one.service
            click.echo(service)
        click.echo(f"  {one.condition:<12}{one.subject}: {one.what}")
        if one.remedy:
            click.echo(f"  {'':<12}→ {one.remedy}")


def _list_settings(as_json: bool) -> None:
    """List what there is to set; also when what is set is wrong, for then it is needed most."""
    try:
        settings, origins = core_settings.load(), sources()
    except SettingsError:
        _print_settings(_rows({}, {}), as_json)
        raise
    _print_settings(_rows(describe(settings), origins), as_json)


def _rows(values: Mapping[str, Any], origins: Mapping[str, str]) -> list[dict[str, Any]]:
    defaults = dataclasses.asdict(Settings())
    return [
        {
            "variable": f"{PREFIX}{name.upper()}",
            "key": name,  # in a TOML file
            "value": values.get(name),
            "source": origins.get(name),
            "default": defaults[name],
            "meaning": meaning,
        }
        for name, meaning in help_texts().items()
    ]


def _print_settings(rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json({"settings": rows})
        return
    for row in rows:
        click.echo(f"{row['variable']:<28}{_setting_line(row)}")
        click.echo(f"{'':<28}{row['meaning']}")


def _setting_line(row: Mapping[str, Any]) -> str:
    default = "unset" if row["default"] in (None, "") else row["default"]
    if row["source"] in (None, "default"):
        return f"{default}  (default)"
    source = "environment" if row["source"] == row["variable"] else row["source"]
    return f"{row['value']}  (from {source}; default: {default})"
