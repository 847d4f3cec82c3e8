"""The problems of "At work" are solved on asyncio, too: the same answers pass the same checks."""

from __future__ import annotations

import asyncio
import gc
import sys
import types
from collections.abc import Iterator

import pytest

from asyncio_lessons import Deadlock, VirtualClock
from asyncio_lessons.classroom.checking.catalog import FILES, find
from asyncio_lessons.classroom.checking.expect import Refused
from asyncio_lessons.classroom.filming.loops import loop_factory
from asyncio_lessons.classroom.notebook import face

if sys.platform == "win32":
    pytest.skip("asyncio has no signal handlers there", allow_module_level=True)

AT_WORK = [
    name
    for file in ("downloads", "pipeline", "blocking_library", "chat_room", "graceful", "debugging")
    for name in FILES[file]
]


def virtual_loop(clock: VirtualClock) -> asyncio.AbstractEventLoop:
    """An asyncio loop, with asyncio's own tasks and futures, on a virtual clock."""
    loop = loop_factory("asyncio", virtual=True)()
    loop._tasks = ()  # ours keeps its tasks there, and a check tidies them up
    return loop


@pytest.fixture(autouse=True)
def little_garbage() -> Iterator[None]:
    """Let a check collect its own garbage only: all there is in a test run takes seconds."""
    gc.freeze()
    yield
    gc.unfreeze()


class Asyncio(types.ModuleType):
    """The module asyncio, with what the checks ask for besides: a loop on a virtual clock."""

    BaseEventLoop = EventLoop = staticmethod(virtual_loop)
    VirtualClock = VirtualClock
    Deadlock = Deadlock

    def __getattr__(self, name: str) -> object:
        return getattr(asyncio, name)


def cell_of(code: str) -> types.ModuleType:
    """Run a cell's code as the judge does, with asyncio for the reader's package."""
    cell = types.ModuleType("cell")
    cell.aio = Asyncio("aio")
    exec(code, vars(cell))
    return cell


@pytest.mark.parametrize("name", AT_WORK)
def test_the_solution_passes_the_same_checks_on_asyncio(name: str) -> None:
    for check in find(name).checks:
        check.look(cell_of(face.answer(name)))


@pytest.mark.parametrize("name", AT_WORK)
def test_a_wrong_answer_is_refused_on_asyncio_too(name: str) -> None:
    """Else the checks would hold of anything there."""
    exercise = find(name)
    cell = cell_of(exercise.wrong[0].cell(face.answer(name)))
    with pytest.raises(Refused, match=exercise.wrong[0].says):
        for check in exercise.checks:
            check.look(cell)


@pytest.mark.parametrize("name", AT_WORK)
def test_each_capstone_is_refused_for_five_reasons(name: str) -> None:
    assert len({wrong.says for wrong in find(name).wrong}) >= 5
