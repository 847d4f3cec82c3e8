"""What lesson 11 shows of asyncio's own reports: the same text on every Python."""

from __future__ import annotations

import asyncio
import logging

import pytest

from asyncio_lessons.classroom.notebook import reports

GRAPH = """\
* Task(name='guest')
  + Call stack:
  |   async kitchen()
  |   async guest()
  + Awaited by:
    * Task(name='waiter')
      + Call stack:
      |   async waiter()
"""


async def kitchen(kettle: asyncio.Future) -> str:
    return await kettle


async def guest(kettle: asyncio.Future) -> str:
    return await kitchen(kettle)


async def waiter(task: asyncio.Task) -> str:
    return await task


async def show_graph() -> None:
    kettle = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(guest(kettle), name="guest")
    waiting = asyncio.create_task(waiter(task), name="waiter")
    await asyncio.sleep(0)
    reports.call_graph(task)
    print("\n".join(reports._graph_by_hand(task)))
    kettle.set_result("tea")
    assert await waiting == "tea"


def test_a_call_graph_is_the_same_by_asyncio_and_by_hand(capsys: pytest.CaptureFixture) -> None:
    asyncio.run(show_graph())
    assert capsys.readouterr().out == GRAPH + GRAPH


def test_the_log_is_printed_in_the_block_only(capsys: pytest.CaptureFixture) -> None:
    with reports.printed_log("kettle"):
        logging.getLogger("kettle").warning("it boils")
    logging.getLogger("kettle").warning("and again")
    assert capsys.readouterr().out == "WARNING it boils\n"


def test_a_coroutine_that_was_never_awaited_is_named(capsys: pytest.CaptureFixture) -> None:
    async def forgetful() -> None:
        kitchen(asyncio.get_running_loop().create_future())

    reports.never_awaited(lambda: asyncio.run(forgetful(), debug=True))
    said = capsys.readouterr().out
    assert said.startswith("coroutine 'kitchen' was never awaited at line ")
    assert said.endswith(", in forgetful\n")


@pytest.mark.parametrize(
    ("program", "said"), [("print('tea')", "tea"), ("no_tea", "NameError: name 'no_tea' is not")]
)
def test_a_program_answers_with_its_output_or_its_error(
    program: str, said: str, capsys: pytest.CaptureFixture
) -> None:
    reports.run_python("-c", program)
    assert capsys.readouterr().out.startswith(said)
