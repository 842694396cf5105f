import pytest

from indexer.health import Chart, Condition, worst


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        ("", Condition.OK),
        ("o", Condition.OK),
        ("ow", Condition.WARNING),
        ("pw", Condition.PROBLEM),
        ("upwo", Condition.UNREACHABLE),
    ],
)
def test_the_worst_of_all_counts(notes: str, expected: Condition) -> None:
    chart = Chart("service")
    for note in notes:
        match note:
            case "o":
                chart.ok("x", "fine")
            case "w":
                chart.warning("x", "hm", "look")
            case "p":
                chart.problem("x", "oh", "mend it")
            case _:
                chart.unreachable("gone", "start it")
    assert worst(chart.observations) is expected


def test_an_observation_says_whose_it_is() -> None:
    chart = Chart("RabbitMQ")
    chart.problem("queue", "it is not there", "declare it")
    (seen,) = chart.observations
    assert (seen.service, seen.subject, seen.what, seen.remedy) == (
        "RabbitMQ",
        "queue",
        "it is not there",
        "declare it",
    )
