"""From the demo's catalogue to a report: judged queries, variants searched, measured, compared."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from cli import output
from core.engine import create_engine
from core.settings import Settings
from evaluation.judgment_operations import KeptValue, open_results, read_set_file
from tests.integration.evaluation.conftest import Disco
from tests.integration.query_api import catalogue
from tests.integration.query_api.catalogue import sound, user

TITLES = ["Rain in Berlin", "Sunday Mass", "Night Bus", "Slow Water", "Rain again"]
CSV = "query,text,doc,grade\n" + "".join(
    f"q{number},{title},sound:{number},3\n" for number, title in enumerate(TITLES, 1)
)


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    file = tmp_path / "titles.csv"
    file.write_text(CSV)
    return file


@pytest.fixture(scope="module")
def filled(settings: Settings) -> Settings:
    async def fill() -> None:
        async with create_engine(settings) as engine:
            await catalogue.create_indices(engine, settings)
            sounds = (sound(number, title) for number, title in enumerate(TITLES, 1))
            await catalogue.write(engine, settings, [*sounds, user(1, "Ana Lovelace")])

    asyncio.run(fill())
    return settings


@pytest.mark.usefixtures("filled", "blind")
def test_variants_are_searched_measured_and_compared(
    disco: Disco, judged: Path, tmp_path: Path
) -> None:
    floor, runs = tmp_path / "floor.json", tmp_path / "{variant}.run"
    floor.write_text('{"RR": 0.9}')
    page = tmp_path / "page.html"
    both = ("--variant", "live", "--variant", "blind", "--run-file", str(runs))
    measured = disco(
        *("eval", "run", "--set", str(judged), *both, "--html", str(page), "--floor", str(floor)),
        "--json",
    )
    assert (measured.code, bool(measured.out)) == (output.DOES_NOT_HOLD, True), measured.err
    found = orjson.loads(measured.out)
    assert found["systems"]["live"]["measures"]["RR"] == 1.0
    assert found["systems"]["blind"]["measures"]["RR"] == 0.0
    assert found["differences"]["blind"]["RR"]["difference"] == -1.0
    assert [(one["system"], one["holds"]) for one in found["floors"]] == [
        *(("live", True), ("blind", False)),
    ]
    assert found["systems"]["live"]["top"]["q2"][0]["title"] == "Sunday Mass"
    assert "5 worse" in page.read_text()

    assert (tmp_path / "live.run").read_text().startswith("q1 Q0 sound:1 1 ")
    again = disco(
        *("eval", "run", "--set", str(judged), "--run", str(tmp_path / "live.run")),
        *("--floor", str(floor)),
    )
    assert again.code == output.OK, again.err
    unknown = disco("eval", "run", "--set", str(judged), "--variant", "none")
    assert (unknown.code, "no variant of that name" in unknown.err) == (output.BAD_USAGE, True)


@pytest.mark.usefixtures("filled")
def test_a_set_of_the_database_is_measured(disco: Disco, judged: Path) -> None:
    disco("eval", "judgments", "import", "titles", str(judged))
    told = disco("eval", "run", "--set", "titles", "--measures", "RR,P@1")
    assert told.code == output.OK, told.err
    assert "RR         1.0000" in told.out
    missing = disco("eval", "run", "--set", "nowhere")
    assert (missing.code, "no set of judgments" in missing.err) == (output.BAD_USAGE, True)


@pytest.mark.usefixtures("filled", "blind")
def test_what_variants_reach_by_a_set_of_the_database_is_kept(
    disco: Disco, judged: Path, tmp_path: Path, settings: Settings
) -> None:
    floor = tmp_path / "floor.json"
    floor.write_text('{"RR": 0.9}')
    disco("eval", "judgments", "import", "kept", str(judged))
    both = ("--variant", "live", "--variant", "blind", "--measures", "P@1", "--floor", str(floor))
    assert disco("eval", "run", "--set", "kept", *both).code == output.DOES_NOT_HOLD
    disco("eval", "run", "--set", "kept", *both, "--no-keep")
    disco("eval", "run", "--set", str(judged), *both)

    def reached() -> list[tuple[str, str, float, float | None]]:
        async def read() -> Sequence[KeptValue]:
            async with open_results(settings) as results:
                return await results.since(datetime.now(UTC) - timedelta(minutes=10))

        found = [one for one in asyncio.run(read()) if one.set != "titles"]
        assert {(one.set, one.queries) for one in found} <= {("kept", len(TITLES))}
        return [(one.variant, one.measure, one.value, one.floor) for one in found]

    assert reached() == [
        ("blind", "P@1", 0.0, None),
        ("blind", "RR", 0.0, 0.9),
        ("live", "P@1", 1.0, None),
        ("live", "RR", 1.0, 0.9),
    ]
    disco("eval", "judgments", "drop", "kept")
    assert not reached()


def test_the_demos_judged_queries_follow_from_its_rows(disco: Disco, tmp_path: Path) -> None:
    assert "no catalogue" in disco("demo", "judgments").err
    assert disco("demo", "load", "--entities", "400", "--until", "2026-05-01").code == output.OK
    told = disco("demo", "judgments", "--each", "5")
    assert told.code == output.OK, told.err
    assert disco("demo", "judgments", "--each", "5").out == told.out
    assert disco("demo", "judgments", "--each", "5", "--seed", "2").out != told.out
    file = tmp_path / "demo.csv"
    file.write_text(told.out)
    judged = read_set_file(str(file))
    kinds = [one.id.partition("-")[0] for one in judged.queries]
    assert {kind: kinds.count(kind) for kind in kinds} == dict.fromkeys(
        ("title", "person", "maker", "genre"), 5
    )
    for query, grades in judged.qrels().grades.items():
        kind, _, number = query.partition("-")
        entity = f"{'user' if kind == 'person' else 'sound'}:{number}"
        assert grades[entity] == max(grades.values()), query
