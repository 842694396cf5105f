from query_api.blind_merge import merged

FIRST = [{"type": "sound", "id": str(number)} for number in range(10)]
SECOND = [
    *({"type": "sound", "id": str(number)} for number in range(5, 10)),
    {"type": "user", "id": "5"},
]


def names(hits: object) -> list[str]:
    assert isinstance(hits, list)
    return [f"{hit['type']}:{hit['id']}" for hit in hits]


def test_each_entity_of_either_ranking_stands_there_once() -> None:
    found = names(merged([FIRST, SECOND], seed="ana"))
    assert sorted(found) == sorted({*(f"sound:{number}" for number in range(10)), "user:5"})


def test_the_order_tells_nothing_of_the_rankings() -> None:
    assert merged([FIRST, SECOND], seed="ana") == merged([SECOND, FIRST], seed="ana")
    assert merged([FIRST, SECOND], seed="ana") != merged([FIRST, SECOND], seed="bo")


def test_no_place_is_favoured() -> None:
    firsts = [merged([FIRST, []], seed=str(number))[0]["id"] for number in range(1_000)]
    assert all(60 < firsts.count(str(number)) < 140 for number in range(10))
