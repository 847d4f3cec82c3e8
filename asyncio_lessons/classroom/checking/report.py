"""The answer to a cell: what holds, what does not yet, one sentence on the first thing wrong."""

from dataclasses import dataclass, field
from html import escape
from itertools import zip_longest
from typing import Any

PASSED, FAILED, NOT_STARTED, INTERRUPTED = "passed", "not yet", "not started", "interrupted"
_MARKS = {True: "✓", False: "✕", None: "·"}
_COLOURS = {True: "#1a9850", False: "#d6604d", None: "#888888"}


@dataclass
class Row:
    """A claim; `holds` is None when the run did not come to it."""

    claim: str
    holds: bool | None = None
    yours: str | list[str] = ""
    expected: str | list[str] = ""
    sentence: str = ""


@dataclass
class Report:
    """The result of an exercise; shows itself as HTML, and as text where HTML is cut."""

    name: str
    title: str
    status: str
    rows: list[Row] = field(default_factory=list)
    sentence: str = ""
    notes: list[str] = field(default_factory=list)
    printed: str = ""
    picture: dict = field(default_factory=dict)  # what `child` found: a film, or an X-ray

    def headline(self) -> str:
        """Return the first line: the name, and how far it is."""
        if self.status == PASSED:
            how_many = f"All {len(self.rows)} hold" if len(self.rows) > 1 else "It holds"
            return f"{self.name}: passed. {how_many}."
        if self.status == FAILED and self.rows:
            held = sum(row.holds is True for row in self.rows)
            verb = "hold" if len(self.rows) > 1 else "holds"
            return f"{self.name}: not yet. {held} of {len(self.rows)} {verb}."
        return f"{self.name}: {self.status}."

    def __str__(self) -> str:
        lines = [self.headline()]
        for row in self.rows:
            lines.append(f"  {_MARKS[row.holds]} {row.claim}")
            lines += [f"      {line}" for line in _sides(row)]
        lines += [self.sentence] if self.sentence else []
        lines += self.notes
        if self.printed:
            lines.append("Your code printed:")
            lines += [f"  | {line}" for line in self.printed.rstrip("\n").split("\n")]
        if self.picture:
            lines += ["", picture_text(self.picture)]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self.html()}

    def html(self) -> str:
        """Return the report as a self-contained table: inline style, no script, no ids."""
        colour = _COLOURS[{PASSED: True, FAILED: False}.get(self.status)]
        parts = [f'<div style="border-left:4px solid {colour};padding:2px 0 2px 12px">']
        parts.append(f"<div><b>{escape(self.headline())}</b></div>")
        if self.sentence:
            parts.append(f'<div style="margin:4px 0">{as_code(self.sentence)}</div>')
        if self.rows:
            parts.append('<table style="border-collapse:collapse;margin:4px 0;color:inherit">')
            parts += [_row_html(row) for row in self.rows]
            parts.append("</table>")
        parts += [f"<div>{as_code(note)}</div>" for note in self.notes]
        if self.printed:
            parts.append(f"<div>Your code printed:</div>{_pre(self.printed)}")
        if self.picture:
            parts.append(picture_html(self.picture))
        return "".join([*parts, "</div>"])


def _sides(row: Row) -> list[str]:
    if isinstance(row.expected, list) and isinstance(row.yours, list):
        return _columns(row.yours, row.expected)
    sides = [("yours:   ", row.yours), ("expected:", row.expected)]
    return [f"{label} {text}" for label, text in sides if text]


def _columns(yours: list[str], expected: list[str]) -> list[str]:
    """Set two lists of events side by side, and point at the first difference."""
    width = max(map(len, ["yours", *yours])) + 2
    lines = [f"{'yours':{width}}expected"]
    for mine, other in zip_longest(yours, expected, fillvalue=""):
        mark = "" if mine == other else "   <- here"
        lines.append(f"{mine:{width}}{other}{mark}".rstrip())
        if mark:
            break
    left = max(len(yours), len(expected)) - (len(lines) - 1)
    return [*lines, f"... {left} more"] if left > 0 else lines


def _row_html(row: Row) -> str:
    cell = 'style="padding:1px 10px 1px 0;text-align:left;vertical-align:top'
    mark = f'<td {cell};color:{_COLOURS[row.holds]};font-weight:bold">{_MARKS[row.holds]}</td>'
    detail = ""
    if isinstance(row.expected, list) and isinstance(row.yours, list):
        detail = _pre("\n".join(_columns(row.yours, row.expected)))
    elif sides := [(k, v) for k, v in (("yours", row.yours), ("expected", row.expected)) if v]:
        detail = "".join(f"<div>{k}: <code>{escape(str(v))}</code></div>" for k, v in sides)
    return f'<tr style="background:none">{mark}<td {cell}">{as_code(row.claim)}{detail}</td></tr>'


def _pre(text: str) -> str:
    return f'<pre style="margin:2px 0 2px 8px;line-height:1.3">{escape(text.rstrip())}</pre>'


def _drawn(picture: dict) -> Any:
    from ..filming.film import Cause, Event, Film, FilmedTask
    from ..pictures.timeline import draw

    tasks, events, duration, loop = picture["film"]
    film = Film([FilmedTask(*task) for task in tasks], duration=duration, loop=loop, virtual=True)
    for time, kind, task, cause, text in events:
        film.events.append(Event(time, kind, task, cause and Cause(*cause), text))
    return draw(film, title="What your code did")


def picture_text(picture: dict) -> str:
    """Return the timeline or the X-ray as text."""
    if "xray" in picture:
        return f"X-ray of your code, suspended:\n{picture['xray']}"
    try:
        return str(_drawn(picture))
    except Exception:  # a picture is a help: without it the answer still counts
        return ""


def picture_html(picture: dict) -> str:
    """Return the timeline as an image inside the page, or the X-ray as text."""
    if "film" not in picture:
        return _pre(picture_text(picture))
    try:
        return _drawn(picture).html()
    except Exception:
        return ""


def as_code(text: str) -> str:
    """Escape, and set what stands between backquotes as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{p}</code>" if n % 2 else p for n, p in enumerate(parts))
