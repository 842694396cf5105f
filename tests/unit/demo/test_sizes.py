import pytest

from core.errors import UsageError
from demo.sizes import Size, divide


@pytest.mark.parametrize("size", Size)
def test_parts_make_the_whole(size: Size) -> None:
    assert divide(size.value).total == size.value


def test_most_are_sounds() -> None:
    counts = divide(100_000)
    assert (counts.users, counts.sounds, counts.sets, counts.groups) == (
        25_000,
        65_000,
        8_000,
        2_000,
    )


def test_a_handful_is_too_few() -> None:
    with pytest.raises(UsageError, match="use 100 or more"):
        divide(99)
