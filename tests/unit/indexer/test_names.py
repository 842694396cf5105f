"""Index names: one grammar, both ways."""

from datetime import UTC, datetime, timedelta, timezone
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.names import GenerationName, generation_pattern, live_alias, parse

NAMES = st.builds(
    GenerationName,
    prefix=st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True),
    entity=st.from_regex(r"[a-z][a-z0-9]{0,30}", fullmatch=True),
    definition=st.from_regex(r"[0-9a-f]{8}", fullmatch=True),
    created_at=st.datetimes(
        min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        max_value=datetime(9999, 12, 30),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
)


@given(NAMES)
def test_what_is_built_is_parsed(name: GenerationName) -> None:
    assert parse(name.build()) == name


@given(NAMES, NAMES)
def test_different_names_are_built_differently(one: GenerationName, other: GenerationName) -> None:
    assert (one.build() == other.build()) == (one == other)


@given(NAMES)
def test_patterns_match_generations_and_no_alias(name: GenerationName) -> None:
    alias = live_alias(name.prefix, name.entity)
    for pattern in (generation_pattern(name.prefix), generation_pattern(name.prefix, name.entity)):
        assert fnmatchcase(name.build(), pattern)
        assert not fnmatchcase(alias, pattern)
    assert parse(alias) is None


def test_times_are_in_utc() -> None:
    there = timezone(timedelta(hours=5, minutes=30))
    name = GenerationName(
        prefix="disco",
        entity="sound",
        definition="0a1b2c3d",
        created_at=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=there),
    )
    assert name.build() == "disco-sound-0a1b2c3d-20260101213405000006"


def test_names_of_one_kind_sort_by_their_age() -> None:
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=n**7) for n in range(20)]
    names = [
        GenerationName(prefix="d", entity="sound", definition="00000000", created_at=one).build()
        for one in moments
    ]
    assert names == sorted(names)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "disco",
            "disco-sound",
            "disco-sound-0a1b2c3d",
            "disco-sound-0A1B2C3D-20260101213405000006",
        ),
        *("disco-sound-0a1b2c3d-2026010121340500000", "disco-sound-0a1b2c3d-20261301213405000006"),
        *(
            "disco-sound-0a1b2c3d-20260101213405000006-x",
            "x-disco-sound-0a1b2c3d-20260101213405000006",
        ),
        *("disco-sound-0a1b2c3-20260101213405000006", ".disco-sound-0a1b2c3d-20260101213405000006"),
        "disco-sound-0a1b2c3d-20260101213405000006\n",
    ],
)
def test_what_is_no_generation(text: str) -> None:
    assert parse(text) is None


@given(st.text())
def test_any_text_is_parsed_or_not(text: str) -> None:
    name = parse(text)
    assert name is None or name.build() == text
