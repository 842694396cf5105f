"""`disco eval judgments`: sets in the database."""

from pathlib import Path

import pytest

from cli import main, output
from core.database import open_pool
from core.operation_log import Actor, OperationLog
from core.settings import Settings
from evaluation.judgment_operations import (
    Entity,
    Judgment,
    JudgmentError,
    JudgmentStore,
    Query,
    Scale,
    open_judgments,
)
from tests.integration.evaluation.conftest import Disco

CSV = (
    "query,text,doc,grade,rater,judged_at\n"
    "q1,rain,sound:1,3,ana,2026-05-01T12:00:00+00:00\n"
    "q1,rain,sound:1,1,bo,2026-05-01T12:00:00+00:00\n"
    "q1,rain,user:7,0,ana,2026-05-01T12:00:00+00:00\n"
)


def test_a_set_goes_in_and_comes_out_the_same(disco: Disco, tmp_path: Path) -> None:
    file, topics = tmp_path / "set.csv", tmp_path / "topics"
    file.write_text(CSV)
    topics.write_text("q0\tstill to be judged\n")
    into = ("eval", "judgments", "import", "round", str(file), "--queries", str(topics))
    planned = disco(*into, "--dry-run")
    assert "would import 2 queries and 3 judgments into the new set round" in planned.out
    assert "no set yet" in disco("eval", "judgments", "list").out

    assert disco(*into, "--scale", "thumbs").code == output.OK
    out = disco("eval", "judgments", "export", "round")
    assert out.out == CSV
    out = disco("eval", "judgments", "export", "round", "--format", "qrels")
    assert out.out == "q1 0 sound:1 1\nq1 0 user:7 0\n"
    out = disco("eval", "judgments", "export", "round", "--format", "queries")
    assert out.out == "q0\tstill to be judged\nq1\train\n"
    again = disco(*into)
    assert "3 of them in place of earlier ones" in again.out
    other = disco(*into, "--scale", "grades")
    assert (other.code, "has the scale thumbs" in other.err) == (output.BAD_USAGE, True)
    told = disco("eval", "judgments", "list", "round")
    assert "over 1 entities that several raters judged" in told.out

    gone = disco("eval", "judgments", "drop", "round", "--json")
    assert '"judgments": 3' in gone.out
    missing = disco("eval", "judgments", "export", "round")
    assert (missing.code, "no set of judgments 'round'" in missing.err) == (output.BAD_USAGE, True)


async def test_what_an_operator_does_is_logged(settings: Settings, tmp_path: Path) -> None:
    topics = tmp_path / "topics"
    topics.write_text("rain\n")
    actor = Actor(name="ana", via="cli")
    async with open_judgments(settings, actor) as judgments:
        await judgments.import_files("logged", None, str(topics), rater="ana", scale=None)
        await judgments.drop("logged")
    async with open_pool(settings.database_url, application="disco tests") as pool:
        found = await OperationLog(pool, actor).history(subject="logged")
    assert [one.action for one in found] == ["judgments.drop", "judgments.import"]
    assert found[0].before == {"scale": "grades", "queries": 1, "judgments": 0}


async def test_who_judges_anew_replaces_what_he_said(settings: Settings) -> None:
    entity = Entity("sound", "1")

    def judged(rater: str, grade: int) -> Judgment:
        return Judgment(query="q", entity=entity, rater=rater, grade=grade)

    async with open_pool(settings.database_url, application="disco tests") as pool:
        store = JudgmentStore(pool)
        await store.add(
            "anew", Scale.GRADES, [Query.of("rain", "q")], [judged("ana", 0), judged("bo", 2)]
        )
        await store.add("anew", Scale.GRADES, [], [judged("ana", 3)])
        found = await store.read("anew")
        assert [(one.rater, one.grade) for one in found.judgments] == [("ana", 3), ("bo", 2)]
        assert all(one.judged_at for one in found.judgments)
        await store.add("anew", Scale.GRADES, [], [], [("q", entity, "ana")])
        assert [one.rater for one in (await store.read("anew")).judgments] == ["bo"]

        with pytest.raises(JudgmentError, match="lacks a query"):
            await store.add(
                "anew",
                Scale.GRADES,
                [Query.of("snow", "s")],
                [Judgment(query="unknown", entity=entity, rater="ana", grade=1)],
            )
        assert set((await store.read("anew")).texts) == {"q"}  # nothing by halves
        await store.drop("anew")


def test_what_is_missing_is_told() -> None:
    assert main.run(["eval", "judgments", "import", "demo"]) == output.BAD_USAGE
    assert (
        main.run(["eval", "judgments", "import", "demo", "-", "--queries", "-"]) == output.BAD_USAGE
    )
