"""The settings: one frozen object, built from an explicit environment and an optional TOML file.

Nothing is read at import. The environment wins over the file, the file over the defaults. A
variable with our prefix that we do not know is an error, so that a typing error is never a silent
default.
"""

import contextlib
import dataclasses
import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_type_hints
from urllib.parse import urlsplit, urlunsplit

from core.errors import DiscoError

PREFIX = "DISCO_"
CONFIG_VARIABLE = "DISCO_CONFIG"
DEFAULT_FILES = (Path("disco.toml"), Path(".stack/demo/disco.toml"))
# Read by the test suite, the demo loader and the stack, not by the product.
OUTSIDE_VARIABLES = frozenset(
    {CONFIG_VARIABLE, "DISCO_TEST_STACK", "DISCO_DEMO_DATA", "DISCO_CACHE", "DISCO_STATE"}
)


_LONGEST_PATIENCE = 1_200.0  # seconds
# Only such as need no secret on our side.
_SIGNATURES = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\]|localhost)[:/]")
_PREFIX_OF_INDICES = re.compile(r"[a-z][a-z0-9_]*")
_FITTING: Mapping[type, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float)}


class SettingsError(DiscoError):
    """A setting is unknown or does not fit; the message names it and the remedy."""

    exit_code = 2


def _setting(default: Any, help_text: str) -> Any:
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that may differ between two installations. Durations are seconds."""

    # Services
    database_url: str = _setting(
        "postgresql://postgres@127.0.0.1:5432/disco", "The primary database: writes, clock, fence."
    )
    replica_url: str | None = _setting(
        None, "A streaming replica that documents are hydrated from; unset: the primary."
    )
    broker_url: str = _setting("amqp://guest:guest@127.0.0.1:5672/", "RabbitMQ, with the vhost.")
    engine_url: str = _setting("http://127.0.0.1:9200", "Elasticsearch.")
    engine_username: str | None = _setting(None, "User for the engine's basic authentication.")
    engine_password: str | None = _setting(None, "Password for the engine's basic authentication.")
    engine_ca_file: str | None = _setting(None, "PEM file to check the engine's certificate with.")
    engine_replicas: int = _setting(0, "Copies of each index on further nodes.")
    index_prefix: str = _setting("disco", "First part of every index and alias name.")
    definitions: str = _setting("", "Folder of index definitions; unset: the project's own.")

    # Query API
    query_api_host: str = _setting("127.0.0.1", "Address that the query API listens on.")
    query_api_port: int = _setting(8000, "Port that the query API listens on.")
    query_api_concurrency: int = _setting(
        32, "Requests that a process of the query API works on at a time."
    )
    query_api_queue: int = _setting(
        64, "Requests that wait while it works on so many; the rest: 503."
    )
    query_api_queue_patience: float = _setting(
        0.5, "How long a request waits to be let in before it is answered with 503."
    )
    address_rate_limit: float = _setting(
        0.0, "Requests a second that one address may make without a key; 0: no limit."
    )
    key_rate_limit: float = _setting(0.0, "Requests a second that one key may make; 0: no limit.")
    trusted_proxies: str = _setting(
        "127.0.0.1",
        "Addresses or networks, by commas, of proxies whose X-Forwarded-For is believed.",
    )
    search_deadline: float = _setting(2.0, "Longest time the engine may spend on one search.")
    cursor_secret: str = _setting(
        "", "Key that signs cursors and sessions; unset: random at each start."
    )
    experiments: str = _setting(
        "", "TOML file of variants, the experiment and shadow traffic; unset: there are none."
    )
    dashboard_metrics: str = _setting(
        "", "Addresses of other processes' /metrics for /dashboard, separated by commas."
    )
    explore_at: str = _setting(
        "", "Moment that Explore looks back from, RFC 3339 with its offset; unset: now."
    )
    admin_api: str = _setting(
        "off", "on: /v1/admin/ is there for those with a key of scope admin; off: it is not."
    )
    oauth_issuer: str = _setting(
        "", "Issuer (iss) whose OAuth tokens are believed; unset: only keys of this service are."
    )
    oauth_audience: str = _setting("disco", "Audience (aud) that tokens for this service name.")
    oauth_key_set: str = _setting("", "https address, or file, of the issuer's public keys (JWKS).")
    oauth_algorithms: str = _setting(
        "RS256,ES256,EdDSA", "Signatures of tokens that are accepted, by commas."
    )
    oauth_leeway: float = _setting(30.0, "How far the issuer's clock may differ from ours.")

    # Searches and interactions
    interactions: str = _setting(
        "on", "on: searches that are answered, and what people do then, are logged; off: not."
    )
    interactions_secret: str = _setting(
        "", "Key that hashes ids of users and sessions in the log; unset: random at each start."
    )
    interactions_buffer: int = _setting(
        50_000, "Records that a process of the query API holds while the broker is away."
    )
    interactions_retention: int = _setting(90, "Days that searches and interactions are kept.")
    interactions_store: str = _setting(
        ".disco/interactions", "Folder of Parquet files of days that are over."
    )

    # Suggestions
    suggest_host: str = _setting("127.0.0.1", "Address that the suggest service listens on.")
    suggest_port: int = _setting(8001, "Port that the suggest service listens on.")
    suggest_store: str = _setting(".disco/suggest", "Folder of snapshots; services follow it.")
    suggest_overlay_phrases: int = _setting(
        100_000,
        "Most phrases that changed since the snapshot and are suggested all the same; 0: off.",
    )

    # Ranking
    rank_store: str = _setting(
        ".disco/rank",
        "Folder of rank editions, or s3://bucket/prefix; the same for every process of an "
        "installation.",
    )
    rank_editions_kept: int = _setting(10, "Rank editions kept besides those in a slot.")
    rank_cache: str = _setting(
        ".disco/rank-cache", "Folder of this machine's copies of rank editions that are in S3."
    )

    # S3-compatible object store
    object_store_url: str | None = _setting(
        None, "Address of the S3-compatible object store; unset: that of AWS for the region."
    )
    object_store_region: str = _setting("us-east-1", "Region of the bucket.")
    object_store_access_key: str | None = _setting(
        None, "Name of the key to the bucket; unset: found as AWS's own tools do."
    )
    object_store_secret: str | None = _setting(None, "Secret of the key to the bucket.")

    # Indexer
    refresh_interval: str = _setting(
        "1s", "After what time at the latest a written document is searchable."
    )
    refresh_pause: float = _setting(
        0.1, "Least time between two refreshes that a worker asks for after live changes."
    )
    prefetch: int = _setting(12_000, "Unacknowledged live events that a worker holds.")
    interactive_batch: int = _setting(2_000, "Most changes in one batch of live events.")
    interactive_linger: float = _setting(0.04, "How long a live change waits for company.")
    batch_batch: int = _setting(1_000, "Most changes in one batch of background work.")
    batch_linger: float = _setting(0.2, "How long background work waits for company.")
    replica_patience: float = _setting(
        5.0, "How long a batch waits for the replica before it is hydrated from the primary."
    )
    clock_tolerance: float = _setting(
        1.0, "How far ahead of the database's clock an event may be before it is clamped."
    )
    delivery_limit: int = _setting(50, "Deliveries of one event before it is dead-lettered.")
    event_size_limit: int = _setting(262_144, "Bytes of an event's body above which it is refused.")
    tombstone_retention: str = _setting("1h", "How long the engine remembers a deletion's version.")
    drain_deadline: float = _setting(25.0, "How long a stopping worker finishes what it holds.")
    sweep_rate: int = _setting(
        2_000, "Entities a second that the background sweep compares; 0: off."
    )
    worker_metrics_host: str = _setting("127.0.0.1", "Address that a worker's /metrics is on.")
    worker_metrics_port: int = _setting(0, "Port of a worker's /metrics; 0: any free one.")

    build_patience: float = _setting(
        900.0, "How long a build waits without coming any further before it is given up."
    )
    standby_generations: int = _setting(1, "Standbys kept, written to, per entity type.")

    # Telemetry
    log_level: str = _setting("info", "debug, info, warning or error.")
    log_format: str = _setting("auto", "json, console, or auto (console on a terminal).")

    def __post_init__(self) -> None:
        if self.suggest_overlay_phrases < 0:
            raise SettingsError(
                f"setting suggest_overlay_phrases is {self.suggest_overlay_phrases}; use 0 or more"
            )
        for name in (
            *("prefetch", "interactive_batch", "batch_batch", "delivery_limit"),
            *("interactions_buffer", "interactions_retention"),
            "query_api_concurrency",
        ):
            if getattr(self, name) < 1:
                raise SettingsError(
                    f"setting {name} is {getattr(self, name)}; it must be 1 or more"
                )
        if (self.object_store_access_key is None) != (self.object_store_secret is None):
            raise SettingsError(
                "settings object_store_access_key and object_store_secret go together; set both"
            )
        if not 0 < self.build_patience <= _LONGEST_PATIENCE:
            raise SettingsError(
                f"setting build_patience is {self.build_patience}; it must be above 0 and at most "
                f"{_LONGEST_PATIENCE} seconds: the broker takes a message back after half an hour"
            )
        self._check_oauth()
        if self.admin_api not in {"on", "off"}:
            raise SettingsError(f"setting admin_api is {self.admin_api!r}; it must be on or off")
        if self.interactions not in {"on", "off"}:
            raise SettingsError(
                f"setting interactions is {self.interactions!r}; it must be on or off"
            )
        if not _PREFIX_OF_INDICES.fullmatch(self.index_prefix):
            raise SettingsError(
                f"setting index_prefix is {self.index_prefix!r}; use lower-case letters, digits "
                "and underscores, no hyphen (it separates the parts of an index name)"
            )

    def _check_oauth(self) -> None:
        if bool(self.oauth_issuer) != bool(self.oauth_key_set):
            raise SettingsError("settings oauth_issuer and oauth_key_set go together; set both")
        if self.oauth_key_set.startswith("http://") and not _LOOPBACK.match(self.oauth_key_set):
            raise SettingsError(
                "setting oauth_key_set is a http address: whoever is between could send keys of "
                "his own; use https, or a file"
            )
        unknown = set(self.oauth_algorithms.split(",")) - _SIGNATURES
        if unknown:
            raise SettingsError(
                f"setting oauth_algorithms has {min(unknown)!r}; "
                f"use some of {', '.join(sorted(_SIGNATURES))}"
            )

    @property
    def definitions_path(self) -> Path:
        """The folder that index definitions are loaded from."""
        return Path(self.definitions) if self.definitions else _own_definitions()

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{k}={v!r}' for k, v in describe(self).items())})"


def load(environ: Mapping[str, str] | None = None, *, file: Path | None = None) -> Settings:
    """Build the settings from `environ` (default: the process's) and a TOML file.

    Raises `SettingsError` for an unknown variable or key, a value of the wrong type, or a file
    that does not exist or parse.
    """
    environ = os.environ if environ is None else environ
    values = _from_file(file or _config_file(environ))
    values.update(_from_environment(environ))
    return Settings(**values)


def sources(
    environ: Mapping[str, str] | None = None, *, file: Path | None = None
) -> dict[str, str]:
    """Where the value of each setting comes from: a variable, a file, or `default`."""
    environ = os.environ if environ is None else environ
    path = file or _config_file(environ)
    found = dict.fromkeys(help_texts(), "default")
    found.update(dict.fromkeys(_from_file(path), str(path)))
    found.update({name: f"{PREFIX}{name.upper()}" for name in _from_environment(environ)})
    return found


def describe(settings: Settings) -> dict[str, Any]:
    """Every setting with its value, passwords and secrets hidden, in the order of definition."""
    return {
        f.name: _hidden(f.name, getattr(settings, f.name)) for f in dataclasses.fields(settings)
    }


def help_texts() -> dict[str, str]:
    """What each setting means, by its name."""
    return {f.name: f.metadata["help"] for f in dataclasses.fields(Settings)}


def _own_definitions() -> Path:
    return Path(__file__).resolve().parent.parent / "index_definitions"


def _config_file(environ: Mapping[str, str]) -> Path | None:
    if named := environ.get(CONFIG_VARIABLE):
        return Path(named)
    return next((path for path in DEFAULT_FILES if path.is_file()), None)


def _from_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"settings file {path} cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"settings file {path} is not valid TOML: {error}") from error
    return {key: _coerce(key, value, f"{path}: {key}") for key, value in content.items()}


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    ours = {k: v for k, v in environ.items() if k.startswith(PREFIX) and k not in OUTSIDE_VARIABLES}
    return {
        (name := key.removeprefix(PREFIX).lower()): _coerce(name, value, key)
        for key, value in ours.items()
    }


def _coerce(name: str, value: Any, source: str) -> Any:
    hints = get_type_hints(Settings)
    if name not in hints:
        near = difflib.get_close_matches(name, hints, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "; `disco doctor --settings` lists them"
        raise SettingsError(f"unknown setting {source}{hint}")
    wanted = next((t for t in get_args(hints[name]) if t is not type(None)), hints[name])
    # A variable is always text; in a file text is text, and only a number is a number.
    fitting = (str,) if isinstance(value, str) else _FITTING[wanted]
    with contextlib.suppress(ValueError):
        if type(value) in fitting:
            return wanted(value)
    raise SettingsError(
        f"setting {source} is {_hidden(name, str(value))!r}; it must be {wanted.__name__}"
    )


def _hidden(name: str, value: Any) -> Any:
    if not value or not isinstance(value, str):
        return value
    if name.endswith(("password", "secret")):
        return "***"
    return shown(value) if name.endswith("url") else value


def shown(url: str) -> str:
    """The address as it may be told: in messages and logs, without the password."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":***@")))
