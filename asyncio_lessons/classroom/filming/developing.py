"""Developing a film: steps and scenes from what the recorder noted, once the program is over.

The notes are played on one model of a loop, the same for every loop: what is in its ready queue,
which timers are set, what is running, where each task stands. What changes in it from one step to
the next is what the film keeps; `scenes` says what that is.
"""

import bisect
import functools
import inspect
import itertools
import linecache
import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import Any, NamedTuple

from .film import ENDS, Cause, FilmedTask
from .frames import Labels
from .scenes import Delta, Details, Step, change
from .snapshots import UNSET, Shot, Text, is_library


class Note(NamedTuple):
    """What the recorder noted at one moment, its texts spelled out.

    The first six fields are those of `film.Event`; `value` depends on the kind; `owner` is the task
    whose frames `shots` are, `site` where in the program's own code that task stands.
    """

    time: float
    kind: str
    task: int
    cause: Cause | None = None
    text: Any = ""
    due: float | None = None
    value: Any = None
    owner: int | None = None
    shots: Any = ()
    site: Any = None


def developed(
    notes: Iterable[Note],
    tasks: list[FilmedTask],
    named: Callable[[str], str],
    counts: dict[str, int],
    sees_selector: bool,
) -> Details:
    """Make steps and scenes of what was noted.

    named: puts the names of tasks into a text; counts: how many objects of a type have a number
    already; sees_selector: whether the selector of the loop is visible.
    """
    return _Developer(tasks, named, counts, sees_selector).develop(list(notes))


class _Developer:
    """Plays the notes on a model of the loop."""

    def __init__(
        self,
        tasks: list[FilmedTask],
        named: Callable[[str], str],
        counts: dict[str, int],
        sees_selector: bool,
    ) -> None:
        self._details = Details(sees_selector)
        self._tasks = tasks
        self._named = functools.cache(named)
        self._labels = Labels()
        self._changes: list[Delta] = []
        self._scene: dict[str, Any] = {}
        self._ready: dict[int, Any] = {}  # key: its reason; a task's key is -1 - index
        self._timers: list[tuple[float, int, int]] = []  # (when, order, key), sorted
        self._timer_of: dict[int, tuple] = {}  # key: (its place in that list, its entry)
        self._stack: list[dict[str, Any]] = []  # what is running, the innermost last
        self._waited: dict[int, int] = {}  # task: the key of the future it waits for
        self._waiting: Counter = Counter()  # key of a future: how many tasks wait for it
        self._futures: dict[int, str] = {}
        self._counts = counts
        self._watched: dict[int, dict[str, Any]] = {}
        self._codes: dict[int, int] = {}
        self._kept_codes: list[Any] = []
        self._units: dict[str, int] = {}
        self._lines: dict[int, Callable] = {}
        self._unfinished = ""  # line that was printed
        self._printer: int | None = None
        self._due_now: list[tuple[str, float]] = []
        self._reported: list[str] = []
        self._turn = 0

    def develop(self, notes: list[Note]) -> Details:
        start = {"time": 0.0, "turn": 0, "running": None, "ready": [], "timers": []}
        start["selector"] = [] if self._details.sees_selector else None
        start |= {"printed": [], "tasks": [None] * len(self._tasks)}
        for key, value in start.items():
            self._do([key], value)
        self._step(Note(0.0, "begin", -1))
        skip = False
        for note, following in itertools.zip_longest(notes, notes[1:]):
            if skip:
                skip = False
                continue
            self._sleep_before(note)
            skip = self._play(note, following)
        last = notes[-1].time if notes else 0.0
        self._finish_line()
        self._step(Note(last, "end", -1))
        return self._details

    # -- changes --------------------------------------------------------------------------------

    def _do(self, path: list, value: Any, *operation: str) -> None:
        delta = [path, value, *operation]
        change(self._scene, delta)
        self._changes.append(delta)

    def _set(self, value: Any, *path: Any) -> None:
        """Set what is at a path, if it is not the same already."""
        place = self._scene
        for key in path[:-1]:
            place = place[key]
        if path[-1] not in place or place[path[-1]] != value:
            self._do(list(path), value)

    def _step(self, note: Note, **fields: Any) -> None:
        """End a step: all changes since the last one are its own."""
        self._set(note.time, "time")
        self._set(self._turn, "turn")
        details = self._details
        task = note.task if note.task >= 0 else None
        step = Step(len(details.steps), note.kind, note.time, self._turn, task, note.cause)
        if note.site is not None and "site" not in fields:
            fields["site"], fields["frames"] = self._site(note.site), self._stack_of(note.shots)
        fields.setdefault("text", note.text or "")
        details.steps.append(step._replace(**fields, reported=self._reported))
        details.deltas.append(self._changes)
        self._changes, self._reported = [], []

    # -- the notes --------------------------------------------------------------------------------

    def _play(self, note: Note, following: Note | None) -> bool:
        """Play one note; return whether the following one was played with it."""
        if note.owner is not None and note.kind not in ENDS:
            self._place(note.owner, note.shots)
        return bool(getattr(self, f"_on_{note.kind}")(note, following))

    def _sleep_before(self, note: Note) -> None:
        """Add the sleep of the loop before what woke it."""
        idle = not self._stack and not self._ready and len(self._details.steps) > 1
        wakes = note.kind in ("due", "ready", "enter", "call")
        outside = note.cause is not None and note.cause.kind in ("io", "thread", "timer")
        if not (idle and wakes and outside) or self._details.steps[-1].kind == "sleep":
            return
        if self._timers:
            until = f"until {_seconds(self._timers[0][0])}"
        else:
            until = "until something outside wakes it"
        before = self._details.steps[-1].time
        if self._timers and self._timers[0][0] <= before:
            return  # it only looks
        self._step(Note(before, "sleep", -1), text=until)

    def _on_create(self, note: Note, following: Note | None) -> bool:
        index = note.task
        fresh = {"state": "created", "waits": "", "on": None, "frames": []}
        self._do(["tasks", index], {**fresh, "result": None, "error": None})
        self._place(index, note.value or ())
        joined = following is not None and (following.kind, following.task) == ("ready", index)
        if joined:
            self._enter_task(following, "started")
        self._step(note, text=self._tasks[index].name)
        return joined

    def _on_ready(self, note: Note, following: Note | None) -> None:
        self._enter_task(note, "woken")
        self._step(note, text=self._reason(note, "woken"))

    def _on_enter(self, note: Note, following: Note | None) -> None:
        reason = self._reason(note, "called")
        label = f"callback {note.text}()"
        self._append(note.value, {"task": None, "label": label, "reason": reason}, note)
        self._step(note._replace(kind="ready"), text=f"{label}: {reason}")

    def _enter_task(self, note: Note, verb: str) -> None:
        index = note.task
        entry = {"task": index, "label": self._tasks[index].name}
        self._append(-1 - index, {**entry, "reason": self._reason(note, verb)}, note)
        if {"task": index} not in self._stack:
            self._set("ready", "tasks", index, "state")

    def _append(self, key: int, entry: dict[str, Any], note: Note) -> None:
        entry["cause"] = list(note.cause) if note.cause is not None else None
        self._leave(key)
        self._do(["ready", len(self._ready)], entry, "+")
        self._ready[key] = None

    def _leave(self, key: int) -> None:
        """Take something out of the ready queue."""
        if key in self._ready:
            place = 0 if next(iter(self._ready)) == key else list(self._ready).index(key)
            del self._ready[key]
            self._do(["ready", place], None, "-")

    def _on_run(self, note: Note, following: Note | None) -> None:
        index = note.task
        self._leave(-1 - index)
        self._waiting[self._waited.pop(index, None)] -= 1
        self._begins({"task": index})
        self._set("running", "tasks", index, "state")
        self._set("", "tasks", index, "waits")
        self._set(None, "tasks", index, "on")
        throws = note.text if note.value is None else note.value == "throw"
        self._step(note._replace(kind="throw") if throws else note)

    def _begins(self, running: dict[str, Any]) -> None:
        if self._stack and "task" in self._stack[-1]:
            self._set("interrupted", "tasks", self._stack[-1]["task"], "state")
        self._stack.append(running)
        self._set(running, "running")

    def _stops(self, running: dict[str, Any] | None) -> None:
        if running in self._stack:
            del self._stack[len(self._stack) - 1 - self._stack[::-1].index(running) :]
        elif running is None and self._stack:
            self._stack.pop()
        inner = self._stack[-1] if self._stack else None
        self._set(inner, "running")
        if inner is not None and "task" in inner:
            self._set("running", "tasks", inner["task"], "state")

    def _on_wait(self, note: Note, following: Note | None) -> None:
        index = note.task
        self._stops({"task": index})
        state = "ready" if -1 - index in self._ready else "waiting"
        self._set(state, "tasks", index, "state")
        self._set(note.text or "", "tasks", index, "waits")
        on = None if note.value is None else self._awaited(note)
        self._set(on, "tasks", index, "on")
        self._step(note, value=on)

    def _on_done(self, note: Note, following: Note | None) -> None:
        """A task is done, cancelled or failed."""
        index = note.task
        self._stops({"task": index})
        self._set(note.kind, "tasks", index, "state")
        self._set([], "tasks", index, "frames")
        value = self._text_of(note.value)
        self._set(value, "tasks", index, "result" if note.kind == "done" else "error")
        self._step(note, value=value, frames=self._stack_of(note.shots), site=None)

    _on_cancelled = _on_failed = _on_done

    def _on_call(self, note: Note, following: Note | None) -> None:
        label = f"callback {note.text}()" if note.text else "a callback"
        if note.value in self._ready:
            label = self._scene["ready"][list(self._ready).index(note.value)]["label"]
        self._leave(note.value)
        self._begins({"callback": label})
        self._step(note, text=label)

    def _on_return(self, note: Note, following: Note | None) -> None:
        self._stops(None)
        self._step(note)

    def _on_drop(self, note: Note, following: Note | None) -> None:
        self._leave(note.value)

    # -- timers -----------------------------------------------------------------------------------

    def _on_timer(self, note: Note, following: Note | None) -> None:
        setter = note.cause.task
        owner = f" of {self._tasks[setter].name}" if setter is not None else ""
        label = f"{note.text or note.site and note.site[0] or 'timer'}{owner}"
        entry = note.due, len(self._details.steps), note.value
        place = bisect.bisect(self._timers, entry)
        self._timers.insert(place, entry)
        self._timer_of[note.value] = entry, label
        timer = {"when": note.due, "label": label, "task": setter}
        self._do(["timers", place], timer, "+")
        self._step(note, text=label)

    def _on_untimed(self, note: Note, following: Note | None) -> None:
        known = self._timer_of.pop(note.value, None)
        if known is not None:
            place = bisect.bisect_left(self._timers, known[0])
            del self._timers[place]
            self._do(["timers", place], None, "-")

    def _on_due(self, note: Note, following: Note | None) -> None:
        """Timers that become due together are one step."""
        _, label = self._timer_of.get(note.value, (None, "timer"))
        self._on_untimed(note, None)
        late = max(0.0, round(note.time - note.due, 9))
        reason = f"the timer was due at {_seconds(note.due)}"
        self._append(note.value, {"task": None, "label": label, "reason": reason}, note)
        self._due_now = [*self._due_now, (label, late)]
        if following is None or following.kind != "due":
            told, self._due_now = self._due_now, []
            latest = max(late for _, late in told)
            self._step(note, text=", ".join(label for label, _ in told), value=_seconds(latest))

    # -- turns, selector, prints ------------------------------------------------------------------

    def _on_turn(self, note: Note, following: Note | None) -> None:
        self._turn += 1

    def _on_order(self, note: Note, following: Note | None) -> None:
        """The queue was put in another order."""
        before = dict(zip(self._ready, self._scene["ready"], strict=True))
        keys = [key for key in note.value if key in before]
        keys += [key for key in before if key not in note.value]
        self._ready = dict.fromkeys(keys)
        self._set([before[key] for key in keys], "ready")

    def _on_report(self, note: Note, following: Note | None) -> None:
        self._reported = [*self._reported, *note.value]

    def _on_watch(self, note: Note, following: Note | None) -> None:
        fd, task, *rest = note.value
        if rest[0]:
            entry = {"label": rest[0], "events": rest[1], "task": task}
            self._watched[fd] = entry
        else:
            self._watched.pop(fd, None)
        self._set(list(self._watched.values()), "selector")

    def _on_print(self, note: Note, following: Note | None) -> None:
        *lines, self._unfinished = (self._unfinished + note.value).split("\n")
        self._printer = note.task if note.task >= 0 else None
        for line in lines:
            self._printed(line)

    def _printed(self, line: str) -> None:
        entry = {"text": line, "task": self._printer}
        self._do(["printed", len(self._scene["printed"])], entry, "+")

    def _finish_line(self) -> None:
        if self._unfinished:
            self._printed(self._unfinished)

    # -- words ------------------------------------------------------------------------------------

    def _reason(self, note: Note, verb: str) -> str:
        cause = note.cause
        if cause is None or cause.kind == "outside":
            return f"{verb} from outside the loop"
        if cause.kind == "again":
            return "lets the others run first"
        if cause.kind == "timer":
            return f"its timer was due at {_seconds(note.due)}" if note.due else "its timer is due"
        if cause.kind == "io":
            return f"{self._reported[-1]}" if self._reported else "a socket is ready"
        if cause.kind == "thread":
            return f"{verb} by another thread"
        who = self._tasks[cause.task].name
        if note.site is None or note.owner != cause.task:
            ended = self._scene["tasks"][cause.task]["state"] in ENDS
            return f"{verb} by {who}, which ended" if ended else f"{verb} by {who}"
        text, code, lasti = note.site
        place = f"line {self._line(code, lasti)}"
        return f"{verb} by {who}: {text}, {place}" if text else f"{verb} by {who}, {place}"

    def _text_of(self, value: Any) -> str:
        if isinstance(value, Text):
            return self._named(value)
        return self._plain(type(value), value)

    @functools.cached_property
    def _plain(self) -> Callable:
        return functools.lru_cache(10_000)(lambda _, value: self._labels.of(value))

    def _awaited(self, note: Note) -> str:
        """Return what a task waits for: "Queue 1 getter", or "Future 4"."""
        if not isinstance(note.value, tuple):
            return self._text_of(note.value)
        kind, key = note.value
        if not self._waiting[key]:  # no task waits for it: it is a new one
            self._futures[key] = self._waiter(note) or self._numbered(kind)
        self._waited[note.task] = key
        self._waiting[key] += 1
        return self._futures[key]

    def _numbered(self, kind: str) -> str:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return f"{kind} {self._counts[kind]}"

    def _waiter(self, note: Note) -> str | None:
        """Return "Queue 1 getter" where a method of the library waits for its object."""
        outer = next((shot for shot in reversed(note.shots) if shot.names), None)
        root = re.match(r"(?:async (?:with|for) )?([^\W\d]\w*)\b", note.text)
        if outer is None or root is None or root[1] not in outer.names:
            return None
        holder = outer.values[outer.names.index(root[1])]
        called = note.shots[note.shots.index(outer) + 1 :][:1]
        owner = called[0].code.co_qualname.split(".")[0] if called else ""
        if not isinstance(holder, Text) or not re.fullmatch(rf"{owner} \d+", holder):
            return None
        role = {"get": "getter", "put": "putter", "join": "joiner"}
        return f"{holder} {role.get(called[0].code.co_name, 'waiter')}"

    # -- frames -----------------------------------------------------------------------------------

    def _place(self, index: int, shots: tuple[Shot, ...]) -> None:
        """Set where a task stands, changing only what is not the same as before."""
        before = self._scene["tasks"][index]["frames"]
        frames = [self._frame(shot, before, depth) for depth, shot in enumerate(shots)]
        if len(frames) != len(before):
            self._set(frames, "tasks", index, "frames")
            return
        for depth, frame in enumerate(frames):
            self._set(frame, "tasks", index, "frames", depth)

    def _frame(self, shot: Shot, before: list, depth: int) -> dict[str, Any]:
        code, lasti, names, values = shot
        number = self._code(code)
        held, old = [], {}
        known = depth < len(before) and before[depth]["code"] == number
        if known:
            old = {name: text for name, text, _ in before[depth]["locals"]}
        for name, value in zip(names, values, strict=True):
            if value is not UNSET:
                text = self._text_of(value)
                held.append([name, text, known and old.get(name) != text])
        return {"code": number, "line": self._line(code, lasti), "locals": held}

    def _stack_of(self, shots: tuple[Shot, ...]) -> list[dict[str, int]]:
        return [{"code": self._code(c), "line": self._line(c, lasti)} for c, lasti, *_ in shots]

    def _site(self, site: tuple) -> dict[str, Any]:
        _, code, lasti = site
        place = {"code": self._code(code), "line": self._line(code, lasti)}
        return {**place, "function": code.co_name}

    def _line(self, code: Any, lasti: int) -> int:
        find = self._lines.get(id(code))
        if find is None:
            starts = [(start, line or code.co_firstlineno) for start, _, line in code.co_lines()]
            places = [start for start, _ in starts]

            def find(lasti: int) -> int:
                return starts[max(bisect.bisect(places, lasti) - 1, 0)][1]

            find = self._lines[id(code)] = functools.cache(find)
        return find(max(lasti, 0))

    def _code(self, code: Any) -> int:
        """Return the number of a code among the sources."""
        number = self._codes.get(id(code))
        if number is None:
            number = self._codes[id(code)] = len(self._codes)
            self._kept_codes.append(code)
            unit = self._units.setdefault(code.co_filename, len(self._units))
            self._details.sources.append(source_of(code) | {"unit": unit})
        return number


def source_of(code: Any) -> dict[str, Any]:
    """Return the source of a function, as `Film.sources` holds it; no lines where there is none."""
    lines = linecache.getlines(code.co_filename)
    block: list[str] = []
    if lines and code.co_name.startswith(("<module", "<cell line")):  # IPython 7 has the second
        block = lines
    elif 0 < code.co_firstlineno <= len(lines):
        try:
            block = inspect.getblock(lines[code.co_firstlineno - 1 :])
        except Exception:  # a source that does not belong to the code
            block = lines[code.co_firstlineno - 1 : code.co_firstlineno]
    return {
        "function": code.co_name,
        "file": short_file(code.co_filename),
        "first": code.co_firstlineno,
        "lines": [line.rstrip("\r\n") for line in block],
        "library": is_library(code.co_filename),
    }


def short_file(file: str) -> str:
    """Return the name of a file as a reader knows it, the same on every machine."""
    path = PurePath(file)
    if re.search(r"ipykernel_\d+|<ipython-input", file):
        return "cell"
    return f"{path.parent.name}/{path.name}" if is_library(file) else path.name


def _seconds(value: float) -> str:
    return f"{value:.4g} s" if value >= 1 or not value else f"{value * 1000:.4g} ms"
