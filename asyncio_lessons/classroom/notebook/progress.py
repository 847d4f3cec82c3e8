"""%progress: how far the reader is, what comes next, and how many minutes are left."""

import json
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from .. import predictions, workshop
from ..checking.catalog import names
from ..checking.report import Report
from .lessons import LESSONS, Lesson, lesson
from .predict import STORE, typed

_tried: dict[str, str] = {}  # the last status of each exercise, in this kernel
_SCRIPT = (Path(__file__).with_name("progress.js")).read_text(encoding="utf-8")


def note(report: Report) -> None:
    """Remember how the last try of an exercise went."""
    _tried[report.name] = report.status


@dataclass(frozen=True)
class Row:
    """A lesson: its exercises with a mark each, its predictions, and those that were typed."""

    lesson: Lesson
    exercises: dict[str, str]  # name: ✓ passed, ✕ tried, · to do
    predictions: tuple[str, ...]
    predicted: int

    @property
    def steps(self) -> int:
        """How many predictions and exercises it has."""
        return len(self.predictions) + len(self.exercises)

    @property
    def done(self) -> int:
        """How many of them are done."""
        return self.predicted + list(self.exercises.values()).count("✓")

    @property
    def minutes_left(self) -> int:
        """How long the rest takes, in minutes: in proportion to the steps that are left."""
        return round(self.lesson.minutes * (1 - self.done / self.steps)) if self.steps else 0

    def marks(self) -> str:
        """Return the exercises in one line, each behind its mark."""
        return "  ".join(f"{mark} {name}" for name, mark in self.exercises.items())


@dataclass(frozen=True)
class Progress:
    """The course, or one lesson of it, as far as the reader is; shows itself as a table."""

    rows: list[Row]

    def __str__(self) -> str:
        lines = []
        for row in self.rows:
            made = f"{row.predicted} of {len(row.predictions)} predicted" * bool(row.predictions)
            lines.append(f"{row.lesson.number}  {made:17}  {row.marks()}".rstrip())
        return "\n".join([*lines, self._sum(), self.next(), self._left()])

    __repr__ = __str__

    def _sum(self) -> str:
        marks = [mark for row in self.rows for mark in row.exercises.values()]
        passed = f"{marks.count('✓')} of {len(marks)} exercises passed."
        return f"{passed}  ✓ passed  ✕ tried  · to do"

    def next(self) -> str:
        """Return where to resume: the first exercise to do after the last one that passed."""
        all_of_them = [(row, name) for row in self.rows for name in row.exercises]
        passed = [row.exercises[name] == "✓" for row, name in all_of_them]
        start = len(passed) - passed[::-1].index(True) if any(passed) else 0
        order = [*range(start, len(passed)), *range(start)]
        for place in order:
            if not passed[place]:
                row, name = all_of_them[place]
                return f"Next: {name}, in {row.lesson.file}. Run its first cell, then go there."
        return "Every exercise here has passed." if passed else "There is no exercise here."

    def _left(self) -> str:
        return f"About {_in_words(sum(row.minutes_left for row in self.rows))} left."

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self.html()}

    def html(self) -> str:
        """Return the table; its script adds the predictions that were made in the page."""
        known = typed()
        lines = "".join(_row_html(row, known) for row in self.rows)
        return (
            f'<div data-progress><table style="border-collapse:collapse;color:inherit">{lines}'
            f"</table><div>{escape(self._sum())}</div><div>{_linked(self.next())}</div>"
            f"<div data-left>{self._left()}</div><script>{_script()}</script></div>"
        )


def _row_html(row: Row, known: dict[str, str]) -> str:
    cell = '<td style="text-align:left;vertical-align:top;padding:1px 12px 1px 0">'
    asked = {name: known.get(name, "") for name in row.predictions}
    data = f"data-asked='{json.dumps(asked)}' data-passed={row.done - row.predicted}"
    data += f" data-minutes={row.lesson.minutes} data-steps={row.steps}"
    made = f"{row.predicted} of {len(asked)} predicted" if asked else ""
    marks = " &nbsp; ".join(f"{mark} {escape(name)}" for name, mark in row.exercises.items())
    return (
        f'<tr style="background:none" {data}>{cell}<b>{row.lesson.number}</b></td>'
        f"{cell.replace('>', ' data-made>', 1)}{made}</td>{cell}{marks}</td></tr>"
    )


def _linked(sentence: str) -> str:
    """Make the name of a notebook in a sentence a link to it."""
    return re.sub(r"\b(\d\d_\w+\.ipynb)", r'<a href="\1">\1</a>', escape(sentence))


def _script() -> str:
    return " ".join(_SCRIPT.replace("STORE", json.dumps(STORE)).split())


def _in_words(minutes: int) -> str:
    hours, rest = divmod(5 * round(minutes / 5), 60)
    return " ".join([f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest or not hours))


def progress(number: str | None = None) -> Progress:
    """Return how far the reader is, lesson by lesson, or in one lesson ("05")."""
    return Progress([_row(found) for found in ([lesson(number)] if number else LESSONS)])


def _row(found: Lesson) -> Row:
    asked = tuple(predictions.names(found.number))
    exercises = {name: _mark(name) for name in names(found.number)}
    return Row(found, exercises, asked, len(typed().keys() & set(asked)))


def _mark(name: str) -> str:
    if workshop.has_passed(name):
        return "✓"
    return "✕" if _tried.get(name) == "not yet" else "·"
