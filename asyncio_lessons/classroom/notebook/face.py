"""What a reader asks for besides a check: the stub, a hint, the solution, how far all is."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path

from ..checking import graft
from ..checking.catalog import find, names
from ..checking.report import Report

_PACKAGE = Path(__file__).parents[2]
_shown: dict[str, int] = {}  # how many hints of each exercise this kernel has shown
_tried: dict[str, str] = {}  # the last status of each exercise, in this kernel


def stub(name: str) -> str:
    """Return the cell an exercise starts from, its first line ``%%exercise name`` included."""
    return f"%%exercise {name}\n{find(name).stub.strip()}"


def solution(name: str) -> str:
    """Return the cell that solves an exercise: the package's own code, where it is part of it."""
    return f"%%exercise {name}\n{answer(name).strip()}"


def answer(name: str) -> str:
    """Return the code of the solution, without the magic's line."""
    exercise = find(name)
    if exercise.solution:
        return exercise.solution.strip("\n") + "\n"
    source = (_PACKAGE / f"{exercise.module}.py").read_text(encoding="utf-8")
    return graft.extract(source, exercise.builds + exercise.also)


def hint(name: str, steps: int | None = None) -> str:
    """Return the hints of an exercise as far as they were asked for: each call shows one more.

    steps: how many of the three, instead of one more.
    """
    hints = find(name).hints
    count = _shown.get(name, 0) + 1 if steps is None else steps
    _shown[name] = count = min(max(count, 1), len(hints))
    lines = [f"Hint {n} of {len(hints)}: {text}" for n, text in enumerate(hints[:count], 1)]
    after = f"%hint {name}" if count < len(hints) else f"%solution {name}"
    return "\n".join([*lines, f"More: {after}"])


def note(report: Report) -> None:
    """Remember how the last try of an exercise went, for `progress`."""
    _tried[report.name] = report.status


@dataclass(frozen=True)
class Progress:
    """All exercises, lesson by lesson; shows itself as a table."""

    rows: list[tuple[str, list[tuple[str, str]]]]  # lesson, [(name, mark)]

    def __str__(self) -> str:
        lines = [
            f"{lesson}  " + "  ".join(f"{mark} {name}" for name, mark in held)
            for lesson, held in self.rows
        ]
        return "\n".join([*lines, self._sum()])

    __repr__ = __str__

    def _sum(self) -> str:
        marks = [mark for _, held in self.rows for _, mark in held]
        return f"{marks.count('✓')} of {len(marks)} passed.  ✓ passed  ✕ tried  · to do"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        cell = '<td style="text-align:left;vertical-align:top;padding:1px 12px 1px 0">'
        lines = [
            f'<tr style="background:none">{cell}<b>{lesson}</b></td>{cell}'
            + " &nbsp; ".join(f"{mark} {escape(name)}" for name, mark in held)
            + "</td></tr>"
            for lesson, held in self.rows
        ]
        table = f'<table style="border-collapse:collapse;color:inherit">{"".join(lines)}</table>'
        return {"text/plain": str(self), "text/html": f"{table}<div>{self._sum()}</div>"}


def progress() -> Progress:
    """Return which exercises have passed, lesson by lesson."""
    from .. import workshop

    rows = [
        (lesson, [(name, _mark(name, workshop.has_passed)) for name in held])
        for lesson, held in groupby(names(), lambda name: find(name).lesson)
    ]
    return Progress(rows)


def _mark(name: str, passed: Callable[[str], bool]) -> str:
    if passed(name):
        return "✓"
    return "✕" if _tried.get(name) == "not yet" else "·"
