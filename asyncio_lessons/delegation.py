"""``yield from`` in plain Python: a tunnel between the one who calls and the innermost generator.

Whatever comes in from outside (a value, an exception, the order to close) is handed to the inner
iterator; whatever that yields is handed out; what it returns is the value of the tunnel. (PEP 380)
"""

from collections.abc import Generator, Iterable
from functools import partial
from typing import Any


def tunnel(iterable: Iterable) -> Generator[Any, Any, Any]:
    """Do what ``yield from iterable`` does, and return what it would be worth.

    The iterable may be a generator or any iterator: ``send`` and ``throw`` are passed on only
    where it has them. Raises what the iterable raises.
    """
    inner = iter(iterable)
    resume = partial(next, inner)
    while True:
        try:
            yielded = resume()
        except StopIteration as stop:
            return stop.value
        try:
            sent = yield yielded
        except GeneratorExit:  # `close` was called: close the inner one first
            getattr(inner, "close", _nothing)()
            raise
        except BaseException as error:
            if not hasattr(inner, "throw"):
                raise
            resume = partial(inner.throw, error)
        else:
            resume = partial(next, inner) if sent is None else partial(inner.send, sent)


def _nothing() -> None:
    """Close an iterator that has no ``close``."""
