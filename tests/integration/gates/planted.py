"""Changes of definitions: twenty that must not go live, and twenty that may."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.settings import Settings

Edit = Callable[[Path], None]  # changes files in a folder of definitions


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A changed definition."""

    name: str
    entity: str  # the type that is built from it
    edits: tuple[Edit, ...]

    def plant(self, folder: Path) -> Path:
        """A folder of definitions with the change."""
        target = folder / self.name.replace(" ", "_")
        shutil.copytree(Settings().definitions_path, target)
        for edit in self.edits:
            edit(target)
        return target


def sql(file: str, old: str, new: str) -> Edit:
    """Replace text in hydration SQL; it must stand there once."""

    def edit(folder: Path) -> None:
        path = folder / f"{file}.hydrate.sql"
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path.name}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    return edit


def changed(file: str, *path: str, to: Any) -> Edit:
    """Set, or with a function change, a value in a JSON file."""

    def edit(folder: Path) -> None:
        where = folder / f"{file}.json"
        document = json.loads(where.read_text(encoding="utf-8"))
        *above, last = path
        part = document
        for name in above:
            part = part[name]
        part[last] = to(part[last]) if callable(to) else to
        where.write_text(json.dumps(document), encoding="utf-8")

    return edit


def _without(*names: str) -> Callable[[Any], Any]:
    def take(part: Any) -> Any:
        if isinstance(part, list):
            return [one for one in part if one not in names]
        return {name: value for name, value in part.items() if name not in names}

    return take


def _inverted(weights: dict[str, float]) -> dict[str, float]:
    """The weightiest becomes the least, and the other way about."""
    ordered = sorted(weights, key=lambda name: weights[name])
    return dict(zip(ordered, sorted(weights.values(), reverse=True), strict=True))


def _all_inverted(match: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """All kinds of matches, as if the whole name counted least and the description most."""
    kinds = {kind: _inverted(weights) for kind, weights in match.items()}
    low = {kind: dict.fromkeys(kinds[kind], 0.1) for kind in ("exact", "phrase", "prefix")}
    return {**low, "words": kinds["words"]}


def _bad(name: str, entity: str, *edits: Edit) -> Planted:
    return Planted(name=name, entity=entity, edits=edits)


_VISIBLE = " AND s.visibility = 'public' AND s.deleted_at IS NULL"
_ANALYZERS = "shared.analysis"

BAD = (
    _bad("a field is dropped", "sound", sql("sound", "g.name AS genre", "NULL::text AS genre")),
    _bad("a list is empty", "sound", sql("sound", ")[:50]", ")[:0]")),
    _bad("half the rows", "sound", sql("sound", "(s.id) AND", "(s.id) AND s.id % 2 = 0 AND")),
    _bad(
        "an inner join",
        "sound",
        sql("sound", "LEFT JOIN (\n    -- Many", "JOIN (\n    -- Many"),
    ),
    _bad("private sounds are shown", "sound", sql("sound", _VISIBLE, "")),
    _bad("deleted sounds are shown", "sound", sql("sound", " AND s.deleted_at IS NULL", "")),
    _bad(
        "sounds of private people are shown",
        "sound",
        sql("sound", " AND u.visibility = 'public' AND u.deleted_at IS NULL", ""),
    ),
    _bad("private people are shown", "user", sql("user", " AND u.visibility = 'public'", "")),
    _bad(
        "sets tell of private sounds",
        "set",
        sql("set", " AND o.visibility = 'public' AND o.deleted_at IS NULL", ""),
    ),
    _bad(
        "words are not split",
        "sound",
        changed(_ANALYZERS, "analyzer", "text", "tokenizer", to="keyword"),
        changed(_ANALYZERS, "analyzer", "text", "filter", to=_without("word_parts")),
    ),
    _bad(
        "capitals count",
        "sound",
        changed(_ANALYZERS, "analyzer", "text", "filter", to=_without("lower")),
    ),
    _bad(
        "accents count",
        "user",
        changed(_ANALYZERS, "analyzer", "text", "filter", to=_without("asciifolding")),
    ),
    _bad(
        "short words are lost",
        "sound",
        changed(_ANALYZERS, "filter", "long_only", to={"type": "length", "min": 6}),
        changed(
            _ANALYZERS, "analyzer", "text_search", "filter", to=lambda found: [*found, "long_only"]
        ),
    ),
    _bad("boosts are inverted", "sound", changed("sound.search", "match", to=_all_inverted)),
    _bad(
        "boosts of people are inverted", "user", changed("user.search", "match", to=_all_inverted)
    ),
    _bad(
        "titles are not searched",
        "set",
        changed("set.search", "match", "words", to=_without("title")),
        changed("set.search", "match", "prefix", to={}),
    ),
    _bad(
        "handles are not searched",
        "user",
        changed("user.search", "match", "exact", to=_without("handle")),
        changed("user.search", "match", "words", to=_without("handle.text")),
        changed("user.search", "match", "prefix", to=_without("handle.prefix")),
    ),
    _bad(
        "nothing is completed",
        "sound",
        changed("sound.search", "match", "prefix", to={}),
    ),
    _bad(
        "names change places",
        "sound",
        sql("sound", "END AS title", "END AS other"),
        sql("sound", "END AS subtitle", "END AS title"),
        sql("sound", "END AS other", "END AS subtitle"),
    ),
    _bad(
        "pages are lost",
        "set",
        sql("set", "'/' || u.username || '/sets/' || s.permalink", "NULL::text"),
    ),
)

HARMLESS = (
    _bad("nothing changed", "sound"),
    _bad(
        "only words about it", "sound", sql("sound", "SELECT\n    s.id", "SELECT /* a */\n    s.id")
    ),
    _bad(
        "one more field",
        "sound",
        sql("sound", "s.duration_ms,", "s.duration_ms, s.duration_ms / 60000 AS minutes,"),
        changed("sound.mapping", "properties", "minutes", to={"type": "integer"}),
    ),
    _bad(
        "one more way to look at a field",
        "sound",
        changed("sound.mapping", "properties", "genre", "fields", "length", to={"type": "keyword"}),
    ),
    _bad("a weight", "sound", changed("sound.search", "match", "words", "description", to=1.2)),
    _bad("a weight of names", "user", changed("user.search", "match", "exact", "handle", to=11)),
    _bad("fewer highlights", "sound", changed("sound.search", "highlight", to=["title"])),
    _bad("a filter less", "sound", changed("sound.search", "filters", to=_without("license"))),
    _bad(
        "one more synonym",
        "sound",
        changed(
            _ANALYZERS, "filter", "same_words", "synonyms", to=lambda some: [*some, "mix, mixed"]
        ),
    ),
    _bad(
        "longer beginnings", "user", changed(_ANALYZERS, "filter", "beginnings", "max_gram", to=20)
    ),
    _bad(
        "another stop word",
        "sound",
        changed(_ANALYZERS, "filter", "light_words", "stopwords", to=lambda some: [*some, "by"]),
    ),
    _bad("more tags", "sound", sql("sound", ")[:50]", ")[:60]")),
    _bad("fewer titles of a set", "set", sql("set", ")[:100] AS sounds,", ")[:80] AS sounds,")),
    _bad(
        "shorter texts",
        "sound",
        sql("sound", "s.description,", "left(s.description, 5000) AS description,"),
    ),
    _bad(
        "another form of the same",
        "user",
        sql("user", "(u.id) AND u.visibility = 'public'", "(u.id) AND u.visibility IN ('public')"),
    ),
    _bad(
        "no sounds without a name",
        "sound",
        sql("sound", "(s.id) AND", "(s.id) AND s.title <> '' AND"),
    ),
    _bad("the weight of a type", "group", changed("group.search", "weight", to=0.9)),
    _bad(
        "how much rank counts",
        "user",
        changed("user.search", "rank", to={"weight": 0.8, "pivot": 20}),
    ),
    _bad(
        "longer values",
        "set",
        changed("set.mapping", "properties", "title", "fields", "exact", "ignore_above", to=512),
    ),
    _bad(
        "phrases of tags", "sound", changed("sound.search", "match", "phrase", to=_without("tags"))
    ),
)
