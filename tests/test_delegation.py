"""The tunnel beside ``yield from``: the same values, errors and ends come through."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from same import aio
from test_generators import answers, close, send, throw


def service(log: list):
    """Tells all that happens to it, and takes one error."""
    try:
        received = None
        while received != "stop":
            try:
                received = yield received
                log.append(("received", received))
            except ValueError as error:
                log.append(("thrown", str(error)))
                received = "recovered"
        return "the end"
    finally:
        log.append("closed")


def through_python(inner: Callable, log: list):
    log.append(("result", (yield from inner(log))))


def through_tunnel(inner: Callable, log: list):
    log.append(("result", (yield from aio.tunnel(inner(log)))))


def both(inner: Callable, *calls: Callable) -> list:
    """Make the same calls through both; see that all is the same, and return it."""
    happened = []
    for way in (through_python, through_tunnel):
        log: list = []
        happened.append((answers(way(inner, log), *calls), log))
    by_python, by_tunnel = happened
    assert by_tunnel == by_python
    return by_tunnel


@pytest.mark.parametrize(
    "calls",
    [
        (next, send(1), send(2), send("stop")),
        (next, next, send(None)),
        (next, throw(ValueError("caught inside")), send(1)),
        (next, throw(KeyError("not caught")), next),
        (next, close, next),
        (next, throw(GeneratorExit())),
        (throw(ValueError("before the start")),),
        (send(1),),
    ],
)
def test_a_generator_behind_the_tunnel(calls: tuple) -> None:
    both(service, *calls)


@pytest.mark.parametrize("calls", [(next, next, next), (next, send(1)), (next, throw(KeyError()))])
def test_an_iterator_that_is_no_generator(calls: tuple) -> None:
    both(lambda log: [1, 2], *calls)


def test_an_iterator_with_only_some_of_the_methods() -> None:
    class Closable:
        def __init__(self, log: list) -> None:
            self.log = log

        def __iter__(self) -> Closable:
            return self

        def __next__(self) -> int:
            return 1

        def close(self) -> None:
            self.log.append("closed")

    answered, log = both(Closable, next, close)
    assert log == ["closed"]
    both(Closable, next, throw(ValueError("no throw there")))


def test_the_result_is_the_value_of_the_tunnel() -> None:
    answered, log = both(service, next, send("stop"))
    assert log == [("received", "stop"), "closed", ("result", "the end")]


def test_tunnels_in_tunnels() -> None:
    def deep(depth: int, log: list):
        result = yield from aio.tunnel(deep(depth - 1, log) if depth else service(log))
        return depth, result

    log: list = []
    generator = deep(5, log)
    found = answers(generator, next, send("in"), send("stop"))
    assert log == [("received", "in"), ("received", "stop"), "closed"]
    assert found == [None, "in", ("StopIteration", str((5, (4, (3, (2, (1, (0, "the end"))))))))]


def test_what_cannot_be_iterated() -> None:
    with pytest.raises(TypeError, match="'int' object is not iterable"):
        next(aio.tunnel(1))


def test_an_inner_one_that_answers_to_being_closed() -> None:
    def yields_again(log: list):
        try:
            yield 1
        except GeneratorExit:
            yield 2

    both(yields_again, next, close)
