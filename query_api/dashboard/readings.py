"""Readings: what was asked of a service, or why there is no answer.

A dashboard is looked at when something is wrong. Whatever is away is a line on it, never its end.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import aiohttp
from elastic_transport import TransportError
from elasticsearch import ApiError

from core import telemetry
from core.broker import UNAVAILABLE_ERRORS as BROKER_ERRORS
from core.errors import DiscoError

DEADLINE: Final = 2.0  # seconds that a service has for its answer
_LONGEST: Final = 200  # characters of a reason

T = TypeVar("T")
_log = telemetry.logger("query_api")


@dataclass(frozen=True, kw_only=True)
class Reading(Generic[T]):
    """An answer, or the reason why there is none."""

    value: T | None = None
    missing: str = ""  # why there is no value; empty if there is one


def nothing(reason: str) -> Reading[T]:
    """A reading that was not even tried."""
    return Reading(missing=reason)


async def read(what: str, asking: Awaitable[T], *, deadline: float = DEADLINE) -> Reading[T]:
    """The answer, if it comes within the deadline. `what` names the service in the reason."""
    try:
        async with asyncio.timeout(deadline):
            return Reading(value=await asking)
    except TimeoutError:
        return nothing(f"{what} did not answer within {deadline:g} s")
    except DiscoError as error:
        return nothing(str(error)[:_LONGEST])
    except (TransportError, ApiError, aiohttp.ClientError, *BROKER_ERRORS, ValueError) as error:
        return nothing(f"{what} cannot be read: {error!r}"[:_LONGEST])
    except Exception as error:  # noqa: BLE001 - told, and logged
        # A fault of ours in one panel is no reason to show none of the others.
        _log.exception("dashboard_reading_failed", what=what)
        return nothing(f"{what} cannot be read: {type(error).__name__}; the log has more")
