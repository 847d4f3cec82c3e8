"""The benchmarks measure what they say: each program ends on each library, each server answers."""

import asyncio
import inspect

import pytest

import asyncio_lessons
from benchmarks import costs, echo, film, others
from benchmarks.contenders import PURE_PYTHON, in_pure_python, on
from benchmarks.programs import PROGRAMS, Program

RUNS = {
    "ours": (asyncio_lessons, asyncio_lessons.run),
    "asyncio": (asyncio, on(None)),
}
if PURE_PYTHON:
    RUNS["asyncio in Python"] = (asyncio, on(in_pure_python))


@pytest.mark.parametrize("who", RUNS)
@pytest.mark.parametrize("program", PROGRAMS, ids=[program.name for program in PROGRAMS])
def test_a_program_runs_to_its_end(program: Program, who: str) -> None:
    library, run = RUNS[who]
    assert run(program.main(library)()) is None


@pytest.mark.skipif(not PURE_PYTHON, reason="from Python 3.14 on only C knows which task runs")
def test_the_python_classes_are_measured_where_the_table_says_so() -> None:
    async def kinds():
        return type(asyncio.current_task()), type(asyncio.get_running_loop().create_future())

    assert on(in_pure_python)(kinds()) == (asyncio.tasks._PyTask, asyncio.futures._PyFuture)


def test_what_others_run_has_the_name_of_a_program() -> None:
    programs = {program.main.__name__ for program in PROGRAMS}
    for name, function in vars(others).items():
        library, _, program = name.partition("_")
        if inspect.isfunction(function) and library != "run" and not function.__code__.co_argcount:
            assert program in programs, name


@pytest.mark.parametrize("server", echo.servers())
def test_a_server_answers(server: str) -> None:
    assert 0 <= echo.cpu_a_request(server, clients=5, requests=200) < 0.1


def test_the_costs_of_ours_are_of_the_order_of_asyncios() -> None:
    ours, theirs = (costs.bytes_of_an_idle_task(aio, 500) for aio in (asyncio_lessons, asyncio))
    assert 300 < ours < 3 * theirs
    assert 0 < costs.seconds_a_switch(asyncio_lessons, 10, switches=1_000) < 1e-3


@pytest.mark.parametrize("loop", ["lessons", "asyncio"])
@pytest.mark.parametrize("program", film.PROGRAMS.values(), ids=film.PROGRAMS)
def test_filming_is_measured_inside_the_program(program, loop: str) -> None:
    for way in film.ways():
        assert 0 < film.seconds(program, loop, way, 200) < 1


def test_filming_costs_little() -> None:
    # Far above what `make bench` finds (about 2.5 and 6): a busy machine must not fail this.
    figures = film.measure(rounds=3, switches=2_000)
    row = figures["sleep(0), four tasks, asyncio"]
    assert min(row[film.FILMED]) < 5 and min(row[film.DETAILS]) < 15
