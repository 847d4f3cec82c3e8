"""A generator by hand: what Python keeps for you when a function says ``yield``.

A generator is a function that can stop in the middle. Between two stops its place must be
kept: which line comes next, and what the local names hold. `Generator` keeps the place in plain
attributes; `Double` is one small service written with it, and `double` is the same in Python.
"""

from typing import Any

CREATED, RUNNING, SUSPENDED, CLOSED = "GEN_CREATED", "GEN_RUNNING", "GEN_SUSPENDED", "GEN_CLOSED"


class Generator:
    """A suspended computation with Python's generator methods; a subclass writes `_resume`.

    ``state`` is one of the names `inspect.getgeneratorstate` uses.
    Mirrors Objects/genobject.c, and collections.abc.Generator.
    """

    def __init__(self) -> None:
        self.state = CREATED

    def _resume(self, value: Any) -> Any:
        """Continue at the saved place with `value`; return the next item or raise StopIteration."""
        raise NotImplementedError(f"{type(self).__name__} needs a _resume(value) method")

    def _interrupt(self, error: BaseException) -> Any:
        """Continue at the saved place with `error` raised there; a subclass may catch it."""
        raise error

    def __iter__(self) -> "Generator":
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, value: Any) -> Any:
        """Resume with `value` as what the suspended ``yield`` gives; return the next value yielded.

        Raises StopIteration at the end, and TypeError for a value before the first ``yield``.
        """
        if self.state is CLOSED:
            raise StopIteration
        if self.state is CREATED and value is not None:
            raise TypeError("can't send non-None value to a just-started generator")
        return self._step(self._resume, value)

    def throw(self, error: BaseException) -> Any:
        """Resume with `error` raised at the suspended ``yield``; return the next value yielded."""
        if self.state in (CREATED, CLOSED):
            self.state = CLOSED
            raise error
        return self._step(self._interrupt, error)

    def close(self) -> None:
        """End the generator by raising GeneratorExit where it is suspended."""
        try:
            self.throw(GeneratorExit())
        except (GeneratorExit, StopIteration):
            return
        raise RuntimeError("generator ignored GeneratorExit")

    def _step(self, resume: Any, value: Any) -> Any:
        if self.state is RUNNING:
            raise ValueError("generator already executing")
        self.state = RUNNING
        try:
            yielded = resume(value)
        except BaseException:
            self.state = CLOSED  # it returned or failed: there is no place to go back to
            raise
        self.state = SUSPENDED
        return yielded


def double():
    """Yield twice of each number sent in; the first ``next`` only brings it to its ``yield``."""
    answer = None
    while True:
        number = yield answer
        answer = number * 2


class Double(Generator):
    """`double` by hand: the line and the local name that Python would have kept are attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.line = 1
        self.answer: Any = None

    def _resume(self, number: Any) -> Any:
        if self.line > 1:  # we stand at the yield, and a number has come in
            self.answer = number * 2
        self.line = 4
        return self.answer
