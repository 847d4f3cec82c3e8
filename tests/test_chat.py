"""The chat server of lesson 09, on sockets and where there are none."""

from __future__ import annotations

import asyncio
import sys

import pytest

import asyncio_lessons
from asyncio_lessons.classroom import chat

FRIENDS = ["@friend1__username", "@friend2__username"]
REPLIES = [f"{friend} has read 'hello: you'" for friend in FRIENDS]


def told(aio) -> list:
    """Tell all friends at once."""

    async def main():
        async with chat.server(aio) as tell:
            return await aio.gather(*(tell(friend, "hello: you") for friend in FRIENDS))

    return aio.run(main())


@pytest.mark.parametrize("aio", [asyncio_lessons, asyncio], ids=["lessons", "asyncio"])
def test_each_friend_has_read_the_message(aio) -> None:
    assert told(aio) == REPLIES


def test_a_web_page_needs_no_socket(monkeypatch) -> None:
    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setattr(chat, "socket", None)
    assert told(asyncio_lessons) == REPLIES


def test_the_server_ends_with_its_block() -> None:
    async def main():
        async with chat.server(asyncio_lessons) as tell:
            (address,) = tell.args[1:]
        await asyncio_lessons.sleep(0)
        with pytest.raises(OSError):
            await chat.tell(asyncio_lessons, address, FRIENDS[0], "too late")

    asyncio_lessons.run(main())
