"""From the files of the real catalogue to its rows."""

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from demo import real_activity, real_catalogue
from demo.real_activity import FEWEST_LIKES, Tagging
from demo.real_catalogue import Sources, with_guests
from demo.real_people import fold, share
from tests.unit.demo import small_data
from tests.unit.demo.conftest import decode

Catalogue = dict[str, list[dict[str, object]]]


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return real_catalogue.read(small_data.write(tmp_path))


@pytest.fixture
def rows(sources: Sources) -> Catalogue:
    return {
        table.table: [dict(zip(table.columns, row, strict=True)) for row in decode(table)]
        for table in real_catalogue.tables(sources)
    }


def column(rows: Catalogue, table: str, name: str) -> list[object]:
    return [row[name] for row in rows[table]]


def test_users_are_the_artists_and_then_the_listeners(rows: Catalogue) -> None:
    assert column(rows, "users", "display_name") == [
        *("Élan", "Moo", "Guest", "M|O|O|N"),
        *("Listener 2", "Listener 3"),
    ]
    assert column(rows, "users", "username") == [
        *("elan", "moo", "guest", "m-o-o-n"),
        *("listener-2", "listener-3"),
    ]


def test_sounds_belong_to_the_first_artist_and_name_the_others(rows: Catalogue) -> None:
    by_title = {row["title"]: row for row in rows["sounds"]}
    assert set(by_title) == {
        'Über "All" (feat. Guest)',
        "Bus (feat. Moo)",
        "밤 (feat. Élan)",
        "Dust",
    }
    guest = next(r["id"] for r in rows["users"] if r["display_name"] == "Guest")
    korean = by_title["밤 (feat. Élan)"]
    assert korean["user_id"] == guest
    assert korean["permalink"] == "bam-feat-elan"
    assert korean["description"] == "From “밤”. With Élan."
    assert by_title['Über "All" (feat. Guest)']["description"] == "From “First”. With Guest."


def test_the_playlist_tells_the_genre(rows: Catalogue) -> None:
    genres = {row["id"]: row["name"] for row in rows["genres"]}
    found = {row["title"]: genres.get(row["genre_id"]) for row in rows["sounds"]}
    assert found["Bus (feat. Moo)"] == "Techno"
    assert found["밤 (feat. Élan)"] is None


def test_sets_hold_what_is_still_there_once(rows: Catalogue) -> None:
    sounds = {row["id"]: row["title"] for row in rows["sounds"]}
    contents = [(r["set_id"], sounds[r["sound_id"]], r["position"]) for r in rows["set_sounds"]]
    assert contents == [
        ("1", 'Über "All" (feat. Guest)', "1"),
        ("1", "Bus (feat. Moo)", "2"),
        ("2", "밤 (feat. Élan)", "1"),
    ]
    bus = rows["set_sounds"][1]
    assert str(bus["added_at"]).startswith("2020-07-01")


def test_sets_belong_to_listeners(rows: Catalogue) -> None:
    listeners = {r["id"] for r in rows["users"] if "Listener" in str(r["display_name"])}
    assert set(column(rows, "sets", "user_id")) <= listeners
    assert column(rows, "sets", "permalink") == ["techno-friends", "sunday"]


def test_plays_spread_the_counts_over_the_artists_sounds(rows: Catalogue) -> None:
    # 100 of Élan by one listener; 1 of Élan and 3 of Guest by the other. "Unheard" is unknown.
    heard: Counter[object] = Counter()
    for row in rows["plays"]:
        heard[row["user_id"]] += int(str(row["count"]))
    assert sorted(heard.values()) == [4, 100]
    assert all(int(str(count)) > 0 for count in column(rows, "plays", "count"))


def test_likes_are_among_the_plays(rows: Catalogue) -> None:
    plays = {(row["user_id"], row["sound_id"]) for row in rows["plays"]}
    likes = {(row["user_id"], row["sound_id"]) for row in rows["likes"]}
    assert likes
    assert likes <= plays


def test_friendships_are_follows(rows: Catalogue) -> None:
    pairs = {(row["follower_id"], row["followee_id"]) for row in rows["follows"]}
    assert len(pairs) == 2
    assert pairs == {(b, a) for a, b in pairs}


def test_tags_are_those_given_and_the_artists_commonest(rows: Catalogue) -> None:
    own = {(r["sound_id"], r["tag_id"]) for r in rows["sound_tags"] if r["user_id"] is None}
    given = [r for r in rows["sound_tags"] if r["user_id"] is not None]
    elan = {row["id"] for row in rows["sounds"] if row["user_id"] == "1"}
    assert own >= {(sound, tag) for sound in elan for tag in ("1", "2")}
    assert len(given) == 4  # neither that of an unknown artist, nor that of 1956
    assert {str(row["tagged_at"])[:10] for row in given} == {
        *("2009-04-01", "2009-05-02", "2010-06-01")
    }


def test_causes_come_before_effects(rows: Catalogue) -> None:
    def time(value: object) -> datetime:
        return datetime.fromisoformat(str(value))

    users = {row["id"]: time(row["created_at"]) for row in rows["users"]}
    sounds = {row["id"]: time(row["created_at"]) for row in rows["sounds"]}
    for row in rows["sounds"]:
        assert users[row["user_id"]] < time(row["created_at"]) <= time(row["updated_at"])
    for row in rows["sound_tags"]:
        assert sounds[row["sound_id"]] <= time(row["tagged_at"])
        if row["user_id"]:
            assert users[row["user_id"]] < time(row["tagged_at"])
    for row in rows["likes"]:
        assert sounds[row["sound_id"]] <= time(row["created_at"])


def test_same_files_give_the_same_rows(sources: Sources, rows: Catalogue) -> None:
    again = {
        table.table: [dict(zip(table.columns, row, strict=True)) for row in decode(table)]
        for table in real_catalogue.tables(sources)
    }
    assert again == rows


def test_no_group_without_enough_taggers(rows: Catalogue) -> None:
    assert rows["groups"] == []


def test_a_tag_with_enough_taggers_is_a_group_of_the_first_of_them() -> None:
    made = [
        Tagging(sound=f"t{n % 3}", tag=5, listener=n, at=1_000 - n)
        for n in range(real_activity.GROUP_LEAST)
    ]
    made += [Tagging(sound="t9", tag=6, listener=1, at=1)]
    (group,) = real_activity.groups(made)
    assert group.tag == 5
    assert next(iter(group.members)) == real_activity.GROUP_LEAST - 1
    assert set(group.sounds) == {"t0", "t1", "t2"}


def test_likes_are_the_top_of_the_plays() -> None:
    counts = Counter({f"t{n:03}": n + 1 for n in range(200)})
    liked = [key for _, key in real_activity.likes({1: counts})]
    assert liked == [f"t{n:03}" for n in range(199, 179, -1)]
    few = [key for _, key in real_activity.likes({1: Counter({f"t{n}": 1 for n in range(9)})})]
    assert len(few) == FEWEST_LIKES


@pytest.mark.parametrize(("count", "several"), [(1, 1), (3, 3), (100, 7), (10_001, 40)])
def test_spread_keeps_the_sum(count: int, several: int) -> None:
    parts = real_activity._spread(count, several)
    assert sum(parts) == count
    assert len(parts) == several
    assert min(parts) >= 1
    assert parts == sorted(parts, reverse=True)


@pytest.mark.parametrize(
    ("title", "guests", "expected"),
    [
        ("Song", [], "Song"),
        ("Song", ["A", "B"], "Song (feat. A & B)"),
        ("Song (with ANNA)", ["Anna"], "Song (with ANNA)"),
        ("Song - Bob Remix", ["Bob", "Carla"], "Song - Bob Remix (feat. Carla)"),
        ("Mass", ["P", "Q", "R", "S"], "Mass (feat. P & Q & R)"),
    ],
)
def test_guests_in_a_title(title: str, guests: list[str], expected: str) -> None:
    assert with_guests(title, guests) == expected


def test_names_are_equal_but_for_case_and_accents() -> None:
    assert fold("BJÖRK") == fold("bjork")
    assert fold("Sigur Rós") != fold("Sigur")


def test_shares_are_repeatable_and_even() -> None:
    drawn = [share("x", n) for n in range(10_000)]
    assert drawn[7] == share("x", 7)
    assert 0.48 < sum(drawn) / len(drawn) < 0.52
    assert all(0 <= number < 1 for number in drawn)
