"""Judged queries of the demo catalogue: what is right for them follows from the rows.

Four ways of asking, each for things that are drawn by a seed: a title; a person; a title with its
maker; a genre with a word of a title. Whatever else fits as well as what was drawn is right, too.
The same catalogue and seed give the same queries.
"""

from typing import Any, Final, NamedTuple

RATER: Final = "demo"  # who says so, in files
_PUBLIC: Final = """
with people as (
    select id, display_name as name from users where visibility = 'public' and deleted_at is null
), found as (
    select s.id, s.title, s.user_id, p.name, g.name as genre
    from sounds s
    join people p on p.id = s.user_id
    left join genres g on g.id = s.genre_id
    where s.visibility = 'public' and s.deleted_at is null
)
"""
# 3: exactly what was meant; 2: good; 1: somewhat. A person's sounds are not the person.
_INTENTS: Final = {
    "title": """
        , drawn as (
            select id, title from found where title ~ '\\w{3}'
            order by md5($1 || id::text), id limit $2
        )
        select 'title-' || d.id as query, d.title as text, 'sound:' || f.id as doc, 3 as grade
        from drawn d join found f on lower(f.title) = lower(d.title)
    """,
    "person": """
        , drawn as (
            select id, name from people p
            where name ~ '\\w{3}'
                and (select count(*) from sounds s where s.user_id = p.id) between 1 and 20
            order by md5($1 || id::text), id limit $2
        )
        select 'person-' || d.id as query, d.name as text, 'user:' || p.id as doc, 3 as grade
        from drawn d join people p on lower(p.name) = lower(d.name)
        union all
        select 'person-' || d.id, d.name, 'sound:' || f.id, 1
        from drawn d join found f on lower(f.name) = lower(d.name)
    """,
    "title and maker": """
        , drawn as (
            select id, title, name from found where title ~ '\\w{3}' and name ~ '\\w{3}'
            order by md5('maker' || $1 || id::text), id limit $2
        )
        select 'maker-' || d.id as query, d.title || ' ' || d.name as text, 'sound:' || f.id as doc,
            3 as grade
        from drawn d
        join found f on lower(f.title) = lower(d.title) and lower(f.name) = lower(d.name)
    """,
    "genre and word": """
        , drawn as (
            select id, genre, lower((regexp_match(title, '[A-Za-z]{5,}'))[1]) as word
            from found where genre is not null and title ~ '[A-Za-z]{5,}'
            order by md5('genre' || $1 || id::text), id limit $2
        )
        select 'genre-' || d.id as query, d.genre || ' ' || d.word as text, 'sound:' || f.id as doc,
            2 as grade
        from drawn d
        join found f on f.genre = d.genre and lower(f.title) ~ ('\\m' || d.word || '\\M')
    """,
}


class Line(NamedTuple):
    """What is right for a query, as `disco eval judgments import` reads it."""

    query: str  # id
    text: str  # what is typed
    doc: str  # type:id
    grade: int
    rater: str = RATER


async def judged_queries(connection: Any, *, each: int, seed: int) -> list[Line]:
    """`each` queries of every way of asking, or as many as the catalogue has."""
    found: list[Line] = []
    for statement in _INTENTS.values():
        judged = f"({_PUBLIC} {statement}) as judged"
        rows = await connection.fetch(
            f"select * from {judged} order by query, grade desc, doc",  # noqa: S608 our constants
            *(str(seed), each),
        )
        found += [Line(**row) for row in rows]
    return found
