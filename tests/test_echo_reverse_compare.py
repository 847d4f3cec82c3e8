"""The comparison of lesson 12: the same script gives the same notes, and the notes are true."""

from __future__ import annotations

import inspect

import pytest

from asyncio_lessons.classroom.pictures.engines import draw_engines
from asyncio_lessons.demos.echo_reverse import compare
from asyncio_lessons.demos.echo_reverse.protocol import EchoReverse

RECEIVE = EchoReverse.receive


@pytest.fixture(scope="module")
def seen() -> dict[str, compare.Observation]:
    return {name: compare.observe(name) for name in compare.SEVEN}


def test_the_blocking_server_lets_everybody_wait_for_one(seen) -> None:
    blocking = seen["blocking"]
    assert compare.Message("client 2", 3, 9) in blocking.messages
    assert blocking.beats == [0, 9, 13, 13, 13, 13, 13, 14]
    assert (blocking.longest_gap, blocking.served, blocking.threads) == (9, 1, 1)
    assert blocking.stands[4] == "recv() from 1"


@pytest.mark.parametrize("name", compare.SEVEN[1:])
def test_the_others_answer_each_message_in_its_step(seen, name: str) -> None:
    assert all(message.asked == message.taken for message in seen[name].messages)
    assert (seen[name].longest_gap, seen[name].served) == (2, 2)


@pytest.mark.parametrize("name", compare.SEVEN)
def test_every_message_of_the_script_is_taken_in(seen, name: str) -> None:
    asked = sum("asks" in action for action in compare.SCRIPT)
    lost = 1 if name == "blocking" else 0  # client 2 still waits when it would ask again
    assert len(seen[name].messages) == asked - lost


def test_only_polling_spins_and_only_threads_takes_threads(seen) -> None:
    assert [name for name, one in seen.items() if one.spins] == ["polling"]
    assert {name: one.threads for name, one in seen.items() if one.threads > 1} == {"threads": 3}


def test_an_event_loop_waits_in_one_place(seen) -> None:
    for name in ("selector", "generators", "lessons", "asyncio"):
        assert set(seen[name].stands) == {"select()"}, name


def test_it_is_the_same_again(seen) -> None:
    assert compare.observe("threads") == seen["threads"]


def test_the_protocol_is_left_as_it_was(seen) -> None:
    assert EchoReverse.receive is RECEIVE


def test_lines_of_code_leave_out_what_is_none() -> None:
    source = (
        '"""Says what."""\n\n# a remark\ndef f():  # another\n    """Says more."""\n    return 1\n'
    )
    assert compare._code_lines(source) == 2
    assert compare.lines_of("threads") > len(inspect.getsource(RECEIVE).splitlines()) / 2


def test_the_table_has_a_line_for_each_engine(seen) -> None:
    lines = compare.table(seen.values()).splitlines()
    assert len(lines) == 8
    assert lines[3].split()[:1] == ["polling"] and " spins " in lines[3]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_figure_is_the_same_bytes_again(seen, theme: str) -> None:
    one, two = (draw_engines(seen.values(), compare.SCRIPT, theme=theme).png() for _ in range(2))
    assert one == two


def test_the_figure_as_text_has_a_heart_for_each_beat(seen) -> None:
    text = str(draw_engines(seen.values(), compare.SCRIPT, title="Seven"))
    assert text.startswith("Seven\nblocking    ♥────────♥───♥♥\nthreads     ♥─♥─♥─♥─♥─♥─♥─♥\n")
