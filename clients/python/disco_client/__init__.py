"""Disco's HTTP API, typed."""

from disco_client.answers import FacetValue, Hit, Page, Signal, Total
from disco_client.client import Client
from disco_client.errors import ClientError, ProblemError, UnreachableError

__all__ = [
    "Client",
    "ClientError",
    "FacetValue",
    "Hit",
    "Page",
    "ProblemError",
    "Signal",
    "Total",
    "UnreachableError",
]
