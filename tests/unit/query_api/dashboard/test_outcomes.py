"""What takes long is asked in the background, once at a time, and its failure is a reason."""

import asyncio

from query_api.dashboard.outcomes import Background


async def settled(background: Background[str]) -> None:
    """Wait until something was found, or was not."""
    async with asyncio.timeout(5):
        while "in a moment" in background.latest().missing:  # noqa: ASYNC110 - nothing to wait for
            await asyncio.sleep(0)


async def test_the_page_does_not_wait_and_gets_the_answer_later() -> None:
    begun, go_on = 0, asyncio.Event()

    async def ask() -> str:
        nonlocal begun
        begun += 1
        await go_on.wait()
        return "known"

    background = Background("the log", ask)
    assert background.latest().value is None
    assert "in a moment" in background.latest().missing
    go_on.set()
    await settled(background)
    assert background.latest().value == "known"
    assert begun == 1
    await background.close()


async def test_what_fails_is_told() -> None:
    async def ask() -> str:
        raise ValueError("no such file")

    background = Background("the log", ask)
    await settled(background)
    assert "no such file" in background.latest().missing
    await background.close()


async def test_closing_gives_up_what_is_asked() -> None:
    given_up = False

    async def ask() -> str:
        nonlocal given_up
        try:
            await asyncio.Event().wait()
            return "never"
        finally:
            given_up = True

    background = Background("the log", ask)
    background.latest()
    await asyncio.sleep(0)
    await background.close()
    assert given_up
