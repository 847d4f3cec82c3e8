"""The ladder: the parts that are built so far, the newest filled in, and whose lines they are."""

from base64 import b64encode
from dataclasses import dataclass
from html import escape
from typing import Any

from .. import workshop
from ..checking.catalog import UnknownName

# lesson, modules, what the part is called, what it does
PARTS = (
    ("02", ("generators",), "generator", "stops half-way"),
    ("03", ("delegation",), "delegation", "passes values"),
    ("04", ("coroutines",), "coroutine", "awaits others"),
    ("05", ("futures",), "future", "holds a result"),
    ("06", ("tasks",), "task", "sends again"),
    ("07", ("event_loop",), "loop", "picks the next"),
    ("08", ("sockets",), "selector", "waits for I/O"),
    ("09", ("waiting",), "gather", "waits for many"),
    ("10", ("queues", "locks"), "queue", "hands over"),
)
WIDTH, RISE, LOWEST = 86, 15, 50  # of a step, in pixels
NEW, BUILT, LATER = "#0072b2", "#66737f", "#7c858f"  # each can be read on white and on black


@dataclass(frozen=True)
class Ladder:
    """The parts up to one lesson; shows itself as a staircase, or as text."""

    number: str
    yours: tuple[int, ...]  # lines of each part that are the reader's

    @property
    def place(self) -> int:
        """Where the newest part stands among all of them."""
        return [part[0] for part in PARTS].index(self.number)

    def __str__(self) -> str:
        names = [name for _, _, name, _ in PARTS]
        built, later = names[: self.place], names[self.place + 1 :]
        lines = [f"Built before: {', '.join(built) or 'nothing'}."]
        lines += [f"New here:     {names[self.place]}.", f"Still to come: {', '.join(later)}."]
        count = sum(self.yours)
        lines += [f"Lines of yours in it so far: {count}." if count else "No line is yours yet."]
        return "\n".join(lines if later else [*lines[:2], *lines[3:]])

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self.html()}

    def html(self) -> str:
        """Return the picture as an image that also shows where SVG in a page is cut."""
        data = b64encode(self.svg().encode()).decode()
        alt = escape(str(self).replace("\n", " "))
        return f'<img alt="{alt}" style="max-width:100%" src="data:image/svg+xml;base64,{data}">'

    def svg(self) -> str:
        """Return the staircase; the same text on every machine."""
        width, height = WIDTH * len(PARTS), LOWEST + RISE * (len(PARTS) - 1)
        steps = "".join(self._step(index, height) for index in range(len(PARTS)))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height + 2}" '
            f'viewBox="0 -1 {width} {height + 2}" font-family="system-ui, sans-serif" '
            f'text-anchor="middle">{steps}</svg>'
        )

    def _step(self, index: int, bottom: int) -> str:
        number, _, name, does = PARTS[index]
        tall = LOWEST + RISE * index
        x, top = WIDTH * index, bottom - tall
        colour = NEW if index == self.place else BUILT if index < self.place else LATER
        look = f'fill="{colour}"' if index <= self.place else f'fill="none" stroke="{colour}"'
        dashed = "" if index <= self.place else ' stroke-dasharray="4 3"'
        ink = "#ffffff" if index <= self.place else colour
        count = self.yours[index]
        last = f"{count} lines yours" if count else f"lesson {number}"
        rows = ((name, 13, "bold"), (does, 10.5, "normal"), (last, 10.5, "normal"))
        texts = "".join(
            f'<text x="{x + WIDTH / 2:g}" y="{top + 15 + 14 * row}" font-size="{size}" '
            f'font-weight="{weight}" fill="{ink}">{text}</text>'
            for row, (text, size, weight) in enumerate(rows)
        )
        box = f'x="{x + 1.5:g}" y="{top}" width="{WIDTH - 3}" height="{tall}" rx="4"'
        return f"<rect {box} {look}{dashed}/>{texts}"


def ladder(number: str) -> Ladder:
    """Return the parts built up to a lesson ("06"), to be shown; raises UnknownName."""
    lessons = [part[0] for part in PARTS]
    if number not in lessons:
        raise UnknownName(f"Lesson {number!r} builds no part: {', '.join(lessons)} do.")
    return Ladder(number, tuple(sum(map(workshop.lines_of, modules)) for _, modules, *_ in PARTS))
