"""The generator by hand beside Python's own: the same calls, the same answers and errors."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest
from same import aio


class Echo(aio.Generator):
    """By hand: yields what is sent in; an error makes it yield the error's name."""

    def _resume(self, value: object) -> object:
        if value == "stop":
            raise StopIteration("stopped")
        return value

    def _interrupt(self, error: BaseException) -> object:
        if isinstance(error, GeneratorExit):
            raise error
        return type(error).__name__


def echo():
    """The same, by Python."""
    value = None
    while value != "stop":
        try:
            value = yield value
        except Exception as error:
            value = type(error).__name__
    return "stopped"


def stubborn():
    """Does not want to be closed, the first time."""
    try:
        yield 1
    except GeneratorExit:
        yield 1


class Stubborn(aio.Generator):
    """The same, by hand."""

    def _resume(self, value: object) -> object:
        return 1

    def _interrupt(self, error: BaseException) -> object:
        return 1


def answers(generator: object, *calls: Callable) -> list:
    """What each call gives or raises."""
    return [answer(call, generator) for call in calls]


def answer(call: Callable, generator: object) -> object:
    try:
        return call(generator)
    except BaseException as error:
        return type(error).__name__, str(error)


def send(value: object) -> Callable:
    return lambda generator: generator.send(value)


def throw(error: BaseException) -> Callable:
    return lambda generator: generator.throw(error)


def close(generator: object) -> object:
    return generator.close()


@pytest.mark.parametrize(
    "calls",
    [
        (next, send(1), send(2), next, send("stop"), next),
        (send(1), next, send(1)),
        (next, throw(ValueError("no")), send(3), close, next),
        (throw(ValueError("before the start")), next),
        (close, next, close),
        (next, close, throw(KeyError("after the end"))),
        (next, throw(GeneratorExit()), next),
    ],
)
def test_a_generator_by_hand_answers_as_python_s(calls: tuple) -> None:
    assert answers(Echo(), *calls) == answers(echo(), *calls)


@pytest.mark.parametrize("make", [aio.Double, aio.double])
def test_double_doubles(make: Callable) -> None:
    service = make()
    assert answers(service, next, send(3), send(8), send(2.5)) == [None, 6, 16, 5.0]


def test_double_by_hand_fails_as_double_by_python() -> None:
    calls = (send(3), next, send(None), next)
    assert answers(aio.Double(), *calls) == answers(aio.double(), *calls)


def test_one_that_will_not_close_is_an_error() -> None:
    by_hand, by_python = Stubborn(), stubborn()
    assert answers(by_hand, next, close) == answers(by_python, next, close)


def test_the_state_has_python_s_names() -> None:
    by_hand, by_python = Echo(), echo()
    for call in (iter, next, send(1), close):
        answer(call, by_hand), answer(call, by_python)
        assert by_hand.state == inspect.getgeneratorstate(by_python)


def test_it_cannot_be_resumed_from_inside() -> None:
    class Restless(aio.Generator):
        def _resume(self, value: object) -> object:
            return next(self)

    with pytest.raises(ValueError, match="generator already executing"):
        next(Restless())


def test_it_can_be_iterated() -> None:
    class Countdown(aio.Generator):
        left = 3

        def _resume(self, value: object) -> object:
            if not self.left:
                raise StopIteration
            self.left -= 1
            return self.left

    assert list(Countdown()) == [2, 1, 0]


def test_the_base_class_says_what_to_write() -> None:
    with pytest.raises(NotImplementedError, match=r"needs a _resume\(value\) method"):
        next(aio.Generator())
