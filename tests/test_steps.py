"""The steps and scenes of a film with details: what they show is what was there."""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Coroutine
from types import ModuleType
from typing import Any
from unittest import mock

import pytest
import random_programs
from hypothesis import HealthCheck, Phase, given, settings
from random_programs import PROGRAMS, Writer
from same import virtual_loop

from asyncio_lessons.classroom import Film, Recorder, attempt, record, work
from asyncio_lessons.classroom.filming.film import ENDS
from asyncio_lessons.classroom.filming.generators import GeneratorRecorder, film_generator
from asyncio_lessons.classroom.filming.scenes import change

aio = importlib.import_module("asyncio_lessons")
LOOPS = ["lessons", "asyncio", "uvloop"]
Program = Callable[[ModuleType], Coroutine]
UNHURRIED = settings(
    suppress_health_check=list(HealthCheck),
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
)


@pytest.fixture(params=LOOPS)
def loop_name(request: pytest.FixtureRequest) -> str:
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    return request.param


def film_of(program: Program, loop: str, **options: Any) -> Film:
    lib = aio if loop == "lessons" else asyncio
    options.setdefault("virtual", loop != "uvloop")
    return record(program(lib), loop=loop, details=True, **options)


def steps_of(film: Film, *kinds: str) -> list[tuple[str, str | None, str]]:
    """Return (kind, name of the task, text) of each step, or of those of some kinds."""
    return [
        (step.kind, None if step.task is None else film.tasks[step.task].name, step.text)
        for step in film.steps
        if not kinds or step.kind in kinds
    ]


def line_of(film: Film, place: dict) -> str:
    """Return the line of the source that a frame or a site stands at."""
    source = film.sources[place["code"]]
    return source["lines"][place["line"] - source["first"]].strip()


# -- what is told ----------------------------------------------------------------------------------


async def workers(lib: ModuleType) -> str:
    async def worker(jobs: Any) -> int:
        done = 0
        while (n := await jobs.get()) is not None:
            await lib.sleep(n / 10)
            done += 1
            print("did", n)
        return done

    jobs = lib.Queue()
    both = [lib.create_task(worker(jobs), name="w") for _ in range(2)]
    await lib.sleep(0)
    for n in (1, 2, None, None):
        jobs.put_nowait(n)
    await lib.gather(*both)
    return "all done"


def test_the_same_steps_on_every_loop(loop_name: str, capsys: pytest.CaptureFixture) -> None:
    kinds = ("create", "run", "wait", "done", "timer", "sleep", "end")
    film = film_of(workers, loop_name)
    expected = film_of(workers, "lessons")
    told = [(kind, name, text) for kind, name, text in steps_of(film, *kinds) if kind != "sleep"]
    assert told == [s for s in steps_of(expected, *kinds) if s[0] != "sleep"]
    assert capsys.readouterr().out == "did 1\ndid 2\n" * 2
    if loop_name != "uvloop":
        assert steps_of(film, *kinds) == steps_of(expected, *kinds)
        turns = [step.turn for step in film.steps]
        assert turns == sorted(turns) == [step.turn for step in expected.steps]


def test_the_waker_is_named_with_its_line(loop_name: str) -> None:
    film = film_of(workers, loop_name)
    woken = [step for step in film.steps if step.kind == "ready" and step.site is not None]
    assert line_of(film, woken[0].site) == "jobs.put_nowait(n)"
    assert woken[0].text.startswith("woken by workers: jobs.put_nowait(1), line ")
    assert [film.sources[frame["code"]]["function"] for frame in woken[0].frames] == [
        "workers",
        "put_nowait",
    ]
    made = next(step for step in film.steps if step.kind == "create" and step.task == 1)
    assert "lib.create_task(worker(jobs)" in line_of(film, made.site)
    running = film.scene(woken[0].number).tasks[0]["frames"][0]
    assert ["n", "1", True] in running["locals"]


def test_what_came_out_of_the_await_and_what_was_returned(loop_name: str) -> None:
    film = film_of(workers, loop_name)
    waits = [step for step in film.steps if step.kind == "wait" and step.task == 1]
    assert waits[0].value == "Queue 1 getter"
    assert film.scene(waits[0].number).tasks[1]["on"] == "Queue 1 getter"
    last = film.scene(len(film.steps) - 1)
    assert [task["result"] for task in last.tasks] == ["'all done'", "1", "1"]
    assert [(line["text"], line["task"]) for line in last.printed] == [("did 1", 1), ("did 2", 2)]


def test_a_timer_that_was_due_while_a_task_ran_is_late(loop_name: str) -> None:
    async def program(lib: ModuleType) -> None:
        lib.get_running_loop().call_later(0.01, work, 0)
        await lib.sleep(0)
        work(0.05)
        await lib.sleep(0.1)

    film = film_of(program, loop_name)
    blocked = next(s for s in film.steps if s.kind == "wait" and s.text == "sleep(0.1)")
    late = [timer["late"] for timer in film.scene(blocked.number).timers]
    assert late[0] == pytest.approx(0.04, abs=0.03) and late[1] == 0
    due = next(step for step in film.steps if step.kind == "due")
    if loop_name != "uvloop":
        assert (due.text, due.value) == ("work of program", "40 ms")
    sleeps = [step for step in film.steps if step.kind == "sleep"]
    assert len(sleeps) == 1 and sleeps[0].number > due.number


def test_a_cancelled_timer_leaves_the_scene(loop_name: str) -> None:
    async def program(lib: ModuleType) -> None:
        timer = lib.get_running_loop().call_later(9, print)
        await lib.sleep(0)
        timer.cancel()
        await lib.sleep(0)
        async with lib.timeout(5):
            await lib.sleep(0)
        await lib.sleep(0)

    film = film_of(program, loop_name)
    waits = [step.number for step in film.steps if step.kind == "wait"]
    seen = [[timer["label"] for timer in film.scene(n).timers] for n in waits]
    assert seen[0] == ["print of program"]
    assert seen[1] == []
    assert len(seen[2]) == 1 and "timeout(5)" in seen[2][0] and seen[3] == []


def test_errors_are_seen_on_their_way(loop_name: str) -> None:
    async def program(lib: ModuleType) -> None:
        async def fails() -> None:
            await lib.sleep(0)
            raise ValueError("no")

        async def cleans_up() -> None:
            try:
                await lib.sleep(9)
            finally:
                await lib.sleep(0)

        task = lib.create_task(fails(), name="fails")
        other = lib.create_task(cleans_up(), name="other")
        try:
            await task
        except ValueError:
            other.cancel()
        await lib.wait([other])

    film = film_of(program, loop_name)
    assert steps_of(film, "throw", "failed", "cancelled") == [
        ("failed", "fails", "ValueError: no"),
        ("throw", "program", "ValueError: no"),
        ("throw", "other", "CancelledError"),
        ("cancelled", "other", ""),
    ]
    failed = next(step for step in film.steps if step.kind == "failed")
    assert line_of(film, failed.frames[-1]) == 'raise ValueError("no")'
    assert film.scene(failed.number).tasks[1]["error"] == "ValueError: no"


def test_sockets_are_seen() -> None:
    async def program(lib: ModuleType) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            loop = lib.get_running_loop()
            loop.call_later(0.02, theirs.send, b"!")
            await loop.sock_recv(ours, 1)

    for loop in ("lessons", "asyncio"):
        film = film_of(program, loop, virtual=False)
        listens = [s.number for s in film.steps if film.scene(s.number).selector]
        entry = film.scene(listens[0]).selector[0]
        assert entry == {"label": "socket 1", "events": "readable", "task": 0}, loop
        assert ["socket 1 readable"] in [step.reported for step in film.steps], loop


def test_two_tasks_of_one_name_are_told_apart() -> None:
    film = film_of(workers, "lessons")
    assert [task.name for task in film.tasks] == ["workers", "w", "w"]
    scene = next(s for s in map(film.scene, range(len(film.steps))) if len(s.ready) == 2)
    assert [entry["task"] for entry in scene.ready] == [1, 2]


def test_an_object_that_changes_is_shown_as_it_is_at_each_pause() -> None:
    async def program(lib: ModuleType) -> None:
        found: list[int] = []
        for n in (1, 2):
            found.append(n)
            await lib.sleep(0)

    film = film_of(program, "lessons")
    waits = [step.number for step in film.steps if step.kind == "wait"]
    held = [dict(x[:2] for x in film.scene(n).tasks[0]["frames"][0]["locals"]) for n in waits]
    assert [each["found"] for each in held] == ["[1]", "[1, 2]"]


def test_printing_is_passed_on_and_put_back(capsys: pytest.CaptureFixture) -> None:
    before = sys.stdout.write

    async def program(lib: ModuleType) -> None:
        print("a", end="")
        await lib.sleep(0)
        print("b\nc", end="")

    film = film_of(program, "lessons")
    assert sys.stdout.write == before and capsys.readouterr().out == "ab\nc"
    assert [line["text"] for line in film.scene(len(film.steps) - 1).printed] == ["ab", "c"]


# -- one definition of after -----------------------------------------------------------------------


def check_scenes(film: Film) -> None:
    """Check that every scene agrees with itself and with the changes that lead to it."""
    played: dict = {}
    for step in film.steps:
        for delta in film.deltas()[step.number]:
            change(played, json.loads(json.dumps(delta)))
        scene = film.scene(step.number)
        plain = scene.as_dict()
        for timer in plain["timers"]:
            assert timer.pop("late") == max(0, round(scene.time - timer["when"], 9))
        assert plain == played, step
        running = [i for i, task in enumerate(scene.tasks) if task and task["state"] == "running"]
        assert running == ([scene.running["task"]] if "task" in (scene.running or {}) else [])
        ready = [entry["task"] for entry in scene.ready if entry["task"] is not None]
        assert all(scene.tasks[i]["state"] in ("ready", "interrupted") for i in ready), step
        assert all(entry["reason"] for entry in scene.ready)
        assert [t["when"] for t in scene.timers] == sorted(t["when"] for t in scene.timers)
        for task in filter(None, scene.tasks):
            assert task["frames"] == [] or task["state"] not in ENDS
            assert task["state"] in ("waiting", "ready") or not (task["waits"] or task["on"])
    assert film.scene(len(film.steps) - 1).time == film.duration


@pytest.mark.parametrize("loop", LOOPS)
def test_scenes_agree_with_themselves(loop: str) -> None:
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    check_scenes(film_of(workers, loop))


class Looks:
    """Looks at a loop itself whenever the program says something."""

    def __init__(self, loop: Any) -> None:
        self.loop, self.coros, self.seen = loop, [], []
        create_task = loop.create_task

        def noted(coro: Any, **options: Any) -> Any:
            self.coros.append(coro)  # before it is made: an eager task makes others meanwhile
            return create_task(coro, **options)

        loop.create_task = noted

    def __call__(self) -> None:
        # What empties the socket that wakes the loop is not the program's, and not shown.
        items = [i for i in deque.__iter__(self.loop._ready) if "_read_from_self" not in repr(i)]
        ready = [self.name(item) for item in items]
        timers = [(e[0], e[-1]) if type(e) is tuple else (e._when, e) for e in self.loop._scheduled]
        whens = sorted(when for when, timer in timers if not timer._cancelled)
        print(f"look {len(self.seen)}")
        self.seen.append((ready, [round(when, 6) for when in whens]))

    def name(self, item: Any) -> Any:
        owner = getattr(getattr(item, "_callback", None), "__self__", item)
        if not hasattr(owner, "get_coro"):
            return "callback"
        coro = owner.get_coro()
        return self.coros.index(getattr(coro, "_coro", coro))


def filmed_run(lib: ModuleType, source: str, **options: Any) -> tuple[list, Film, Looks | None]:
    """Run a random program filmed; return its log, the film, and what was seen on the loop."""
    made: list = []

    def filmed_loop(lib: ModuleType) -> Any:
        loop = virtual_loop(lib)
        made.append(Recorder(loop, **options).start())
        return loop

    looks: list = []
    recording = random_programs._recording_tasks

    def recording_tasks(loop: Any) -> list:
        looks.append(Looks(loop))
        return recording(loop)

    def plain(value: Any, plain: Callable = random_programs._plain) -> Any:
        if options.get("details") and value is not None and not looks[0].loop.is_closed():
            looks[0]()
        return plain(value)

    with (
        mock.patch.object(random_programs, "virtual_loop", filmed_loop),
        mock.patch.object(random_programs, "_recording_tasks", recording_tasks),
        mock.patch.object(random_programs, "_plain", plain),
    ):
        log = random_programs.run(lib, source)
    return log, made[0].stop(), looks[0]


@pytest.mark.parametrize("lib", [aio, asyncio], ids=["lessons", "asyncio"])
@pytest.mark.timeout(120)
@settings(UNHURRIED, max_examples=60)
@given(PROGRAMS)
def test_filming_changes_nothing(lib: ModuleType, program: bytes) -> None:
    source = Writer(program).write()
    plain = random_programs.run(lib, source)
    assert filmed_run(lib, source)[0] == plain
    assert filmed_run(lib, source, details=True)[0] == plain


@pytest.mark.parametrize("lib", [aio, asyncio], ids=["lessons", "asyncio"])
@pytest.mark.timeout(120)
@settings(UNHURRIED, max_examples=60)
@given(PROGRAMS)
def test_scenes_are_what_the_loop_itself_shows(lib: ModuleType, program: bytes) -> None:
    _, film, looks = filmed_run(lib, Writer(program).write(), details=True)
    check_scenes(film)
    scenes = scenes_at_prints(film)
    assert len(scenes) > 0 or not looks.seen
    for number, (ready, whens) in enumerate(looks.seen[: len(scenes)]):
        scene = scenes[number]
        shown = ["callback" if e["task"] is None else e["task"] for e in scene["ready"]]
        assert shown == ready, (number, scene)
        assert [round(timer["when"], 6) for timer in scene["timers"]] == whens, (number, scene)


def scenes_at_prints(film: Film) -> list[dict]:
    """Return the scene at each printed line, in the middle of a step."""
    scene: dict = {}
    scenes = []
    for deltas in film.deltas():
        for delta in deltas:
            change(scene, delta)
            if delta[0][0] == "printed" and len(delta) == 3:
                scenes.append(json.loads(json.dumps(scene)))
    return scenes


# -- limits ----------------------------------------------------------------------------------------


def test_details_grow_with_the_steps_and_not_with_their_square(loop_name: str) -> None:
    async def program(lib: ModuleType, n: int) -> None:
        await lib.gather(*(lib.sleep(i / 1e6) for i in range(n)))

    def seconds(n: int) -> float:
        gc.collect()
        gc.disable()  # a collection would look at all that other tests have left, too
        try:
            started = time.process_time()
            film_of(lambda lib: program(lib, n), loop_name)
            return time.process_time() - started
        finally:
            gc.enable()

    seconds(10)
    few, many = min(seconds(200) for _ in range(3)), min(seconds(1600) for _ in range(2))
    assert many < 8 * 2.5 * few


@pytest.mark.parametrize("details", [False, True])
def test_a_hundred_thousand_tasks_end_with_a_sentence(loop_name: str, details: bool) -> None:
    async def program(lib: ModuleType) -> int:
        return len(await lib.gather(*(lib.sleep(0) for _ in range(100_000))))

    lib = aio if loop_name == "lessons" else asyncio
    film = record(program(lib), loop=loop_name, details=details)
    assert film.result == 100_000 and film.truncated
    assert len(film.tasks) <= 20_000 and "the recording stopped there" in repr(film)


# -- generators ------------------------------------------------------------------------------------


def inner(n: int) -> Any:
    for i in range(n):
        got = yield i
        print("got", got)
    return "over"


def outer() -> Any:
    result = yield from inner(2)
    try:
        yield result
    except ValueError:
        yield "caught"


def test_a_generator_driven_by_hand() -> None:
    generator = film_generator(outer())
    assert next(generator) == 0 and generator.send(5) == 1 and generator.send(6) == "over"
    assert generator.throw(ValueError("x")) == "caught"
    with pytest.raises(StopIteration):
        next(generator)
    film = generator.film
    check_scenes(film)
    assert steps_of(film, "run", "throw", "wait", "done") == [
        ("run", "outer", "next()"),
        ("wait", "outer", "yield"),
        ("run", "outer", "send(5)"),
        ("wait", "outer", "yield"),
        ("run", "outer", "send(6)"),
        ("wait", "outer", "yield"),
        ("throw", "outer", "throw(ValueError('x'))"),
        ("wait", "outer", "yield"),
        ("run", "outer", "next()"),
        ("done", "outer", ""),
    ]
    second = [step for step in film.steps if step.kind == "wait"][1]
    frames = film.scene(second.number).tasks[0]["frames"]
    assert [line_of(film, frame) for frame in frames] == [
        "result = yield from inner(2)",
        "got = yield i",
    ]
    assert frames[1]["locals"] == [["n", "2", False], ["i", "1", True], ["got", "5", True]]
    assert second.value == "1" and film.scene(second.number).printed[0]["text"] == "got 5"
    assert "generator.send(5)" in line_of(film, film.steps[4].site)


def test_generators_that_call_each_other_share_a_film() -> None:
    recorder = GeneratorRecorder()
    numbers = recorder.watch(inner(3), "numbers")

    def doubles() -> Any:
        for number in numbers:
            yield 2 * number

    shown = recorder.watch(doubles())
    assert list(shown) == [0, 2, 4]
    film = recorder.film
    printed = film.scene(len(film.steps) - 1).printed
    assert [(line["text"], line["task"]) for line in printed] == [("got None", 0)] * 3
    check_scenes(film)
    called = next(step for step in film.steps if step.kind == "run" and step.task == 0)
    assert called.cause == ("task", 1)
    assert film.scene(called.number).tasks[1]["state"] == "interrupted"


async def walk(steps: int) -> str:
    for _ in range(steps):
        await aio.suspend()
    return "home"


def test_coroutines_that_take_turns() -> None:
    recorder = GeneratorRecorder()
    walks = recorder.watch(walk(1), "A"), recorder.watch(walk(2), "B")
    assert aio.round_robin(*walks) == ["home", "home"]
    film = recorder.film
    check_scenes(film)
    ran = [name for kind, name, _ in steps_of(film, "run")]
    assert ran == ["A", "B", "A", "B", "B"]
    last = [step for step in film.steps if step.kind == "wait"][-1]
    a, b = film.scene(last.number).tasks
    assert (a["state"], b["state"]) == ("done", "waiting")
    assert line_of(film, b["frames"][0]) == "await aio.suspend()"


def test_a_call_through_attempt_is_told_as_the_line_that_makes_it() -> None:
    generator = film_generator(inner(1))
    attempt(next, generator)
    site = next(step.site for step in generator.film.steps if step.kind == "run")
    assert line_of(generator.film, site) == "attempt(next, generator)"


def iter_that_fails() -> Any:
    yield 1 / 0


def test_a_generator_that_is_closed_or_fails() -> None:
    generator = film_generator(inner(3))
    next(generator)
    generator.close()
    assert steps_of(generator.film, "throw", "cancelled") == [
        ("throw", "inner", "close()"),
        ("cancelled", "inner", ""),
    ]
    broken = film_generator(iter_that_fails())
    with pytest.raises(ZeroDivisionError):
        next(broken)
    assert broken.film.scene(3).tasks[0]["error"] == "ZeroDivisionError: division by zero"
    with pytest.raises(TypeError, match=r"needs a generator; got inner; call it: inner\(\)"):
        film_generator(inner)
