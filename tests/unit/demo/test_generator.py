import hashlib
import statistics
import unicodedata
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from core.events import from_microseconds, to_microseconds
from demo.copying import TableLoad
from demo.generator import generate
from demo.sizes import divide
from demo.timeline import YEARS

UNTIL = datetime(2026, 3, 1, tzinfo=UTC)
POSTGRES_EPOCH = to_microseconds(datetime(2000, 1, 1, tzinfo=UTC))

Catalogue = dict[str, list[dict[str, object]]]


def digests(entities: int = 1_000, seed: int = 1, until: datetime = UNTIL) -> dict[str, str]:
    def digest(table: TableLoad) -> str:
        content = hashlib.sha256()
        for chunk in table.chunks:
            content.update(chunk.data)
        return content.hexdigest()

    return {t.table: digest(t) for t in generate(divide(entities), seed=seed, until=until)}


def text_time(value: object) -> datetime:
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)


def binary_time(value: object) -> datetime:
    assert isinstance(value, int)
    return from_microseconds(value + POSTGRES_EPOCH)


def test_same_seed_gives_the_same_bytes() -> None:
    assert digests() == digests()


def test_another_seed_gives_another_catalogue() -> None:
    ours, others = digests(), digests(seed=2)
    same = {table for table in ours if ours[table] == others[table]}
    assert same == {"genres", "tags"}


def test_another_end_moves_the_times_and_keeps_the_words(catalogue: Catalogue) -> None:
    later = UNTIL + timedelta(days=30)
    tables = generate(divide(4_000), seed=7, until=later)
    users = next(table for table in tables if table.table == "users")
    names = [
        line.split("\t")[2]
        for chunk in users.chunks
        for line in chunk.data.decode().removesuffix("\n").split("\n")
    ]
    assert names == [row["display_name"] for row in catalogue["users"]]


def test_has_as_many_entities_as_asked_for(catalogue: Catalogue) -> None:
    counts = divide(4_000)
    assert counts.total == 4_000
    assert [len(catalogue[t]) for t in ("users", "sounds", "sets", "groups")] == [
        counts.users,
        counts.sounds,
        counts.sets,
        counts.groups,
    ]


def test_expected_rows_are_near_the_real_ones(catalogue: Catalogue) -> None:
    for table in generate(divide(4_000), seed=7, until=UNTIL):
        for _ in table.chunks:
            pass
        assert table.rows == pytest.approx(len(catalogue[table.table]), rel=0.5), table.table


@pytest.mark.parametrize("table", ["users", "sounds", "sets", "groups"])
def test_ids_count_from_one(catalogue: Catalogue, table: str) -> None:
    assert [row["id"] for row in catalogue[table]] == [
        str(i) for i in range(1, len(catalogue[table]) + 1)
    ]


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("users", ("username",)),
        ("sounds", ("user_id", "permalink")),
        ("sets", ("user_id", "permalink")),
        ("groups", ("permalink",)),
        ("set_sounds", ("set_id", "sound_id")),
        ("set_sounds", ("set_id", "position")),
        ("sound_tags", ("sound_id", "tag_id", "user_id")),
        ("group_members", ("group_id", "user_id")),
        ("group_sounds", ("group_id", "sound_id")),
        ("follows", ("follower_id", "followee_id")),
        ("likes", ("user_id", "sound_id")),
        ("reposts", ("user_id", "sound_id")),
        ("plays", ("user_id", "sound_id")),
    ],
)
def test_keys_are_unique(catalogue: Catalogue, table: str, key: tuple[str, ...]) -> None:
    keys = [tuple(row[column] for column in key) for row in catalogue[table]]
    assert keys
    assert len(set(keys)) == len(keys)


def test_nobody_follows_himself(catalogue: Catalogue) -> None:
    assert all(row["follower_id"] != row["followee_id"] for row in catalogue["follows"])


def test_nothing_happens_after_the_end_or_before_the_start(catalogue: Catalogue) -> None:
    start = UNTIL - timedelta(days=YEARS * 365.25)
    for table in ("users", "sounds", "sets", "groups"):
        for row in catalogue[table]:
            created, updated = text_time(row["created_at"]), text_time(row["updated_at"])
            assert start <= created <= updated <= UNTIL
    for table, column in (("likes", "created_at"), ("set_sounds", "added_at")):
        assert all(start <= binary_time(row[column]) <= UNTIL for row in catalogue[table])


def test_causes_come_before_effects(catalogue: Catalogue) -> None:
    users = [text_time(row["created_at"]) for row in catalogue["users"]]
    sounds = [text_time(row["created_at"]) for row in catalogue["sounds"]]
    for row in catalogue["sounds"]:
        assert users[int(str(row["user_id"])) - 1] < text_time(row["created_at"])
    for row in catalogue["likes"]:
        user, sound = row["user_id"], row["sound_id"]
        assert isinstance(user, int)
        assert isinstance(sound, int)
        assert max(users[user - 1], sounds[sound - 1]) <= binary_time(row["created_at"])


def test_the_site_grows(catalogue: Catalogue) -> None:
    years = Counter(text_time(row["created_at"]).year for row in catalogue["sounds"])
    whole_years = [years[year] for year in range(2019, 2026)]
    assert all(later > earlier for earlier, later in pairwise(whole_years))


def test_popularity_follows_a_power_law(catalogue: Catalogue) -> None:
    plays = Counter(row["sound_id"] for row in catalogue["plays"])
    ordered = sorted(plays.values(), reverse=True)
    top = len(catalogue["sounds"]) // 100
    assert sum(ordered[:top]) > 0.10 * sum(ordered)
    assert len(plays) > 0.8 * len(catalogue["sounds"])


def test_some_make_much_and_most_little(catalogue: Catalogue) -> None:
    made = Counter(row["user_id"] for row in catalogue["sounds"])
    assert max(made.values()) > 10 * statistics.median(made.values())
    assert 0.3 < len(made) / len(catalogue["users"]) < 0.5


def test_a_few_percent_are_private_or_deleted(catalogue: Catalogue) -> None:
    for table in ("users", "sounds", "sets", "groups"):
        rows = catalogue[table]
        private = sum(row["visibility"] == "private" for row in rows) / len(rows)
        deleted = sum(row["deleted_at"] is not None for row in rows) / len(rows)
        assert 0.001 < private < 0.15, table
        assert 0.001 < deleted < 0.10, table


def test_suspended_users_are_private(catalogue: Catalogue) -> None:
    suspended = [row for row in catalogue["users"] if row["state"] == "suspended"]
    assert suspended
    assert all(row["visibility"] == "private" for row in suspended)


def test_names_and_titles_come_in_many_scripts(catalogue: Catalogue) -> None:
    text = "".join(str(row["display_name"]) for row in catalogue["users"])
    text += "".join(str(row["title"]) for row in catalogue["sounds"])
    scripts = Counter(unicodedata.name(c).split()[0] for c in text if c.isalpha())
    assert set(scripts) >= {
        *("LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "DEVANAGARI"),
        *("HIRAGANA", "KATAKANA", "CJK", "HANGUL"),
    }
    assert any(c in text for c in "éüøçñşłőãßž")
    assert any(unicodedata.category(c) == "So" for c in text)


def test_titles_look_like_music(catalogue: Catalogue) -> None:
    titles = [str(row["title"]) for row in catalogue["sounds"]]
    for part in (" - ", "feat.", "Remix)", " mix ", "live @", "Podcast", " & ", "ft."):
        assert sum(part in title for title in titles) >= 5, part
    # Covers, versions and "Intro": the same title occurs again, but not all over the place.
    assert 0.7 < len(set(titles)) / len(titles) < 1


def test_titles_mention_other_users(catalogue: Catalogue) -> None:
    names = {str(row["display_name"]) for row in catalogue["users"]}
    featured = [
        str(row["title"]).partition(" (feat. ")[2].removesuffix(")")
        for row in catalogue["sounds"]
        if str(row["title"]).endswith(")") and " (feat. " in str(row["title"])
    ]
    assert len(featured) > 20
    assert sum(name in names for name in featured) / len(featured) > 0.9


def test_descriptions_have_some_hundred_bytes(catalogue: Catalogue) -> None:
    lengths = [len(str(row["description"]).encode()) for row in catalogue["sounds"]]
    assert 300 < statistics.mean(lengths) < 600
    assert (
        0.05 < sum(row["description"] is None for row in catalogue["sounds"]) / len(lengths) < 0.2
    )


def test_mixes_are_long_and_tracks_short(catalogue: Catalogue) -> None:
    minutes = {True: [], False: []}  # type: dict[bool, list[float]]
    for row in catalogue["sounds"]:
        minutes[" mix " in str(row["title"])].append(int(str(row["duration_ms"])) / 60_000)
    assert statistics.median(minutes[True]) > 30
    assert statistics.median(minutes[False]) < 6


def test_albums_hold_their_makers_own_sounds(catalogue: Catalogue) -> None:
    owner = {int(str(row["id"])): row["user_id"] for row in catalogue["sounds"]}
    albums = {
        int(str(row["id"])): row["user_id"]
        for row in catalogue["sets"]
        if row["kind"] in {"album", "ep"}
    }
    contents = [row for row in catalogue["set_sounds"] if row["set_id"] in albums]
    assert contents
    assert all(owner[row["sound_id"]] == albums[row["set_id"]] for row in contents)  # type: ignore[index]


def test_positions_in_a_set_count_from_one(catalogue: Catalogue) -> None:
    positions: dict[object, list[object]] = {}
    for row in catalogue["set_sounds"]:
        positions.setdefault(row["set_id"], []).append(row["position"])
    assert all(sorted(p) == list(range(1, len(p) + 1)) for p in positions.values())  # type: ignore[type-var]


def test_the_smallest_catalogue_is_whole() -> None:
    tables = {
        table.table: sum(chunk.rows for chunk in table.chunks)
        for table in generate(divide(100), seed=1, until=UNTIL)
    }
    assert all(tables.values()), tables
