"""What the listeners of the real catalogue did: tags, plays, likes, who follows whom, groups.

The listening data speak of artists; here it lands on their tracks. Where they know no date, one is
made between the first possible moment and the end of the archive.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from demo.listening_data import ListeningData
from demo.playlist_archive import Archive
from demo.real_people import Cast, share, within_day

OWN_TAGS = 5  # how many of an artist's commonest tags stand on each of his sounds
GROUP_LEAST = 20  # taggers that make a tag a group
FEWEST_LIKES, MOST_LIKES = 5, 30
LIKED = 0.1  # share of the sounds that a listener plays


@dataclass(frozen=True, kw_only=True)
class Tagging:
    """Somebody gave a track a tag."""

    sound: str  # the archive's track key
    tag: int  # number in the listening data, which is the tag's id
    listener: int  # number in the listening data
    at: int  # µs since 1970


@dataclass(frozen=True, kw_only=True)
class Group:
    """A tag that many use."""

    tag: int
    members: dict[int, int]  # listener -> when he joined; the first is the founder
    sounds: dict[str, int]  # track key -> when it was posted


def taggings(listening: ListeningData, people: Cast) -> list[Tagging]:
    """The assignments, each on a track of its artist: mostly one of the well-known ones.

    All tags that a listener gave an artist land on the same track.
    """
    found: dict[tuple[str, int, int], Tagging] = {}
    for given in listening.assignments:
        if (artist := people.joined.get(given.artist)) is None:
            continue
        works = people.works[artist]
        chosen = works[int(len(works) * share(given.listener, given.artist) ** 2)]
        at = within_day(given.at, given.listener, given.artist, given.tag)
        made = Tagging(sound=chosen, tag=given.tag, listener=given.listener, at=at)
        earlier = found.get(key := (chosen, given.tag, given.listener))
        if earlier is None or at < earlier.at:
            found[key] = made
    return list(found.values())


def artist_tags(listening: ListeningData, people: Cast) -> dict[str, Counter[int]]:
    """Artist's key -> how often each tag was given."""
    counts: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for given in listening.assignments:
        if artist := people.joined.get(given.artist):
            counts[artist][given.tag] += 1
    return counts


def own_tags(archive: Archive, tags: dict[str, Counter[int]]) -> Iterator[tuple[str, int]]:
    """Track key and tag: what each artist is known for, on all that he published."""
    commonest = {
        artist: sorted(counts, key=lambda tag: (-counts[tag], tag))[:OWN_TAGS]
        for artist, counts in tags.items()
    }
    for key, track in archive.tracks.items():
        for tag in commonest.get(track.artists[0], ()):
            yield key, tag


def plays(listening: ListeningData, people: Cast) -> dict[int, Counter[str]]:
    """Listener -> how often he played each track.

    A count is spread over some of the artist's tracks, the more the larger it is; the first gets
    most.
    """
    found: dict[int, Counter[str]] = {number: Counter() for number in people.listeners}
    for heard in listening.listenings:
        if (artist := people.joined.get(heard.artist)) is None:
            continue
        works = people.works[artist]
        several = min(len(works), heard.count, 1 + round(heard.count**0.4))
        first = int(len(works) * share(heard.listener, heard.artist) ** 2)
        chosen = [works[(first + i) % len(works)] for i in range(several)]
        for key, count in zip(chosen, _spread(heard.count, several), strict=True):
            found[heard.listener][key] += count
    return found


def likes(played: dict[int, Counter[str]]) -> Iterator[tuple[int, str]]:
    """Listener and track: what he plays most."""
    for listener, counts in played.items():
        number = min(max(FEWEST_LIKES, round(LIKED * len(counts))), MOST_LIKES)
        best = sorted(counts, key=lambda key: (-counts[key], key))
        for key in best[:number]:
            yield listener, key


def groups(made: Iterable[Tagging]) -> list[Group]:
    """A group for every tag with enough taggers, in the order of the tags."""
    by_tag: defaultdict[int, list[Tagging]] = defaultdict(list)
    for tagging in made:
        by_tag[tagging.tag].append(tagging)
    found = []
    for tag, all_of_it in sorted(by_tag.items()):
        all_of_it.sort(key=lambda tagging: (tagging.at, tagging.listener, tagging.sound))
        members: dict[int, int] = {}
        sounds: dict[str, int] = {}
        for tagging in all_of_it:
            members.setdefault(tagging.listener, tagging.at)
            sounds.setdefault(tagging.sound, tagging.at)
        if len(members) >= GROUP_LEAST:
            found.append(Group(tag=tag, members=members, sounds=sounds))
    return found


def _spread(count: int, several: int) -> list[int]:
    """`count` in `several` parts of at least one, each smaller than the one before or equal."""
    weights = [1 / i for i in range(1, several + 1)]
    whole = count - several
    parts = [1 + int(whole * weight / sum(weights)) for weight in weights]
    parts[0] += count - sum(parts)
    return parts
