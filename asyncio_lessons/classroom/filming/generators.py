"""Film generators and coroutines that a program drives by hand: `next`, `send`, `throw`, `close`.

    numbers = film_generator(count(3))      # use it as you would use count(3)
    next(numbers)
    numbers.send(10)
    numbers.film                            # the film so far, with steps and scenes

Several generators, also ones that call or delegate to each other, in one film:

    recorder = GeneratorRecorder()
    reader, parser = recorder.watch(read()), recorder.watch(parse(), "parser")
    ...
    recorder.film

In such a film a task is a generator: "run" is a call that resumes it (the text says which, `next()`
or `send(10)`), "wait" that it stands at a `yield` again (the value is what it yielded), "done" that
it returned. There is no loop: nothing is ever ready, no timer is set, and no time passes.
"""

import sys
from collections.abc import Callable, Generator, Iterator
from threading import get_ident
from typing import Any

from .developing import Note, developed
from .film import OUTSIDE, Cause, Event, Film, FilmedTask
from .frames import Labels, Site
from .prints import Prints
from .snapshots import Camera, Text, drives_tasks

_EVENTS = ("create", "run", "wait", "done", "cancelled", "failed")


def film_generator(generator: Any, name: str | None = None) -> "FilmedGenerator":
    """Return a stand-in for `generator` that films every call; its `film` is the film so far.

    generator: anything with `__next__`, also one written as a class, or a coroutine that a program
    drives with `send(None)`; name: what it is called in the film, the name of its function unless
    given. Raises TypeError for anything else.
    """
    return GeneratorRecorder().watch(generator, name)


class GeneratorRecorder:
    """Films the generators that it watches, in one film."""

    def __init__(self) -> None:
        self.closed, self.thread = False, get_ident()
        self._tasks: list[FilmedTask] = []
        self._notes: list[Note] = []
        self._running: list[int] = []
        self._sites: dict[tuple[int, int], Site] = {}
        self._labels = Labels()
        self._camera = Camera(self._labels)

    def watch(self, generator: Any, name: str | None = None) -> "FilmedGenerator":
        """Return a stand-in for `generator`; see `film_generator`."""
        if not (hasattr(generator, "__next__") or hasattr(generator, "send")):
            kind = getattr(generator, "__name__", type(generator).__name__)
            call = f"; call it: {kind}()" if callable(generator) else ""
            raise TypeError(f"film_generator() needs a generator; got {kind}{call}")
        name = name or getattr(generator, "__name__", type(generator).__name__)
        index = len(self._tasks)
        self._tasks.append(FilmedTask(name, self._running[-1] if self._running else None))
        self._note("create", index, self._who(), value=self._shots(generator), up=2)
        return FilmedGenerator(generator, self, index)

    @property
    def film(self) -> Film:
        """The film so far."""
        film = Film(tasks=list(self._tasks), virtual=True)
        film.events = [Event(*note[:6]) for note in self._notes if note.kind in _EVENTS]
        counts = dict(self._labels.counts)
        film.details = developed(self._notes, film.tasks, str, counts, sees_selector=True)
        return film

    @drives_tasks
    def step(self, index: int, generator: Any, words: str, resume: Callable) -> Any:
        """Resume a generator by ``resume()``, and note how it came out."""
        kind = "throw" if words.startswith("throw(") or words == "close()" else "run"
        self._note("run", index, self._who(), words, value=kind, up=3)
        outermost = not self._running
        self._running.append(index)
        if outermost:
            self._prints = Prints(self)
        try:
            yielded = resume()
        except StopIteration as stop:
            self._over("done", index, self._camera.value(stop.value))
            raise
        except BaseException as error:
            kind = "cancelled" if isinstance(error, GeneratorExit) else "failed"
            self._over(kind, index, Text(f"{type(error).__name__}: {error}".rstrip(": ")))
            error.__traceback__ = error.__traceback__.tb_next
            raise
        finally:
            if outermost:
                self._prints.remove()
        if words == "close()":
            self._over("cancelled", index, Text("GeneratorExit"))
            return yielded
        self._running.pop()
        value = self._camera.value(yielded)
        shots = self._shots(generator)
        self._notes.append(Note(0.0, "wait", index, None, "yield", None, value, index, shots))
        return yielded

    def _over(self, kind: str, index: int, value: Any) -> None:
        self._running.pop()
        text = value if kind == "failed" else ""
        self._notes.append(Note(0.0, kind, index, None, text, None, value, index))

    def _who(self) -> Cause:
        return Cause("task", self._running[-1]) if self._running else OUTSIDE

    def _shots(self, generator: Any) -> tuple:
        begin = len(self._camera.roll)
        self._camera.suspended(generator)
        return self._camera.develop(begin, len(self._camera.roll), True)

    def _note(
        self, kind: str, index: int, cause: Cause, text: str = "", value: Any = None, up: int = 1
    ) -> None:
        """Add a note of what was called, with where it was called from."""
        begin = len(self._camera.roll)
        frame, _ = self._camera.running(sys._getframe(up), None)
        shots = self._camera.develop(begin, len(self._camera.roll), False)
        owner = self._running[-1] if self._running else None
        site = None
        if frame is not None:
            found = self._sites.setdefault((id(frame.f_code), frame.f_lasti), Site(frame))
            values = found.read(frame, lambda _: None) if found.names else ()
            words = found.text(values, str) if found.known else ""
            site = words, frame.f_code, frame.f_lasti
        self._notes.append(Note(0.0, kind, index, cause, text, None, value, owner, shots, site))

    def note_print(self, text: str) -> None:
        """Add what was printed."""
        task = self._running[-1] if self._running else -1
        self._notes.append(Note(0.0, "print", task, value=text))


class FilmedGenerator(Generator):
    """Stands for a generator, and tells its recorder of each call."""

    def __init__(self, generator: Any, recorder: GeneratorRecorder, index: int) -> None:
        self._generator, self._recorder, self._index = generator, recorder, index

    @property
    def film(self) -> Film:
        """The film so far, of all that its recorder watches."""
        return self._recorder.film

    def _step(self, words: str, resume: Callable) -> Any:
        return self._recorder.step(self._index, self._generator, words, resume)

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        """Resume it."""
        return self._step("next()", self._generator.__next__)

    def send(self, value: Any) -> Any:
        """Resume it with a value."""
        words = f"send({self._recorder._labels.of(value)})"
        return self._step(words, lambda: self._generator.send(value))

    def throw(self, *what: Any) -> Any:
        """Resume it with an exception."""
        error = what[0]
        words = f"throw({error.__name__ if isinstance(error, type) else repr(error)})"
        return self._step(words, lambda: self._generator.throw(*what))

    def close(self) -> None:
        """End it where it is suspended."""
        self._step("close()", self._generator.close)

    def __del__(self) -> None:
        """Leave the end to the generator itself."""

    def __getattr__(self, name: str) -> Any:  # gi_frame, gi_yieldfrom, __name__, ...
        return getattr(self._generator, name)

    def __repr__(self) -> str:
        return repr(self._generator)
