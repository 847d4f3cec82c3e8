"""The film as a trace file for https://ui.perfetto.dev: open it there, zoom with W and S.

The format is the Trace Event Format: a JSON object of events with times in microseconds. Each task
is a "thread" of its own beside the event loop; slices say what it did, arrows who woke it.
"""

import base64
import html
import json
from pathlib import Path
from typing import Any

from .film import Film

_PROCESS = 1
_LOOP = 1  # thread ids: 0 would be merged into the main thread
_FIRST_TASK = 10
_WORDS = {"running": "running", "ready": "ready"}


def trace(film: Film, path: Any = None) -> dict:
    """Return the film as a trace, and write it to `path` (a .json file) if that is given."""
    events = [*_names(film), *_slices(film), *_marks(film), *_arrows(film)]
    document = {"traceEvents": events, "displayTimeUnit": "ms"}
    if path is not None:
        Path(path).write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8")
    return document


class TraceLink:
    """A link in the notebook that saves a film as a trace; shows itself at the end of a cell."""

    def __init__(self, film: Film, name: str) -> None:
        self.name = name
        self._text = json.dumps(trace(film), separators=(",", ":"))

    def __repr__(self) -> str:
        return f"{self.name}: {len(json.loads(self._text)['traceEvents'])} events"

    def _repr_html_(self) -> str:
        data = base64.b64encode(self._text.encode()).decode()
        name = html.escape(self.name)
        return f'<a download="{name}" href="data:application/json;base64,{data}">{name}</a>'


def trace_link(film: Film, name: str) -> TraceLink:
    """Return a link that saves the film as a trace file of that name."""
    return TraceLink(film, name)


def _event(phase: str, name: str, thread: int, **more: Any) -> dict:
    return {"ph": phase, "name": name, "pid": _PROCESS, "tid": thread, **more}


def _names(film: Film) -> list[dict]:
    title = film.title or f"asyncio film ({film.loop or 'by hand'})"
    names = [_event("M", "process_name", _LOOP, args={"name": title})]
    threads = [(_LOOP, "event loop"), *enumerate((t.name for t in film.tasks), _FIRST_TASK)]
    for order, (thread, name) in enumerate(threads):
        names.append(_event("M", "thread_name", thread, args={"name": name}))
        names.append(_event("M", "thread_sort_index", thread, args={"sort_index": order}))
    return names


def _slices(film: Film) -> list[dict]:
    """Each state is a slice of its task, each step one of the loop too.

    End points are rounded, and lengths are the differences: else slices that touch would overlap.
    """
    slices = []
    for span in film.spans():
        start, end = _microseconds(span.start), _microseconds(span.end)
        known = span.task >= 0
        name = _WORDS.get(span.state) or span.text or "waiting"
        if known:
            slices.append(
                _event(
                    "X", name, _FIRST_TASK + span.task, ts=start, dur=end - start, cat=span.state
                )
            )
        if span.state == "running" and film.loop:
            owner = film.tasks[span.task].name if known else span.text or "callback"
            slices.append(_event("X", owner, _LOOP, ts=start, dur=end - start, cat="loop"))
    return sorted(slices, key=lambda event: event["ts"])


def _marks(film: Film) -> list[dict]:
    """Say at its end how a task ended, and where a timer, I/O or a thread woke it."""
    marks = []
    for task, end in film.ends().items():
        time = next(e.time for e in reversed(film.events) if e.task == task and e.kind == end)
        marks.append(_event("i", end, _FIRST_TASK + task, ts=_microseconds(time), s="t"))
    for wake in film.wakes():
        if wake.cause and wake.cause.kind in ("timer", "io", "thread"):
            name = f"woken by {wake.cause.kind}"
            marks.append(
                _event("i", name, _FIRST_TASK + wake.task, ts=_microseconds(wake.time), s="t")
            )
    return marks


def _arrows(film: Film) -> list[dict]:
    """From the step that wakes to the step that follows: tied to the start of that slice."""
    arrows = []
    steps: dict[int, list[tuple[int, float]]] = {}
    for order, event in enumerate(film.events):
        if event.kind == "run":
            steps.setdefault(event.task, []).append((order, event.time))
    for number, wake in enumerate(film.wakes(), 1):
        if not wake.cause or wake.cause.kind != "task" or wake.cause.task == wake.task:
            continue
        begin = next(
            (time for order, time in steps.get(wake.task, ()) if order >= wake.order), None
        )
        if begin is None:
            continue
        name = "starts" if wake.first else "wakes"
        start, end = _microseconds(wake.time), _microseconds(begin)
        waker = _FIRST_TASK + wake.cause.task
        arrows.append(_event("s", name, waker, ts=start, id=number, cat="wake"))
        arrows.append(
            _event("f", name, _FIRST_TASK + wake.task, ts=end, id=number, cat="wake", bp="e")
        )
    return arrows


def _microseconds(seconds: float) -> float:
    return round(seconds * 1e6, 3)
