from benchmarks.search import Run, figures
from benchmarks.search_log import search_log
from core import definitions, settings
from query_api import parameters, profiles

NAMES = [("Windowlicker Remix", "Aphex Twin"), ("雨", "Ana"), ("x", "")]


def test_the_log_is_repeatable_and_has_all_kinds_of_searches() -> None:
    log = search_log(NAMES, 2_000)
    assert log == search_log(NAMES, 2_000)
    assert log != search_log(NAMES, 2_000, seed=2)
    texts = {one["q"] for one in log}
    assert texts >= {"", "Aphex Twin", "Windowlicker", "Windowlic", "Twin Remix"}
    assert {name for one in log for name in one} >= {"type", "facets", "sort", "filter.created"}


def test_every_search_of_the_log_is_one() -> None:
    known = profiles.read(definitions.load(settings.Settings().definitions_path))
    for one in search_log(NAMES, 500):
        given = {name: value for name, value in one.items() if value}
        assert parameters.search_request(given, known).limit == 20


def test_what_is_added_is_the_difference_of_the_sides() -> None:
    run = Run(api=[0.003] * 100, engine=[0.002] * 100, throughput={"api": 80, "engine": 100})
    found = figures(run)
    assert round(found["added_p50_ms"], 6) == round(found["added_p99_ms"], 6) == 1.0
    assert found["throughput_of_engine"] == 0.8
