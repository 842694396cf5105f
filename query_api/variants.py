"""Variants: what can answer a search. A search profile for each entity type, on some generation.

Which variants there are beside the live one, which searches they get, and which one is tried in
the shadow is said by a file (docs/experiments.md). Reading it is pure: text in, `Trials` out.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.definitions import PROFILE_SUFFIX, Definition
from core.errors import UsageError
from query_api import profiles
from query_api.profiles import Profiles

LIVE: Final = "live"
_NAME: Final = r"^[a-z][a-z0-9_-]{0,63}$"
# By slot; what stands in each is `disco rank list`'s to tell.
_RANK_FIELDS: Final[Mapping[Literal["a", "b"], Literal["rank_a", "rank_b"]]] = {
    "a": "rank_a",
    "b": "rank_b",
}
_RESOLUTION: Final = 2**64  # values of a hash that decides over a share

Name = Annotated[str, Field(pattern=_NAME)]
Share = Annotated[float, Field(gt=0, le=1)]


class TrialsError(UsageError):
    """The file of variants cannot be used; the message names it, and what to correct."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """What answers a search: profiles, and the indices they are used on."""

    name: str
    profiles: Profiles
    own: frozenset[str] = frozenset()  # types whose profile is the variant's, whatever indices note
    rank_field: Literal["rank_a", "rank_b"] | None = None  # None: that of the live edition
    # By entity type the name of an index, or the state (`ready`, `standby`) of the one that is
    # meant; a type that is not here is answered by its live index.
    generations: Mapping[str, str] = field(default_factory=dict)

    def on(self, noted: Profiles) -> "Variant":
        """The variant on indices that note these profiles: by them, but for those of its own.

        Raises `DefinitionError` where types mean different fields by one name.
        """
        others = {entity: one for entity, one in noted.items() if entity not in self.own}
        if self.rank_field is not None:
            others = dict(profiles.ranked_by(others, self.rank_field))
        return replace(self, profiles=profiles.together({**self.profiles, **others}))


@dataclass(frozen=True, kw_only=True)
class Audience:
    """Who asks, as far as an experiment needs to know. Only hashes are made of it."""

    user: str | None = None
    session: str | None = None


NOBODY: Final = Audience()


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Which share of the audience is answered by which variant."""

    name: str
    unit: Literal["user", "session"]  # who keeps his variant
    # 0 to 1, by name of the variant; the rest is live. Empty where two variants are interleaved.
    shares: Mapping[str, float] = field(default_factory=dict)
    interleave: tuple[str, str] | None = None  # variants whose hits stand in one list
    share: float = 1.0  # 0 to 1, of those who get that list; the rest is live, in no experiment

    def interleaved_for(self, audience: Audience) -> tuple[str, str] | None:
        """The variants in one list for these people; None: they are answered by one of them."""
        place = self._place(audience)
        return self.interleave if place is not None and place < self.share else None

    def variant_for(self, audience: Audience) -> str | None:
        """The same variant for the same user or session, always; None: not in the experiment.

        A share that grows takes none of the others' people, as long as it stands last.
        """
        place = self._place(audience)
        if place is None or self.interleave is not None:
            return None
        for name, share in self.shares.items():
            if place < share:
                return name
            place -= share
        return LIVE

    def _place(self, audience: Audience) -> float | None:
        """Where people stand between 0 and 1; None: it is not known who they are."""
        who = audience.user if self.unit == "user" else audience.session
        if who is None:
            return None
        digest = hashlib.blake2b(f"{self.name}\0{who}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) / _RESOLUTION


@dataclass(frozen=True, kw_only=True)
class Shadow:
    """A variant that gets a share of all searches, whose answers nobody sees."""

    variant: str
    share: float  # 0 to 1, of the first pages that the live variant answered


@dataclass(frozen=True, kw_only=True)
class Trials:
    """All that is tried at present."""

    variants: Mapping[str, Variant]  # by name; `live` is always among them
    experiment: Experiment | None = None
    shadow: Shadow | None = None

    @property
    def live(self) -> Variant:
        """What answers where nothing else is said."""
        return self.variants[LIVE]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Variant(_Part):
    profiles: str | None = None  # folder of *.search.json, beside the file
    rank: Literal["a", "b"] | None = None  # slot of the rank edition; unset: the live one
    generations: Mapping[str, Annotated[str, Field(min_length=1)]] = {}


class _Experiment(_Part):
    name: Name
    unit: Literal["user", "session"] = "user"
    shares: Mapping[Name, Share] = {}
    interleave: tuple[Name, Name] | None = None
    share: Share = 1.0


class _Shadow(_Part):
    variant: Name
    share: Share


class _File(_Part):
    variants: Mapping[Name, _Variant] = {}
    experiment: _Experiment | None = None
    shadow: _Shadow | None = None


def only_live(definitions: Mapping[str, Definition]) -> Trials:
    """The trials where there is no file: the live variant alone."""
    return Trials(variants={LIVE: Variant(name=LIVE, profiles=profiles.read(definitions))})


def read(path: Path, definitions: Mapping[str, Definition]) -> Trials:
    """The trials that a TOML file describes; raises `TrialsError`, and `DefinitionError`."""
    try:
        content = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise TrialsError(
            f"{path} cannot be read: {error.strerror}; see DISCO_EXPERIMENTS"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrialsError(f"{path} is not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise TrialsError(f"{path}: {where}: {first['msg']}") from None
    _check(path, content, definitions)
    made = {name: _variant(path, name, one, definitions) for name, one in content.variants.items()}
    experiment, shadow = content.experiment, content.shadow
    return Trials(
        variants=dict(only_live(definitions).variants) | made,
        experiment=Experiment(**experiment.model_dump()) if experiment else None,
        shadow=Shadow(**shadow.model_dump()) if shadow else None,
    )


def _check(path: Path, content: _File, definitions: Mapping[str, Definition]) -> None:
    if LIVE in content.variants:
        raise TrialsError(f"{path}: variants.live: it is what searches get anyway; rename it")
    named = _named(path, content.experiment) if content.experiment else set()
    named |= {content.shadow.variant} if content.shadow else set()
    if unknown := sorted(named - content.variants.keys()):
        raise TrialsError(
            f"{path}: there is no variant {unknown[0]!r}; add [variants.{unknown[0]}]"
        )
    if content.experiment and sum(content.experiment.shares.values()) > 1:
        raise TrialsError(f"{path}: experiment.shares: they sum to more than 1")
    for name, one in content.variants.items():
        if strange := sorted(one.generations.keys() - definitions.keys()):
            raise TrialsError(f"{path}: variants.{name}.generations: no entity type {strange[0]!r}")


def _named(path: Path, experiment: _Experiment) -> set[str]:
    """The variants of an experiment that the file must have."""
    pair = experiment.interleave
    if bool(experiment.shares) == bool(pair):
        raise TrialsError(
            f"{path}: experiment: give either shares (a variant for each), or interleave (two "
            "variants in one list)"
        )
    if pair is not None and pair[0] == pair[1]:
        raise TrialsError(f"{path}: experiment.interleave: name two different variants")
    return {*experiment.shares, *(pair or ())} - ({LIVE} if pair else set())


def _variant(
    path: Path, name: str, one: _Variant, definitions: Mapping[str, Definition]
) -> Variant:
    own: dict[str, Definition] = {}
    if one.profiles is not None:
        own = _with_profiles(path.parent / one.profiles, definitions)
    read_profiles = profiles.read({**definitions, **own})
    rank_field = _RANK_FIELDS[one.rank] if one.rank else None
    if rank_field is not None:
        read_profiles = profiles.ranked_by(read_profiles, rank_field)
    return Variant(
        name=name,
        profiles=read_profiles,
        own=frozenset(own),
        rank_field=rank_field,
        generations=dict(one.generations),
    )


def _with_profiles(folder: Path, definitions: Mapping[str, Definition]) -> dict[str, Definition]:
    """The definitions whose profile stands in that folder, with that profile."""
    found = {}
    for file in sorted(folder.glob(f"*{PROFILE_SUFFIX}")):
        entity = file.name.removesuffix(PROFILE_SUFFIX)
        if entity not in definitions:
            raise TrialsError(f"{file}: there is no entity type {entity!r}")
        found[entity] = replace(definitions[entity], profile=profiles.read_file(file))
    if not found:
        raise TrialsError(f"{folder} holds no *{PROFILE_SUFFIX}")
    return found
