"""Predictions: a question before a run, its answers, and the reason for each answer.

In a notebook (after ``%load_ext asyncio_lessons.classroom``)::

    %predict foo-called         the question, with answers to click
    %predict foo-called b       answers b: the reason is shown and the answer counted

A file here (``generators.py``, ...) holds those of the lesson of that name. Each wrong answer is a
belief that people have; where it is one of the course's beliefs to cure, ``belief`` says which.
The cell below the question runs what it asks about; ``shows`` is what its output must hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
from string import ascii_lowercase

from ..checking.catalog import UnknownName
from ..notebook.lessons import LESSONS


@dataclass(frozen=True)
class Right:
    """The answer that holds, and why."""

    text: str
    reason: str
    right = True


@dataclass(frozen=True)
class Wrong:
    """An answer that does not hold, and why; `belief` is the belief to cure that it comes from."""

    text: str
    reason: str
    belief: str = ""
    right = False


class Prediction:
    """A question about the cell below it. Code stands between backquotes."""

    def __init__(self, name: str, question: str, *answers: Right | Wrong, shows: str = "") -> None:
        self.name = name
        self.question = question
        self.answers = dict(zip(ascii_lowercase, answers, strict=False))
        self.shows = shows

    @property
    def right(self) -> str:
        """The letter of the answer that holds."""
        return next(letter for letter, answer in self.answers.items() if answer.right)


class UnknownPrediction(UnknownName):
    """No prediction of that name; the message says which is meant."""


def names(lesson: str | None = None) -> list[str]:
    """Return the names of all predictions in the order of the course, or of one lesson ("05")."""
    return [name for number, held in _all().items() if lesson in (None, number) for name in held]


def find(name: str) -> Prediction:
    """Return the prediction of that name; raises UnknownPrediction."""
    for held in _all().values():
        if name in held:
            return held[name]
    near = get_close_matches(name, names(), n=1)
    guess = f" Is it {near[0]!r}?" if near else ""
    raise UnknownPrediction(f"There is no prediction {name!r}.{guess}")


def _all() -> dict[str, dict[str, Prediction]]:
    """The predictions of each lesson that has some: number to name to prediction."""
    files = {module.name for module in iter_modules(__path__)}
    return {found.number: _held(found.stem) for found in LESSONS if found.stem in files}


def _held(stem: str) -> dict[str, Prediction]:
    module = import_module(f".{stem}", __name__)
    return {p.name: p for p in vars(module).values() if isinstance(p, Prediction)}
