"""Titles as music has them: "X - Y (Z Remix) feat. W", "drum & bass mix 04", live, podcasts."""

import random
from collections.abc import Callable, Mapping, Sequence

from demo.users import Users
from demo.vocabulary import Template, Vocabulary

# The forms of a sound's title, with their shares.
FORMS: Mapping[str, float] = {
    "plain": 36,
    "feature": 10,
    "credit": 14,
    "remix": 12,
    "version": 9,
    "mix": 6,
    "live": 4,
    "podcast": 5,
    "number": 4,
}
SET_FORMS: Mapping[str, float] = {"playlist": 74, "album": 13, "ep": 13}


class Titles:
    """Makes titles that mention the catalogue's own users, genres and places."""

    def __init__(self, users: Users, vocabulary: Vocabulary) -> None:
        music = vocabulary.music
        self._users = users
        self._cultures = vocabulary.cultures
        self._culture_of: list[int] = users.culture.tolist()
        self._famous: list[int] = users.by_fame.tolist()
        self._genres = [genre.name for genre in music.genres]
        self._music = music
        self._forms = [music.titles[form] for form in FORMS]
        self._drawn: Mapping[str, Callable[[random.Random], str]] = {
            "artist": self._artist,
            "guest": self._artist,
            "genre2": lambda draw: draw.choice(self._genres),
            "suffix": lambda draw: draw.choice(music.suffixes),
            "emoji": lambda draw: draw.choice(music.emoji),
            "padded": _padded,
            "small": lambda draw: str(draw.randrange(1, 13)),
            "small2": lambda draw: f"{draw.randrange(1, 13):02}",
            "small3": lambda draw: f"{draw.randrange(1, 29):02}",
        }
        self._set_forms = [music.set_titles[form] for form in SET_FORMS]

    def make(self, draw: random.Random, form: int, owner: int, genre: int) -> str:
        """The title of a sound of this form by the user at position `owner`."""
        return self._decorated(draw, self._fill(draw, self._forms[form], owner, genre))

    def make_for_set(self, draw: random.Random, form: int, owner: int, genre: int) -> str:
        """The title of a set of this form."""
        return self._fill(draw, self._set_forms[form], owner, genre)

    def make_for_group(self, draw: random.Random, owner: int, genre: int) -> str:
        """The name of a group."""
        return self._fill(draw, self._music.group_names, owner, genre)

    def make_for_group_text(self, draw: random.Random, owner: int, genre: int) -> str:
        """What a group says of itself."""
        count = 1 + int(3 * draw.random())
        chosen = draw.sample(self._music.group_sentences, count)
        return " ".join(self._fill(draw, [template], owner, genre) for template in chosen)

    def _fill(
        self, draw: random.Random, templates: Sequence[Template], owner: int, genre: int
    ) -> str:
        return draw.choice(templates).fill(lambda field: self._value(field, draw, owner, genre))

    def _value(self, field: str, draw: random.Random, owner: int, genre: int) -> str:
        if field == "owner":
            return self._users.names[owner]
        if field == "genre":
            name = self._genres[genre]
            return name if draw.random() < 0.5 else name.lower()
        if field in self._drawn:
            return self._drawn[field](draw)
        culture = self._cultures[self._culture_of[owner]]
        if field.startswith("phrase"):
            return culture.make_phrase(draw)
        return culture.word(field, draw)

    def _artist(self, draw: random.Random) -> str:
        """Somebody's name, mostly a famous one."""
        return self._users.names[self._famous[int(len(self._famous) * draw.random() ** 3)]]

    def _decorated(self, draw: random.Random, title: str) -> str:
        chance = draw.random()
        if chance < 0.10:
            return title.lower()
        if chance < 0.14:
            return title.upper()
        if chance < 0.16:
            return f"{title} {draw.choice(self._music.emoji)}"
        if chance < 0.19:
            return f"{title} {draw.choice(self._music.notices)}"
        return title


def _padded(draw: random.Random) -> str:
    """The number of an episode, as people who plan for many write it."""
    return f"{int(200 * draw.random() ** 3) + 1:0{draw.choice((2, 2, 3))}}"
