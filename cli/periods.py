"""Periods: how commands are told from when on they look at something."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

_AGO: Final = re.compile(r"(\d{1,5})([mhd])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


class Since(click.ParamType[datetime]):
    """A moment: so long ago (`90m`, `24h`, `7d`), or a date or time of UTC."""

    name = "since"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The moment as an aware datetime."""
        if isinstance(value, datetime):
            return value
        if ago := _AGO.fullmatch(str(value)):
            return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is neither such as 24h or 7d, nor a date", param, ctx)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


since_option = click.option(
    "--since",
    type=Since(),
    default="7d",
    show_default=True,
    help="From when on: so long ago (90m, 24h, 7d), or a date or time of UTC.",
)
