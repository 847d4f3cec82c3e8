"""X-ray: the chain of suspended frames inside a generator, a coroutine or a task.

From the outside inwards: each function, the line it stands at, what its names hold, and at the end
what it all waits for. Where that is another task, its frames follow. The object is not disturbed:
nothing is resumed, and no result is fetched.
"""

import html
import inspect
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..filming.frames import Labels, chain, frame_of, is_future, is_task, view

_MOST_FRAMES = 40
_WORDS = {
    "GEN_CREATED": "created, not started",
    "GEN_RUNNING": "running",
    "GEN_SUSPENDED": "suspended",
    "GEN_CLOSED": "finished",
}


class Row(NamedTuple):
    """One line of the picture: `depth` says how far inside, `place` where it stands."""

    depth: int
    name: str
    place: str
    locals: tuple[tuple[str, str], ...] = ()


def xray(obj: Any) -> "XRay":
    """Show the suspended frames of a generator, a coroutine (of any kind), a task or a future.

    Raises TypeError for anything that has no frames.
    """
    if not (_has_frames(obj) or is_future(obj) or _by_hand(obj)):
        if callable(obj):
            name = getattr(obj, "__name__", type(obj).__name__)
            raise TypeError(
                f"xray() needs what {name}() returns, not the function itself: xray({name}())"
            )
        kind = type(obj).__name__
        raise TypeError(
            f"xray() looks into a generator, a coroutine or a task; {kind} is none of them"
        )
    return XRay(obj)


class XRay:
    """The picture, taken when it is made: `rows` from the outside inwards, `state` in words."""

    def __init__(self, obj: Any) -> None:
        labels = Labels(_task_name)
        self.subject = _subject(obj, labels)
        self.state = _state(obj, labels)
        self.rows = tuple(_rows(obj, labels))[:_MOST_FRAMES]

    def __str__(self) -> str:
        lines = [f"{self.subject}: {self.state}"]
        for row in self.rows:
            indent = "  " * row.depth + "└ "
            place = f"  {row.place}" if row.place else ""
            lines.append(f"{indent}{row.name}{place}")
            if row.locals:
                lines.append(
                    "  " * row.depth + "    " + ", ".join(f"{n} = {v}" for n, v in row.locals)
                )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self.html()}

    def html(self) -> str:
        """Return a table with inline styles, which suits light and dark and needs no trust."""
        line = "1px solid rgba(128,128,128,.35)"
        cell = f"text-align:left;vertical-align:top;padding:3px 10px;border-top:{line}"
        mono = f"{cell};font-family:monospace;white-space:pre-wrap"
        lines = [
            f'<table style="border-collapse:collapse;border:{line}">',
            '<tr><th colspan="3" style="text-align:left;padding:4px 10px">'
            f"{_escape(self.subject)}: "
            f'<span style="font-weight:normal">{_escape(self.state)}</span></th></tr>',
        ]
        for row in self.rows:
            name = f'<span style="padding-left:{row.depth * 1.2:g}em">{_escape(row.name)}</span>'
            held = "<br>".join(f"{_escape(n)} = {_escape(v)}" for n, v in row.locals)
            lines.append(
                f'<tr><td style="{mono};font-weight:bold">{name}</td>'
                f'<td style="{mono}">{_escape(row.place)}</td><td style="{mono}">{held}</td></tr>'
            )
        return "\n".join([*lines, "</table>"])


def _escape(text: str) -> str:
    # An opening dollar sign would begin a formula.
    return html.escape(text).replace("$", "&#36;")


def _has_frames(obj: Any) -> bool:
    return any(hasattr(obj, name) for name in ("gi_frame", "cr_frame", "ag_frame"))


def _by_hand(obj: Any) -> bool:
    """Say whether this is a generator written as a class, like those of `generators`."""
    state = getattr(obj, "state", None)
    return isinstance(state, str) and state in _WORDS and hasattr(obj, "__dict__")


def _task_name(task: Any) -> str:
    return f"task {task.get_name()!r}"


# -- the words of the first line ------------------------------------------------------------------


def _subject(obj: Any, labels: Labels) -> str:
    if is_task(obj):
        return _task_name(obj)
    if is_future(obj):
        return labels.numbered(obj)
    if not _has_frames(obj):
        return type(obj).__name__
    kinds = {"cr_frame": "coroutine", "gi_frame": "generator", "ag_frame": "async generator"}
    kind = next(word for name, word in kinds.items() if hasattr(obj, name))
    return f"{kind} {getattr(obj, '__name__', type(obj).__name__)}()"


def _state(obj: Any, labels: Labels) -> str:
    if is_future(obj):
        return _outcome(obj, labels) or _task_state(obj, labels)
    return frame_state(obj) if _has_frames(obj) else _WORDS[obj.state]


def frame_state(obj: Any) -> str:
    """Return "created, not started", "running", "suspended" or "finished"."""
    frame = frame_of(obj)
    if frame is None:
        return "finished"
    for prefix in ("cr", "gi", "ag"):
        if getattr(obj, f"{prefix}_running", False):
            return "running"
        suspended = getattr(obj, f"{prefix}_suspended", None)
        if suspended is not None:
            return "suspended" if suspended else "created, not started"
    return "created, not started" if frame.f_lineno == frame.f_code.co_firstlineno else "suspended"


def _task_state(obj: Any, labels: Labels) -> str:
    if not is_task(obj):
        return "pending: it has no result yet"
    links = list(chain(obj.get_coro()))
    state = frame_state(links[0]) if _has_frames(links[0]) else "suspended"
    if state != "suspended":
        return state
    return f"waits for {labels.of(links[-1])}" if is_future(links[-1]) else "suspended"


def _outcome(future: Any, labels: Labels) -> str:
    """Return how a future ended, without fetching its result (an error counts as not fetched)."""
    if not future.done():
        return ""
    if future.cancelled():
        return "cancelled"
    error = getattr(future, "_exception", None)
    if error is not None:
        return f"failed: {type(error).__name__}: {error}".rstrip(": ")
    return f"finished: {labels.of(getattr(future, '_result', None))}"


# -- the rows -------------------------------------------------------------------------------------


def _rows(obj: Any, labels: Labels) -> Iterator[Row]:
    depth, seen = 0, set()
    while obj is not None and id(obj) not in seen and depth < _MOST_FRAMES:
        seen.add(id(obj))
        links = list(chain(obj.get_coro() if is_task(obj) else obj))
        for link in links:
            yield from _row(link, depth, labels)
            depth += 1
        last = links[-1]
        obj = last if is_task(last) and last is not obj and not last.done() else None
        yield from _children(last, depth, labels)


def _row(link: Any, depth: int, labels: Labels) -> Iterator[Row]:
    frame = frame_of(link)
    if frame is not None:
        yield _frame_row(frame, depth, labels)
    elif is_future(link):
        if depth:
            yield Row(
                depth,
                labels.of(link),
                _outcome(link, labels) or ("" if is_task(link) else "pending"),
            )
    elif _by_hand(link):
        place = f"line {link.line}" if hasattr(link, "line") else ""
        yield Row(depth, type(link).__name__, place, _attributes(link, labels))
    elif depth:
        yield Row(
            depth, labels.of(link) if not inspect.isawaitable(link) else type(link).__name__, ""
        )


def _frame_row(frame: Any, depth: int, labels: Labels) -> Row:
    seen = view(frame, labels)
    module = str(frame.f_globals.get("__name__", ""))
    held = tuple((n, text) for n, text in seen.locals if n != text)  # not what is called what it is
    name = "cell" if seen.function.startswith("<module") else f"{seen.function}()"
    if module.split(".")[0] == "asyncio":  # its lines and names differ from Python to Python
        return Row(depth, name, "in asyncio")
    if module.startswith(("asyncio_lessons.", "my_asyncio.")):
        return Row(depth, name, seen.source, held)
    return Row(depth, name, f"line {seen.line}" + (seen.source and f": {seen.source}"), held)


def _attributes(obj: Any, labels: Labels) -> tuple[tuple[str, str], ...]:
    held = ((n, v) for n, v in vars(obj).items() if n not in ("line", "state"))
    return tuple((name, labels.of(value)) for name, value in held)


def _children(last: Any, depth: int, labels: Labels) -> Iterator[Row]:
    """A gathering future waits for many at once."""
    for child in getattr(last, "_children", ()) if is_future(last) else ():
        yield Row(depth, labels.of(child), _outcome(child, labels) or "pending")
