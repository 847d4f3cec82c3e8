"""X-ray: suspended frames, the same text on every Python, and nothing disturbed."""

from __future__ import annotations

import asyncio
import gc
import importlib
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from asyncio_lessons.classroom import xray

aio = importlib.import_module("asyncio_lessons")


@pytest.fixture(params=["asyncio_lessons", "asyncio"])
def lib(request: pytest.FixtureRequest) -> ModuleType:
    return importlib.import_module(request.param)


def line_of(function: Any, offset: int) -> int:
    return function.__code__.co_firstlineno + offset


class Silent:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class Plain:
    pass


class Tagged:
    def __repr__(self) -> str:
        return f"<Tagged at {id(self):#x}>"


def double() -> Iterator[int]:
    value = 0
    while True:
        value = yield value * 2


def test_a_generator_created_suspended_and_finished() -> None:
    generator = double()
    assert str(xray(generator)) == (
        "generator double(): created, not started\n"
        f"└ double()  line {line_of(double, 0)}: def double() -> Iterator[int]:"
    )
    next(generator)
    generator.send(21)
    assert str(xray(generator)) == (
        "generator double(): suspended\n"
        f"└ double()  line {line_of(double, 3)}: value = yield value * 2\n"
        "    value = 21"
    )
    assert generator.send(4) == 8  # it was looked at, not resumed
    generator.close()
    assert str(xray(generator)) == "generator double(): finished"


def deeper(n: int) -> Iterator[Any]:
    if n:
        yield from deeper(n - 1)
    else:
        yield from [1, 2]


def test_a_tunnel_five_deep() -> None:
    generator = deeper(4)
    next(generator)
    picture = xray(generator)
    assert [(row.depth, row.locals) for row in picture.rows] == [
        (0, (("n", "4"),)),
        (1, (("n", "3"),)),
        (2, (("n", "2"),)),
        (3, (("n", "1"),)),
        (4, (("n", "0"),)),
        (5, ()),
    ]
    assert picture.rows[-1].name == "list_iterator"


def test_objects_have_names_not_addresses() -> None:
    def holds() -> Iterator[None]:
        silent, one, two, same, tagged = Silent(), Plain(), Plain(), None, Tagged()
        same = one
        many, table, text = [one, two], {"key": (1,)}, "x" * 99
        yield
        del silent, one, two, same, tagged, many, table, text

    generator = holds()
    next(generator)
    held = dict(xray(generator).rows[0].locals)
    assert held["silent"] == "Silent (its repr fails)"
    assert (held["one"], held["two"], held["same"]) == ("Plain 1", "Plain 2", "Plain 1")
    assert (held["tagged"], held["many"]) == ("Tagged 1", "[Plain 1, Plain 2]")
    assert held["table"] == "{'key': (1,)}" and len(held["text"]) <= 40
    assert "0x" not in str(xray(generator)) + xray(generator).html()


def test_a_coroutine_and_what_it_awaits(lib: ModuleType) -> None:
    async def inner(future: Any) -> None:
        await future

    async def outer(future: Any) -> None:
        n = 3
        await inner(future)
        del n

    async def main() -> None:
        future = lib.get_running_loop().create_future()
        coro = outer(future)
        assert xray(coro).state == "created, not started"
        task = lib.create_task(coro, name="outer")
        await lib.sleep(0)
        assert str(xray(task)) == (
            "task 'outer': waits for Future 1\n"
            f"└ outer()  line {line_of(outer, 2)}: await inner(future)\n"
            "    future = Future 1, n = 3\n"
            f"  └ inner()  line {line_of(inner, 1)}: await future\n"
            "      future = Future 1\n"
            "    └ Future 1  pending"
        )
        future.set_result(None)
        await task
        assert str(xray(task)) == "task 'outer': finished: None"

    lib.run(main())


def test_who_waits_for_whom(lib: ModuleType) -> None:
    async def child() -> None:
        await lib.get_running_loop().create_future()

    async def parent(task: Any) -> None:
        await task

    async def main() -> None:
        kid = lib.create_task(child(), name="kid")
        dad = lib.create_task(parent(kid), name="dad")
        await lib.sleep(0)
        picture = xray(dad)
        assert picture.state == "waits for task 'kid'"
        assert [row.name for row in picture.rows] == [
            "parent()",
            "task 'kid'",
            "child()",
            "Future 1",
        ]
        assert xray(lib.current_task()).state == "running"
        kid.cancel()
        await lib.wait([dad])
        assert xray(kid).state == "cancelled"

    lib.run(main())


def test_asynchronous_generators_are_seen_through(lib: ModuleType) -> None:
    async def source() -> Any:
        yield 1
        await lib.get_running_loop().create_future()

    async def reader() -> None:
        async for _ in source():
            pass

    async def main() -> None:
        task = lib.create_task(reader())
        await lib.sleep(0)
        await lib.sleep(0)
        assert [row.name for row in xray(task).rows] == ["reader()", "source()", "Future 1"]
        assert xray(source()).state == "created, not started"
        task.cancel()

    lib.run(main())


def test_a_failed_task_is_still_reported_as_never_retrieved(lib: ModuleType) -> None:
    reports: list[str] = []

    async def fails() -> None:
        raise ValueError("no")

    async def main() -> None:
        lib.get_running_loop().set_exception_handler(lambda _, c: reports.append(c["message"]))
        task = lib.create_task(fails())
        await lib.sleep(0)
        assert xray(task).state == "failed: ValueError: no"
        del task
        gc.collect()

    lib.run(main())
    assert reports == ["Task exception was never retrieved"]


def test_a_gathering_future_shows_its_children(lib: ModuleType) -> None:
    async def main() -> None:
        tasks = [lib.create_task(lib.sleep(n), name=f"nap {n}") for n in (0, 1)]
        both = lib.gather(*tasks)
        await lib.sleep(0)
        await lib.sleep(0)
        rows = [(row.name, row.place) for row in xray(both).rows]
        assert rows == [("task 'nap 0'", "finished: None"), ("task 'nap 1'", "pending")]
        tasks[1].cancel()
        with pytest.raises(lib.CancelledError):
            await both

    lib.run(main())


def test_a_generator_made_by_hand() -> None:
    by_hand = aio.Double()
    assert xray(by_hand).state == "created, not started"
    next(by_hand)
    by_hand.send(4)
    assert str(xray(by_hand)) == "Double: suspended\n└ Double  line 4\n    answer = 8"
    by_hand.close()
    assert xray(by_hand).state == "finished"


def test_html_is_a_table_that_suits_every_ground() -> None:
    def strange() -> Iterator[None]:
        text = "<script>alert(1)</script> $x$"
        yield
        del text

    generator = strange()
    next(generator)
    html = xray(generator).html()
    assert html.startswith("<table") and "<script" not in html and "$" not in html
    assert "color:" not in html.replace("border-color:", "") and "style=" in html
    assert set(xray(generator)._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_what_has_no_frames_is_refused_in_one_sentence() -> None:
    with pytest.raises(TypeError, match=r"needs what double\(\) returns, not the function itself"):
        xray(double)
    with pytest.raises(TypeError, match="into a generator, a coroutine or a task; int is none"):
        xray(3)


def test_a_future_and_a_coroutine_nobody_started() -> None:
    async def nothing() -> None:
        pass

    coro = nothing()
    assert xray(coro).state == "created, not started"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        del coro
    loop = asyncio.new_event_loop()
    assert str(xray(loop.create_future())) == ("Future 1: pending: it has no result yet")
    loop.close()
