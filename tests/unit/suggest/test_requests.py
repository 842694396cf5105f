import pytest

from suggest.requests import BadRequestError, Code, Request, parse


def test_all_that_can_be_asked() -> None:
    asked = parse(b"q=Bj%C3%B6rk+gu&type=sound,user,sound&limit=5&fuzzy=false")
    assert asked == Request(typed="Björk gu", types=("sound", "user"), limit=5, fuzzy=False)


@pytest.mark.parametrize("query", [b"", b"q=", b"q", b"&&"])
def test_nothing_typed_is_a_request(query: bytes) -> None:
    assert parse(query) == Request(typed="", types=(), limit=10, fuzzy=True)


@pytest.mark.parametrize(
    ("query", "code", "parameter"),
    [
        (b"q=a&limit=-1", Code.INVALID_VALUE, "limit"),
        (b"q=a&limit=0", Code.INVALID_VALUE, "limit"),
        (b"q=a&limit=101", Code.INVALID_VALUE, "limit"),
        (b"q=a&limit=1e1", Code.INVALID_VALUE, "limit"),
        (b"q=a&limit=" + b"9" * 5000, Code.INVALID_VALUE, "limit"),
        ("q=a&limit=٣".encode(), Code.INVALID_VALUE, "limit"),
        (b"q=a&fuzzy=maybe", Code.INVALID_VALUE, "fuzzy"),
        (b"q=a&type=,", Code.INVALID_VALUE, "type"),
        (b"q=" + b"a" * 10_000, Code.INVALID_VALUE, "q"),
        (b"q=%ff%fe", Code.INVALID_VALUE, "q"),
        (b"q=a&q=b", Code.REPEATED_PARAMETER, "q"),
        (b"q=a&size=3", Code.UNKNOWN_PARAMETER, "size"),
    ],
)
def test_what_cannot_be_answered_is_named(query: bytes, code: Code, parameter: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        parse(query)
    assert caught.value.code is code
    assert caught.value.parameter == parameter
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("typed", ["\0", "\n\t", "🔥", "\u202eمرحبا", "a\x7f", "%", "&=+"])  # noqa: RUF001
def test_strange_characters_arrive_as_they_are(typed: str) -> None:
    encoded = "".join(f"%{byte:02X}" for byte in typed.encode())
    assert parse(f"q={encoded}".encode()).typed == typed
