"""compose.yaml offers what `disco` looks for by default, to this machine alone."""

import re
from dataclasses import fields
from pathlib import Path
from urllib.parse import urlsplit

from core.settings import Settings
from stack import engine_archive

COMPOSE = (Path(__file__).parents[3] / "compose.yaml").read_text(encoding="utf-8")
PUBLISHED = re.findall(r'ports: \["(.+?):(\d+):\d+"\]', COMPOSE)
REPLICA = re.findall(r"DISCO_REPLICA_URL=(\S+?)\.?$", COMPOSE, re.MULTILINE)


def test_every_port_is_that_of_a_default_setting_or_of_the_replica() -> None:
    defaults = [one.default for one in fields(Settings) if one.name.endswith("_url")]
    addresses = [urlsplit(url) for url in [*defaults, *REPLICA] if url]
    assert {(one.hostname, str(one.port)) for one in addresses} == set(PUBLISHED)


def test_every_published_port_is_seen() -> None:
    assert len(PUBLISHED) == COMPOSE.count("ports:") == 4


def test_the_engine_is_the_one_that_is_tested() -> None:
    assert f"image: elasticsearch:{engine_archive.VERSION}\n" in COMPOSE
