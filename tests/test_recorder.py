"""The film: what is noted, on every loop, and that nothing else changes."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import inspect
import socket
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Coroutine
from types import ModuleType
from typing import Any

import pytest

from asyncio_lessons.classroom import Film, Recorder, draw, record, timeline, work
from asyncio_lessons.classroom.filming.loops import is_ours, loop_factory
from asyncio_lessons.classroom.filming.recorder import LIMIT

aio = importlib.import_module("asyncio_lessons")
LOOPS = ["lessons", "asyncio", "uvloop"]
Program = Callable[[ModuleType], Coroutine]


@pytest.fixture(params=LOOPS)
def loop_name(request: pytest.FixtureRequest) -> str:
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    return request.param


def library(loop_name: str) -> ModuleType:
    return aio if loop_name == "lessons" else asyncio


def film_of(program: Program, loop: str, **options: Any) -> Film:
    return record(program(library(loop)), loop=loop, **options)


def names(film: Film) -> list[str]:
    return [task.name for task in film.tasks]


def story(film: Film, *kinds: str) -> list[tuple]:
    """Return (kind, name of the task, who did it) of the events of tasks."""
    lines = []
    for event in film.events:
        if event.task >= 0 and (not kinds or event.kind in kinds):
            cause = event.cause
            who = cause and (names(film)[cause.task] if cause.kind == "task" else cause.kind)
            lines.append((event.kind, names(film)[event.task], who))
    return lines


def labels(film: Film, task: int = 0) -> list[str]:
    return [event.text for event in film.events if event.kind == "wait" and event.task == task]


# -- programs -------------------------------------------------------------------------------------


async def workers(lib: ModuleType) -> str:
    async def download(n: int) -> None:
        await lib.sleep(n / 10)
        work(0.002)

    async def worker(jobs: Any) -> None:
        while True:
            n = await jobs.get()
            await download(n)
            jobs.task_done()

    jobs = lib.Queue()
    tasks = [lib.create_task(worker(jobs), name=f"worker {i}") for i in (1, 2)]
    for n in (1, 2, 3):
        jobs.put_nowait(n)
    await jobs.join()
    for task in tasks:
        task.cancel()
    await lib.gather(*tasks, return_exceptions=True)
    return "all done"


# -- what is noted --------------------------------------------------------------------------------


def test_the_same_story_on_every_loop(loop_name: str) -> None:
    expected = film_of(workers, "lessons", virtual=True)
    film = film_of(workers, loop_name)
    assert film.result == "all done"
    assert names(film) == ["workers", "worker 1", "worker 2"]
    assert story(film) == story(expected)
    assert labels(film, 1) == labels(expected, 1) == ["download(1)", "download(3)", "jobs.get()"]


def test_virtual_time_is_exact_and_the_same_on_asyncio() -> None:
    ours, theirs = (film_of(workers, loop, virtual=True) for loop in ("lessons", "asyncio"))
    assert ours.virtual and theirs.virtual
    told = [
        [(e.time, e.kind, e.task, e.text) for e in film.events if e.task >= 0]
        for film in (ours, theirs)
    ]
    assert told[0] == told[1]
    assert ours.duration == theirs.duration == pytest.approx(0.404)
    assert film_of(workers, "lessons", virtual=True).events == ours.events


def test_who_wakes_whom(loop_name: str) -> None:
    async def program(lib: ModuleType) -> None:
        future = lib.get_running_loop().create_future()

        async def waits() -> None:
            await future

        async def sets() -> None:
            await lib.sleep(0)
            future.set_result(None)

        await lib.gather(waits(), sets())
        await lib.sleep(0.001)
        await lib.to_thread(time.sleep, 0.02)
        lib.get_running_loop().call_soon(work, 0)
        lib.get_running_loop().call_later(0.03, lib.create_task(lib.sleep(9), name="late").cancel)
        with contextlib.suppress(lib.CancelledError):
            await next(t for t in lib.all_tasks() if t.get_name() == "late")

    film = film_of(program, loop_name)
    assert story(film, "ready") == [
        ("ready", "program", "outside"),
        ("ready", "waits", "program"),
        ("ready", "sets", "program"),
        ("ready", "sets", "again"),
        ("ready", "waits", "sets"),
        ("ready", "program", "waits"),  # the last that gather waited for
        ("ready", "program", "timer"),
        ("ready", "program", "thread"),
        ("ready", "late", "program"),
        ("ready", "late", "timer"),
        ("ready", "program", "late"),
    ]


def test_input_and_output_wake_too(loop_name: str) -> None:
    async def program(lib: ModuleType) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            timer = threading.Timer(0.02, theirs.send, [b"!"])
            timer.start()
            assert await lib.get_running_loop().sock_recv(ours, 1) == b"!"
            timer.join()

    assert story(film_of(program, loop_name), "ready")[1:] == [("ready", "program", "io")]


def test_a_plain_callback_hands_on_who_caused_it(loop_name: str) -> None:
    async def program(lib: ModuleType) -> None:
        loop = lib.get_running_loop()
        first, second = loop.create_future(), loop.create_future()
        first.add_done_callback(lambda _: loop.call_soon(second.set_result, None))
        setter = lib.create_task(sets(first), name="setter")
        await second
        await setter

    async def sets(future: Any) -> None:
        future.set_result(None)

    assert ("ready", "program", "setter") in story(film_of(program, loop_name))


def test_task_groups_and_failures(loop_name: str) -> None:
    async def program(lib: ModuleType) -> None:
        async def fails() -> None:
            await lib.sleep(0.001)
            raise ValueError("no")

        async def waits() -> None:
            await lib.get_running_loop().create_future()

        async with lib.TaskGroup() as group:
            group.create_task(fails(), name="fails")
            group.create_task(waits(), name="waits")

    film = film_of(program, loop_name, check=False)
    assert isinstance(film.error, ExceptionGroup)
    assert film.ends() == {0: "failed", 1: "failed", 2: "cancelled"}
    assert [e.text for e in film.events if e.kind == "failed"][0] == "ValueError: no"
    assert set(labels(film)) == {"async with TaskGroup()"}


def test_a_task_cancelled_before_its_start_never_ran_its_body(loop_name: str) -> None:
    async def program(lib: ModuleType) -> None:
        lib.create_task(lib.sleep(1), name="never").cancel()
        await lib.sleep(0)
        await lib.sleep(0)

    film = film_of(program, loop_name)
    assert film.ends() == {0: "done", 1: "cancelled"}
    assert labels(film, 1) == []


def test_eager_tasks_interrupt_the_step_that_makes_them(loop_name: str) -> None:
    async def program(lib: ModuleType) -> None:
        def factory(loop: Any, coro: Any, **options: Any) -> Any:
            return lib.Task(coro, loop=loop, **{**options, "eager_start": True})

        lib.get_running_loop().set_task_factory(factory)

        async def quick() -> int:
            return 1

        async def slow() -> int:
            await lib.sleep(0.001)
            return 2

        tasks = lib.create_task(quick(), name="quick"), lib.create_task(slow(), name="slow")
        assert await lib.gather(*tasks) == [1, 2]

    if not hasattr(library(loop_name), "eager_task_factory"):
        pytest.skip("asyncio has eager tasks from 3.12")
    film = film_of(program, loop_name)
    assert names(film) == ["program", "quick", "slow"]
    assert [e.kind for e in film.events if e.task == 1] == ["create", "run", "done"]
    wakes = [(names(film)[w.task], w.cause.task, w.first) for w in film.wakes()]
    assert wakes[1:3] == [("quick", 0, True), ("slow", 0, True)]
    assert [s.state for s in film.spans() if s.task == 0][-5:].count("ready") >= 1
    running = sorted((s.start, s.end) for s in film.spans() if s.state == "running")
    assert all(one[1] <= two[0] for one, two in zip(running, running[1:], strict=False))


# -- the words in the bar -------------------------------------------------------------------------


class Job:
    def __init__(self) -> None:
        self.seconds = 0.5
        self.future: Any = None

    @property
    def computed(self) -> float:
        raise AssertionError("the film must not run the program's code")


class Manager:
    async def __aenter__(self) -> None:
        await aio.sleep(0)

    async def __aexit__(self, *error: object) -> None:
        await aio.sleep(0)


async def numbers(n: int) -> Any:
    for i in range(n):
        await aio.sleep(0)
        yield i


async def nap(*args: Any, **options: Any) -> None:
    await aio.sleep(0)


DELAY = 0.25


async def all_the_words() -> None:
    n, text, job, items = 3, "a 'quoted' one", Job(), [1, 2]
    loop = aio.get_running_loop()
    await nap(n)
    await nap(n / 10, n + 0.1 + 0.2)
    await nap(text, None, True)
    await nap(job.seconds, key=n)
    await nap(job.computed) if False else await nap(job, items, *items)
    await nap(
        n,
        DELAY,
    )
    await nap(n, nap.__name__, items[0], lambda n: n)
    task = loop.create_task(nap(), name="my task")
    await task
    job.future = loop.create_future()
    loop.call_soon(job.future.set_result, 1)
    await job.future
    async with Manager():
        pass
    async for _ in numbers(1):
        pass
    _ = [i async for i in numbers(n - 2)]
    value = (await nap(n), 1)
    await aio.wait_for(nap(n), 5)
    del value


WORDS = [
    "nap(3)",
    "nap(0.3, 3.3)",
    "nap(\"a 'quoted' one\", None, True)",
    "nap(0.5, key=3)",
    "nap(job, items, *items)",
    "nap(3, 0.25)",
    "nap(3, nap.__name__, items[0], lambda n: n)",
    "my task",
    "job.future",
    "async with Manager()",
    "async with Manager()",
    "async for numbers(1)",
    "async for numbers(1)",
    "nap(3)",
    "wait_for(nap(3), 5)",
]


@pytest.mark.parametrize("details", [False, True])
def test_the_awaited_expression_with_its_values(details: bool) -> None:
    film = record(all_the_words(), virtual=True, details=details)
    assert labels(film) == WORDS


def test_without_source_the_name_of_what_runs_inside() -> None:
    namespace = {"aio": aio}
    exec("async def program():\n    await aio.sleep(1)", namespace)
    assert labels(record(namespace["program"](), virtual=True)) == ["sleep()"]


def test_names_are_read_late_and_default_names_are_replaced(loop_name: str) -> None:
    async def program(lib: ModuleType) -> None:
        tasks = [lib.create_task(lib.sleep(0)) for _ in range(2)]
        tasks.append(lib.create_task(nothing()))
        tasks[2].set_name("имя $x_1$ <b>")
        await lib.gather(*tasks)
        lib.current_task().set_name("renamed")

    async def nothing() -> None:
        pass

    film = film_of(program, loop_name)
    assert names(film) == ["renamed", "sleep 1", "sleep 2", "имя $x_1$ <b>"]


# -- nothing else changes -------------------------------------------------------------------------


def test_everything_is_taken_off_the_loop_again(loop_name: str) -> None:
    loop = loop_factory(loop_name)()
    before = dict(vars(loop))
    recorder = Recorder(loop).start()
    assert set(vars(loop)) > set(before)
    film = recorder.stop()
    assert set(vars(loop)) == set(before)
    if loop_name == "lessons":
        assert type(loop._ready) is deque and loop._ready is before["_ready"]
    loop.run_until_complete(library(loop_name).sleep(0))
    loop.close()
    assert film.events == []


def test_a_film_that_ends_in_the_middle_leaves_the_program_running(loop_name: str) -> None:
    async def program(lib: ModuleType) -> list:
        other = lib.create_task(steps(lib, 5))
        await lib.sleep(0)
        recorder.stop()
        return await lib.gather(other, steps(lib, 2), lib.to_thread(str, 1))

    async def steps(lib: ModuleType, n: int) -> int:
        for _ in range(n):
            await lib.sleep(0.0001)
        return n

    loop = loop_factory(loop_name)()
    recorder = Recorder(loop).start()
    assert loop.run_until_complete(program(library(loop_name))) == [5, 2, "1"]
    loop.close()
    assert names(recorder.film) == ["program", "steps"]


def test_debug_mode_keeps_its_guarded_queue() -> None:
    loop = aio.EventLoop()
    loop.set_debug(True)
    kind = type(loop._ready)
    recorder = Recorder(loop).start()
    loop.run_until_complete(aio.sleep(0))
    recorder.stop()
    assert type(loop._ready) is kind and kind is not deque
    loop.close()


def test_debug_mode_tells_where_the_user_made_it() -> None:
    told: dict[str, str] = {}

    async def program() -> None:
        loop = asyncio.get_running_loop()
        told["soon"] = repr(loop.call_soon(str))
        timer = loop.call_later(9, str)
        timer.cancel()
        told["task"] = repr(task := loop.create_task(asyncio.sleep(0)))
        with pytest.raises(TypeError, match="coroutines cannot be used with call_soon"):
            loop.call_soon(program)
        await task

    def debugging() -> Any:
        loop = asyncio.new_event_loop()
        loop.set_debug(True)
        return loop

    record(program(), loop=debugging)
    assert all("test_recorder.py" in text and "classroom" not in text for text in told.values())


def test_a_readers_own_loop_is_filmed_as_ours() -> None:
    def made_in(module: str) -> object:
        return type("Loop", (type("BaseEventLoop", (), {"__module__": module}),), {})()

    with contextlib.closing(aio.EventLoop()) as loop:
        assert is_ours(made_in("my_asyncio.event_loop")) and is_ours(loop)
    assert not is_ours(made_in("asyncio.base_events"))


def test_the_users_task_factory_context_and_names_go_on_working(loop_name: str) -> None:
    made: list = []

    async def program(lib: ModuleType) -> None:
        loop = lib.get_running_loop()

        def factory(loop: Any, coro: Any, **options: Any) -> Any:
            made.append(coro.__name__)
            return lib.Task(coro, loop=loop, **options)

        loop.set_task_factory(factory)
        task = loop.create_task(lib.sleep(0), name="named")
        assert loop.get_task_factory() is factory
        await task
        assert task.get_name() == "named"
        assert inspect.iscoroutinefunction(program) and isinstance(task.get_coro(), Coroutine)

    film_of(program, loop_name)
    assert made[0] == "sleep"


def test_the_proxy_passes_everything_on(loop_name: str) -> None:
    async def program(lib: ModuleType) -> None:
        async def sleeper() -> None:
            await lib.sleep(0.001)

        task = lib.create_task(sleeper())
        await lib.sleep(0)
        coro = task.get_coro()
        assert coro.__name__ == "sleeper" and coro.cr_frame.f_code is sleeper.__code__
        assert coro.cr_await is not None and not coro.cr_running
        assert coro.cr_code is sleeper.__code__ and "sleeper" in repr(coro)
        await task

    film_of(program, loop_name)


def test_tracebacks_begin_in_the_users_code(loop_name: str) -> None:
    async def program(lib: ModuleType) -> None:
        async def fails() -> None:
            raise ValueError("no")

        await lib.create_task(fails())

    error = film_of(program, loop_name, check=False).error
    files = []
    trace = error.__traceback__
    while trace is not None:
        files.append(trace.tb_frame.f_code.co_filename)
        trace = trace.tb_next
    assert not [
        file
        for file in files
        if file.endswith(("classroom/filming/recorder.py", "classroom/filming/eyes.py"))
    ]


def test_nothing_is_kept_alive(loop_name: str) -> None:
    class Big:
        pass

    async def program(lib: ModuleType) -> None:
        n, big = 0, Big()
        reference = weakref.ref(big)
        await nap_of(lib, n)
        del big
        gc.collect()
        assert reference() is None

    async def nap_of(lib: ModuleType, n: int) -> None:
        await lib.sleep(n)

    film_of(program, loop_name)


def test_locals_that_the_program_holds_stay_full() -> None:
    async def program() -> None:
        n = 3
        held = locals()
        await nap(n)
        assert held["n"] == 3

    record(program())


def test_reports_of_forgotten_errors_and_tasks_still_come(loop_name: str) -> None:
    reports: list[str] = []

    async def program(lib: ModuleType) -> None:
        lib.get_running_loop().set_exception_handler(lambda _, c: reports.append(c["message"]))

        async def fails() -> None:
            raise ValueError("no")

        async def waits() -> None:
            await lib.get_running_loop().create_future()

        lib.create_task(fails())
        lib.create_task(waits())
        await lib.sleep(0)
        await lib.sleep(0)
        gc.collect()

    film_of(program, loop_name)
    assert sorted(reports) == [
        "Task exception was never retrieved",
        "Task was destroyed but it is pending!",
    ]


def test_what_goes_wrong_while_looking_never_reaches_the_task(
    loop_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Bad:
        def __repr__(self) -> str:
            raise SystemError("repr")

        def __getattr__(self, name: str) -> Any:
            raise SystemError(name)

    async def program(lib: ModuleType) -> int:
        bad = Bad()
        await nap_with(lib, bad)
        return len([bad])

    async def nap_with(lib: ModuleType, bad: Any) -> None:
        await lib.sleep(0)

    assert film_of(program, loop_name, details=True).result == 1
    monkeypatch.setattr("asyncio_lessons.classroom.filming.recorder.Site", 3)
    film = film_of(program, loop_name, details=True)
    assert film.result == 1 and labels(film) == [""]


def test_recording_stops_at_its_limit_and_says_so(loop_name: str) -> None:
    async def program(lib: ModuleType) -> int:
        for _ in range(400):
            await lib.sleep(0)
        return 400

    film = film_of(program, loop_name, limit=90)
    assert film.result == 400 and film.truncated and len(film.events) == 90
    assert "after 90 events" in " ".join(draw(film).layout.notes)
    assert LIMIT == 20_000
    assert not film_of(program, loop_name).truncated


def test_the_length_of_a_step_is_seen(loop_name: str) -> None:
    async def program(lib: ModuleType) -> None:
        await lib.sleep(0.001)
        work(0.05)

    spans = film_of(program, loop_name).spans()
    assert max(s.end - s.start for s in spans if s.state == "running") == pytest.approx(
        0.05, rel=0.5
    )


def test_a_switch_is_three_events(loop_name: str) -> None:
    async def program(lib: ModuleType, n: int) -> None:
        for _ in range(n):
            await lib.sleep(0)

    few, many = (record(program(library(loop_name), n), loop=loop_name) for n in (10, 110))
    assert len(many.events) - len(few.events) == 3 * 100


def test_details_hold_what_the_player_shows(loop_name: str) -> None:
    async def inner(lib: ModuleType, n: int) -> None:
        await lib.sleep(n / 1000)

    async def program(lib: ModuleType) -> None:
        n, text = 50, "abc"
        other = lib.create_task(inner(lib, 7), name="other")
        await inner(lib, n)
        await other
        del text

    film = film_of(program, loop_name, details=True)
    pause = next(step for step in film.steps if step.kind == "wait" and step.task == 0)
    scene = film.scene(pause.number)
    outer, inside = scene.tasks[0]["frames"][:2]
    assert [shown(film, frame) for frame in (outer, inside)] == [
        ("program", "await inner(lib, n)"),
        ("inner", "await lib.sleep(n / 1000)"),
    ]
    held = {name: text for name, text, _ in outer["locals"]}
    assert held["n"] == "50" and held["other"] == "other" and held["text"] == "'abc'"
    assert [entry["label"] for entry in scene.ready] == ["other"]
    assert [timer["when"] for timer in scene.timers] == [pytest.approx(0.05, abs=0.04)]
    assert (scene.selector is None) == (loop_name == "uvloop")
    with pytest.raises(ValueError, match="record it with details=True"):
        _ = film_of(program, loop_name).steps


def shown(film: Film, frame: dict) -> tuple[str, str]:
    """Return the function of a frame, and the line it stands at."""
    source = film.sources[frame["code"]]
    return source["function"], source["lines"][frame["line"] - source["first"]].strip()


# -- around a running program ---------------------------------------------------------------------


def test_timeline_films_what_runs_inside_the_block(loop_name: str) -> None:
    async def program(lib: ModuleType) -> timeline:
        async def ticks() -> None:
            for _ in range(3):
                await lib.sleep(0.03)

        outside = lib.create_task(ticks(), name="outside")
        await lib.sleep(0)
        with timeline("A claim") as shown:
            inside = lib.create_task(ticks(), name="inside")
            await lib.sleep(0.05)
            await inside
        await outside
        assert lib.create_task(lib.sleep(0)) not in (None,)
        await lib.sleep(0)
        return shown

    async def main() -> timeline:
        return await program(library(loop_name))

    with contextlib.closing(loop_factory(loop_name)()) as loop:
        shown = loop.run_until_complete(main())
        assert "create_task" not in vars(loop)
    film = shown.film
    assert names(film) == ["main", "inside"]
    assert labels(film, 0) == ["sleep(0.05)", "inside"]
    assert labels(film, 1) == ["sleep(0.03)"] * 3
    assert film.ends() == {0: "done", 1: "done"}
    assert story(film, "ready")[-1] == ("ready", "main", "inside")
    running = [s for s in film.spans() if s.task == 0 and s.state == "running"]
    assert sum(s.end - s.start for s in running) < film.duration / 2


def test_an_error_in_the_block_ends_the_film_and_goes_on() -> None:
    async def main() -> None:
        nonlocal shown
        with pytest.raises(KeyError), timeline() as shown:
            await aio.sleep(0)
            raise KeyError("x")
        with timeline():
            pass

    shown: Any = None
    aio.run(main())
    assert shown.film.ends() == {0: "failed"} and isinstance(shown.film.error, KeyError)


def test_a_block_that_awaits_nothing_says_what_to_write_instead() -> None:
    async def main() -> timeline:
        with timeline() as shown:
            await_nothing = 1 + 1
        return shown if await_nothing else None

    shown = aio.run(main())
    assert "filmed by %%timeline, or by record(main())" in " ".join(shown.picture.layout.notes)


def test_nesting_and_no_loop_are_told_in_one_sentence() -> None:
    async def nested() -> None:
        with timeline(), pytest.raises(RuntimeError, match="being filmed already: end the outer"):
            with timeline():
                pass

    aio.run(nested())
    asyncio.run(nested())
    with pytest.raises(RuntimeError, match="films the loop that runs, and none does here"):
        with timeline():
            pass


# -- record ---------------------------------------------------------------------------------------


def test_record_raises_what_the_program_raises_unless_told() -> None:
    async def fails() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        record(fails())
    assert record(fails(), check=False).ends() == {0: "failed"}


def test_an_interrupt_gets_through(loop_name: str) -> None:
    async def program() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record(program(), loop=loop_name, check=False)


def test_inside_a_running_loop_asyncio_runs_in_a_thread(loop_name: str) -> None:
    async def inner() -> int:
        await library(loop_name).sleep(0.001)
        return threading.get_ident()

    async def outer() -> int:
        return record(inner(), loop=loop_name).result

    elsewhere = asyncio.run(outer()) != threading.get_ident()
    assert elsewhere == (loop_name != "lessons")


@pytest.mark.parametrize("blocking", [False, True])
def test_an_interrupt_ends_the_thread(blocking: bool) -> None:
    import _thread

    stopped: list = []

    def compute() -> None:
        while True:
            pass

    async def inner() -> None:
        try:
            # Not in a loop in here: Python 3.14 has jumps that `finally` does not guard.
            compute() if blocking else await asyncio.sleep(60)
        finally:
            stopped.append(True)

    async def outer() -> None:
        threading.Timer(0.3, _thread.interrupt_main).start()
        record(inner(), loop="asyncio")

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(outer())
    assert stopped and time.monotonic() - started < 5


def test_what_cannot_be_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing() -> None:
        pass

    with pytest.raises(TypeError, match=r"needs a coroutine, such as main\(\)"):
        record(nothing)
    with pytest.raises(ValueError, match="one of lessons, asyncio, uvloop; got 'trio'"):
        record(nothing(), loop="trio")
    with pytest.raises(ValueError, match="virtual time works with lessons and asyncio"):
        record(nothing(), loop="uvloop", virtual=True)
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with pytest.raises(ModuleNotFoundError, match="uvloop is not installed: %pip install uvloop"):
        record(nothing(), loop="uvloop")


def test_a_film_by_hand() -> None:
    spans = [("a", "waiting", 0.0, 1.0, "recv()"), ("a", "running", 1.0, 1.5, "")]
    film = Film.by_hand([*spans, ("b", "running", 0.5, 2.0, "")], title="threads")
    assert names(film) == ["a", "b"] and film.duration == 2.0 and film.loop == ""
    drawn = {(s.task, s.state, s.start, s.end) for s in film.spans()}
    assert drawn == {(0, "waiting", 0, 1), (0, "running", 1, 1.5), (1, "running", 0.5, 2)}
    with pytest.raises(ValueError, match="state must be one of running, ready, waiting"):
        Film.by_hand([("a", "sleeps", 0, 1, "")])


def test_in_a_film_by_hand_who_stops_running_may_be_ready_at_once() -> None:
    spans = [("a", "running", 0, 1, ""), ("b", "running", 1, 2, ""), ("a", "ready", 1, 2, "")]
    drawn = {(s.task, s.state, s.start, s.end) for s in Film.by_hand(spans).spans()}
    assert drawn == {(0, "running", 0, 1), (1, "running", 1, 2), (0, "ready", 1, 2)}


def test_importing_the_classroom_is_light() -> None:
    import subprocess

    code = (
        "import sys, asyncio_lessons.classroom;"
        "print([m for m in ('asyncio', 'matplotlib', 'IPython', 'PIL') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert shown.stdout.strip() == "[]", shown.stderr
