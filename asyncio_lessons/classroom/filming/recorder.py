"""Film a program without changing it: on the course's loop, on asyncio, on uvloop.

Around each coroutine that becomes a task stands a proxy (`_Filmed`): its `send` and `throw` note
when a step begins and what it waits for at its end. What is ready, and who made it so, is seen

- on the course's loop and on asyncio's by a ready queue that takes notes, in the place of theirs;
- on uvloop, whose queue is hidden, by attributes set on the loop *instance*: `call_soon`,
  `call_soon_threadsafe`, `call_at`, `call_later`.

All of it is taken away at the end. Who woke a task: the task whose step is running; else what the
plain callback that is running inherited from whatever scheduled it; else the task whose step has
ended; else a timer, another thread, or I/O. What is noted at each switch is a small tuple; `film`
and `scenes` say what becomes of it when the program is over.
"""

import bisect
import contextlib
import contextvars
import re
import sys
import time
import weakref
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from itertools import accumulate
from threading import get_ident
from types import ModuleType
from typing import Any

from .developing import Note, developed
from .eyes import Hooks, Queue, made_by_caller
from .film import OUTSIDE, THREAD, Cause, Event, Film, FilmedTask
from .frames import Labels, Site, awaited_by, chain, frame_of, is_task
from .loops import (
    clock_of,
    current_loop,
    current_task,
    error_of,
    loop_factory,
    name_of_loop,
    ready_queue,
    run_on,
    virtual_clock,
)
from .prints import Prints
from .snapshots import Camera, Shot, Text, drives_tasks

LIMIT = 20_000  # notes; a film of more is of no use to the eye

_scope: contextvars.ContextVar = contextvars.ContextVar("film of this cell", default=None)
_DEFAULT_NAME = re.compile(r"Task-\d+")
_EVENTS = set("create ready run wait done cancelled failed call return timer".split())
_AT_THE_END = set("call return enter turn report drop".split())
_NO_MORE = (None,) * 4  # of the fields that a note has with details
_SHUTDOWN = ("shutdown_asyncgens", "shutdown_default_executor")  # the film ends before these


class Recorder:
    """Films what happens on `loop` between `start` and `stop`.

    details: note the frames with their locals, the timers and what is printed, for the steps of the
    film (slower); limit: notes after which the recording stops; scoped: film only tasks created
    from here, in this context, and the running task itself, whose own frame is the one that runs
    `code`; name: what the first task is called if the program does not name it.
    Raises RuntimeError if the loop is being filmed already.
    """

    def __init__(
        self,
        loop: Any,
        *,
        details: bool = False,
        limit: int = LIMIT,
        scoped: bool = False,
        code: Any = None,
        name: str | None = None,
    ) -> None:
        self.loop = loop
        self.closed = True
        self.film = Film(loop=name_of_loop(loop), virtual=virtual_clock(loop) is not None)
        self.details, self._limit, self._scoped = details, limit, scoped
        self._code, self._first_name = code, name
        self._tasks: list[_Known] = []
        self._indices: dict[int, int] = {}  # id of a task: its index
        # The fields of one note after the other: lists of plain things cost the collector nothing.
        self.raw: list = []
        self._size = 10 if details else 6  # fields of a note
        self.most = limit * self._size
        self.running: list[int] = []  # tasks in a step, the innermost last
        self.ended_last: int | None = None  # whose step was the last in what the loop runs now
        self.inherited: Cause | None = None  # of the plain callback that is running
        self.due: float | None = None  # when it was due, if it is a timer's
        self.causes: list[Cause] = []  # Cause("task", index), made once
        self._sites: dict[tuple[int, int], Site] = {}
        self._data: dict[str, list[tuple]] = {}  # what `measure` noted
        self._thrown: dict[int, str] = {}  # with details: the error that a task will see next
        self.labels = Labels(self._name_now)
        self.camera = Camera(self.labels)
        self.time = clock_of(loop)
        self._leaps: list[tuple[int, float]] = []  # (number of a note, seconds left out after it)
        self.main: Any = None  # the running task, if it is filmed without a proxy
        self.plain = False  # whether it is filming, with nothing more to do than to note each step
        self._eye: Any = None
        self._prints: Prints | None = None

    # -- start and stop -------------------------------------------------------------------------

    def start(self) -> "Recorder":
        """Begin to film; from a running task of the loop if `scoped`."""
        if getattr(self.loop, "_filmed_by", None) is not None:
            raise RuntimeError(
                "this loop is being filmed already: end the outer timeline() or %%timeline first"
            )
        self.loop._filmed_by = self
        self.thread = get_ident()
        self.closed, self.plain = False, not self.details and not self._scoped
        if self._scoped:
            self._token = _scope.set(self)
            self._film_current_task()
        self._eye = Hooks(self) if ready_queue(self.loop) is None else Queue(self)
        if self.details:
            self._prints = Prints(self)
        return self

    def stop(self, error: BaseException | None = None) -> Film:
        """End the film, take everything off the loop, and return the film."""
        if not self.closed:
            if self.main is not None:
                self.ended(0, error if error is not None else StopIteration())
            self._close()
        if self._scoped and self._token is not None:
            with contextlib.suppress(ValueError):  # another context: it ends with it
                _scope.reset(self._token)
            self._token = None
        return self.film

    def _close(self) -> None:
        self.closed, self.plain = True, False
        self._eye.remove()
        if self._prints is not None:
            self._prints.remove()
        del self.loop._filmed_by
        notes = self._notes()
        self.film.tasks = self._names()
        self._begin = notes[0].time if notes else 0.0
        notes = [self._spelled(note) for note in notes]
        self.film.events = [Event(*note[:6]) for note in notes if note.kind in _EVENTS]
        self.film.duration = notes[-1].time if notes else 0.0
        if self.details:
            sees = self._eye.sees_selector
            named, counts = self._named, self.labels.counts
            self.film.details = developed(notes, self.film.tasks, named, counts, sees)
        self.film.data = self._values(notes)
        self.raw, self._sites, self.main = [], {}, None
        self.camera = Camera(self.labels)

    def _notes(self) -> list[Note]:
        size = self._size
        fields = [self.raw[place::size] for place in range(size)]
        self._left = list(accumulate(seconds for _, seconds in self._leaps))
        fields[0] = [at - self._left_out(number) for number, at in enumerate(fields[0])]
        fields[5] = [
            due if due is None else due - self._left_out(number)
            for number, due in enumerate(fields[5])
        ]
        notes = [Note(*each) for each in zip(*fields, strict=True)][: self._limit]
        while notes and notes[-1].kind in _AT_THE_END:
            notes.pop()  # how the loop stops is not the program's
        return notes

    def _left_out(self, number: int) -> float:
        """Return the seconds that the film leaves out before a note."""
        place = bisect.bisect_left(self._leaps, (number, 0.0))
        return self._left[place - 1] if place else 0.0

    def _film_current_task(self) -> None:
        task = current_task(self.loop)
        if task is None:
            return
        self.main = task
        self._add(_Known(task, None, "main" if self._code else None))
        self.note("create", 0, OUTSIDE)
        self.begun(0)

    # -- what is noted --------------------------------------------------------------------------

    def note(
        self,
        kind: str,
        index: int,
        cause: Cause | None = None,
        what: Any = None,
        due: float | None = None,
        value: Any = None,
        up: int = 1,
    ) -> None:
        """Add one note; with details also where the running task stands, whose doing it may be.

        up: how many frames away the program's frames begin, from the caller's frame on.
        """
        if self.details and self._eye is not None:
            self._eye.look_at_timers(None, None)
        now = self.time()
        raw = self.raw
        if len(raw) >= self.most:
            self._stop_at_limit()
        elif not self.details:
            raw += (now, kind, index, cause, what, due)
        elif self.running and get_ident() == self.thread:
            begin = len(self.camera.roll)
            site = self._here(up + 1)
            shots = begin, len(self.camera.roll), False
            raw += (now, kind, index, cause, what, due, value, self.running[-1], shots, site)
        else:
            raw += (now, kind, index, cause, what, due, value, None, None, None)

    def note_ready(self, index: int, cause: Cause | None, waker: Any = None, up: int = 2) -> None:
        """Do as `note` for what happens at every switch; waker: the future that woke the task."""
        if waker is not None and (error := _what_it_throws(waker)) is not None:
            self._thrown[index] = error
        now, raw = self.time(), self.raw
        if len(raw) >= self.most:
            self._stop_at_limit()
            return
        raw += (now, "ready", index, cause, None, self.due)
        if self.details and self.running and get_ident() == self.thread:
            begin = len(self.camera.roll)
            site = self._here(up + 1)
            raw += (None, self.running[-1], (begin, len(self.camera.roll), False), site)
        elif self.details:
            raw += _NO_MORE

    def note_turn(self) -> None:
        """A turn of the loop begins."""
        self.raw += (self.time(), "turn", -1, None, None, None)
        self.raw += _NO_MORE

    def measured(self, name: str, value: float) -> None:
        """Keep a number of the program, for the picture."""
        if not self.closed and self.in_scope():
            count = len(self.raw) // self._size
            self._data.setdefault(name, []).append((self.time(), value, count))

    def _values(self, notes: list[Note]) -> dict[str, list[tuple]]:
        """Return (seconds, number, index of the event before) of the numbers noted, by name."""
        before = list(accumulate((note.kind in _EVENTS for note in notes), initial=0))
        return {
            name: [
                (
                    max(at - self._left_out(count) - self._begin, 0),
                    value,
                    before[min(count, len(notes))] - 1,
                )
                for at, value, count in points
            ]
            for name, points in self._data.items()
        }

    def note_print(self, text: str) -> None:
        """Add what was printed, by the task whose step is running if one is."""
        self._eye.look_at_timers(None, None)
        task, now = self.running[-1] if self.running else -1, self.time()
        self.raw += (now, "print", task, None, None, None, text, None, None, None)

    def _stop_at_limit(self) -> None:
        if not self.closed:
            self.film.truncated = True
            self._close()

    def begun(self, index: int, error: BaseException | None = None) -> None:
        """A step of a task begins, with an error if one is thrown into it."""
        if self.main is not None:
            self.look_after_main()
        self.running.append(index)
        thrown = None
        if self.details:
            thrown = self._thrown.pop(index, None)
            thrown = thrown if error is None else _error_text(error)
        self.raw += (self.time(), "run", index, None, thrown, None)
        if self.details:
            self.raw += _NO_MORE

    def suspended(self, index: int, coro: Any, awaited: Any = None) -> None:
        """A step ends at an await; `awaited` is what came out of the coroutine."""
        if self.running:
            self.running.pop()
        self.ended_last = index
        now = self.time()
        if self.details:
            self._suspended_in_detail(now, index, coro, awaited)
            return
        self.raw += (now, "wait", index, None, self.look(coro), None)

    def _suspended_in_detail(self, now: float, index: int, coro: Any, awaited: Any) -> None:
        what, value, roll = None, None, self.camera.roll
        begin = len(roll)
        try:
            self.camera.suspended(coro)
            what = self.look(coro, begin)
            if awaited is not None:
                value = self.camera.known(awaited) or id(awaited)
                if is_task(awaited):
                    value = self.camera.value(awaited)
            self._eye.look_at_timers(index, what)
        except Exception:  # looking must never reach the user's task
            pass
        shots = begin, len(roll), True
        kind = type(awaited)  # named when the film is developed: most are never seen again
        self.raw += (now, "wait", index, None, what, None, value, index, shots, kind)

    def ended(self, index: int, error: BaseException) -> None:
        """The last step of a task ends, with StopIteration or another exception."""
        if self.running:
            self.running.pop()
        self.ended_last = index
        kind = "failed"
        if isinstance(error, StopIteration):
            kind = "done"
        elif any(cls.__name__ == "CancelledError" for cls in type(error).__mro__):
            kind = "cancelled"
        text = _error_text(error) if kind == "failed" else None
        now = self.time()
        self.raw += (now, kind, index, None, text, None)
        if self.details:
            begin, done = len(self.camera.roll), kind == "done"
            if not done:
                self.camera.way_of(error)
            value = self.camera.value(error.value) if done else Text(_error_text(error))
            self.raw += (value, index, (begin, len(self.camera.roll), True), None)
        self._tasks[index].look_at_name()

    def look_after_main(self) -> None:
        """Note where the task which began the film is suspended: nothing else tells, at first."""
        if self.running == [0] and not self.closed and not self.main.get_coro().cr_running:
            self.suspended(0, self.main.get_coro())

    def who(self) -> Cause | None:
        """Return who is at work now: the running step, another thread, or the running callback."""
        if get_ident() != self.thread:
            return THREAD
        if self.running:
            return self.causes[self.running[-1]]
        return self.inherited

    def has_run(self, index: int) -> bool:
        """Say whether a task has taken a step; asked while it is suspended."""
        task = self._tasks[index].reference()
        return task is not None and getattr(task.get_coro(), "cr_suspended", True)

    def wants(self, coro: Any) -> bool:
        """Say whether a new task with this coroutine belongs to the film."""
        if self.closed or (self._scoped and _scope.get() is not self):
            return False
        if getattr(coro, "__name__", "") in _SHUTDOWN and not self._scoped:
            self._close()
            return False
        return isinstance(coro, Coroutine)

    def in_scope(self) -> bool:
        """Say whether what is scheduled here belongs to the film."""
        return not self._scoped or _scope.get() is self

    def create(self, original: Callable, coro: Any, options: dict[str, Any]) -> Any:
        """Make a task of `coro` through ``original``, with our proxy around the coroutine."""
        index = len(self._tasks)
        known = _Known(None, self.running[-1] if self.running else None, _coro_name(coro))
        self._add(known)
        if index == 0 and self._first_name and options.get("name") is None:
            options["name"] = self._first_name
        value = self._looked(coro) if self.details else None
        self.note("create", index, self.who() or OUTSIDE, value=value)
        task = original(_Filmed(coro, self, index), **options)
        known.see(task)
        self._indices[id(task)] = index
        return made_by_caller(task, 2)

    def _add(self, known: "_Known") -> None:
        self.causes.append(Cause("task", len(self._tasks)))
        self._tasks.append(known)

    def index_of(self, obj: Any) -> int | None:
        """Return the index of a filmed task, None for anything else."""
        if obj is self.main and obj is not None:
            return 0
        index = self._indices.get(id(obj))
        if index is not None and self._tasks[index].reference() is obj:
            return index
        # Python 3.12.1 crashes if an eager task that is done is asked for its coroutine.
        if not is_task(obj) or obj.done():
            return None
        coro = obj.get_coro()
        return coro._index if type(coro) is _Filmed and coro._recorder is self else None

    def index_of_task(self, task: Any) -> int | None:
        """Do as `index_of` for what is known to be a task made by `create_task`."""
        coro = task.get_coro()
        if type(coro) is _Filmed and coro._recorder is self:
            return coro._index
        return self.index_of(task)

    def stepped_by(self, callback: Any) -> int | None:
        """Return the index of the task that `callback` makes a step of; None if it does not."""
        index = self.index_of(getattr(callback, "__self__", None))
        if index is None:
            return None
        name = getattr(callback, "__name__", "_")  # not `task.cancel`
        return index if name.startswith(("_", "task_wakeup")) else None

    # -- looking at a suspended task ---------------------------------------------------------------

    def look(self, coro: Any, place: int | None = None) -> Any:
        """Return what `coro` awaits: (its site, the values there), or a text, or None.

        place: where on the roll the shot of its frame is, if one was taken.
        """
        try:
            frame = coro.cr_frame if self.main is None else self._own_frame(coro)
        except AttributeError:  # a coroutine of another make
            frame = frame_of(coro)
        try:
            if frame is None:
                return _fallback(coro)
            site = self._sites.get((id(frame.f_code), frame.f_lasti)) or self._new_site(frame)
            if not site.known:
                return _fallback(coro)
            if site.constant is not None:
                return site.constant
            shot = place is not None and self.camera.roll[place] is frame.f_code
            values = site.read_shot(self.camera.roll, place) if shot else None
            return site, site.read(frame, self.index_of) if values is None else values
        except Exception:  # looking must never reach the user's task
            return None

    def read(self, site: Site, frame: Any) -> Any:
        """Return `site` with the values there."""
        try:
            return site, site.read(frame, self.index_of)
        except Exception:
            return None

    def _new_site(self, frame: Any) -> Site:
        """Find an await in the source, once; the film leaves out the time that takes.

        With details it does not: timers are shown in the time of the loop, which cannot stop.
        """
        started = time.perf_counter()
        site = Site(frame)
        self._sites[id(frame.f_code), frame.f_lasti] = site
        if not self.film.virtual and not self.details:
            number = len(self.raw) // self._size
            self._leaps.append((number, time.perf_counter() - started))
        return site

    def _own_frame(self, coro: Any) -> Any:
        """Return the outermost frame, or in a cell the one that runs the cell's code."""
        if self.main is None or self.main.get_coro() is not coro:
            return frame_of(coro)
        for link in chain(coro):
            frame = frame_of(link)
            if frame is not None and frame.f_code is self._code:
                return frame
        return frame_of(coro)

    def _here(self, up: int) -> Any:
        """Take the frames of the step that is running; return the site in the program's code."""
        try:
            frame, place = self.camera.running(sys._getframe(up), self._code)
            return None if frame is None else self.site_at(frame, place)
        except Exception:
            return None

    def _looked(self, coro: Any) -> tuple[int, int, bool]:
        begin = len(self.camera.roll)
        with contextlib.suppress(Exception):
            self.camera.suspended(coro)
        return begin, len(self.camera.roll), True

    def site_at(self, frame: Any, place: int) -> Any:
        """Return (site, values) of what a frame calls or awaits now; its shot is at `place`."""
        site = self._sites.get((id(frame.f_code), frame.f_lasti)) or self._new_site(frame)
        if site.constant is not None:
            return site.constant
        values = site.read_shot(self.camera.roll, place)
        return site, site.read(frame, self.index_of) if values is None else values

    # -- names and texts, once it is over -------------------------------------------------------

    def _name_now(self, task: Any) -> str:
        index = self.index_of(task)
        return task.get_name() if index is None else f"\0{index}\0"  # named at the end

    def _names(self) -> list[FilmedTask]:
        for known in self._tasks:
            known.look_at_name()
        unnamed = Counter(known.coro_name for known in self._tasks if not known.name)
        seen: Counter = Counter()
        names = []
        for known in self._tasks:
            name = known.name
            if not name:
                name = known.coro_name
                seen[name] += 1
                if unnamed[name] > 1:
                    name = f"{name} {seen[name]}"
            names.append(FilmedTask(name, known.parent))
        return names

    def _spelled(self, note: Note) -> Note:
        """Return a note with its text and shots, and its times in seconds since the film began."""
        at, kind, task, cause, text, due, value, owner, shots, site = note
        if kind == "wait":
            value = self._awaited(value, site)
            site = None
        elif site is not None:
            site = self._text(site), site[0].code, site[0].lasti
        if due is not None:
            due -= self._begin
        if kind == "create" and value is not None:
            value = self._shots(value)
        at, text = max(at - self._begin, 0.0), self._text(text)
        return Note(at, kind, task, cause, text, due, value, owner, self._shots(shots), site)

    def _awaited(self, value: Any, kind: type | None) -> Any:
        """Return the text of what came out of an await; of one without a name, its type and id."""
        return (kind.__name__.lstrip("_"), value) if isinstance(value, int) else value

    def _shots(self, place: tuple[int, int, bool] | None) -> tuple[Shot, ...]:
        """Return the shots at a place on the roll, without those of what runs a cell."""
        if not place:
            return ()
        shots = self.camera.develop(*place)
        start = next((i for i, shot in enumerate(shots) if shot.code is self._code), 0)
        return shots[start:]

    def _text(self, what: Any) -> str:
        if isinstance(what, tuple):
            what = what[0].text(what[1], self._task_name) if what[0].known else ""
        return self._named(what) if what else ""

    def _task_name(self, index: int) -> str:
        return self.film.tasks[index].name

    def _named(self, text: str) -> str:
        return re.sub("\0(\\d+)\0", lambda found: self._task_name(int(found[1])), text)


class _Known:
    """What is remembered of a task: not the task, or it would live longer than unfilmed."""

    __slots__ = ("coro_name", "name", "parent", "reference")

    def __init__(self, task: Any, parent: int | None, coro_name: str | None) -> None:
        self.parent, self.coro_name, self.name = parent, coro_name or "main", ""
        self.reference: Callable = lambda: None
        if task is not None:
            self.reference = weakref.ref(task)

    def see(self, task: Any) -> None:
        with contextlib.suppress(TypeError):
            self.reference = weakref.ref(task)
        self._take_name(task)

    def look_at_name(self) -> None:
        """Names may be set after the task was made: read it as late as we can."""
        if (task := self.reference()) is not None:
            self._take_name(task)

    def _take_name(self, task: Any) -> None:
        try:
            name = str(task.get_name())
        except Exception:
            return
        if not _DEFAULT_NAME.fullmatch(name):
            self.name = name


class _Filmed(Coroutine):
    """A coroutine that tells the recorder about its steps, and else passes everything on."""

    __slots__ = "__weakref__ _coro _index _place _recorder _send _site _throw _what".split()

    def __init__(self, coro: Any, recorder: Recorder, index: int) -> None:
        self._coro, self._recorder, self._index = coro, recorder, index
        self._send, self._throw = coro.send, coro.throw
        self._place, self._site, self._what = -1, None, None

    # A bare `raise` adds no line to the traceback, and ours is taken off before: it begins in the
    # user's code, as without us. So the same lines stand in `send` and in `throw`.

    @drives_tasks
    def send(self, value: Any) -> Any:
        """Take one step."""
        recorder = self._recorder
        try:
            if recorder.plain:  # as `begun` does, without a call
                recorder.running.append(self._index)
                raw = recorder.raw
                raw += (recorder.time(), "run", self._index, None, None, None)
            elif recorder.closed:
                return self._send(value)
            else:
                recorder.begun(self._index)
            awaited = self._send(value)
        except BaseException as error:
            self._over(error)
            raise
        if recorder.plain:  # as `suspended` does, without a call
            recorder.running.pop()
            recorder.ended_last = self._index
            now, raw = recorder.time(), recorder.raw
            frame = getattr(self._coro, "cr_frame", None)
            if frame is None or frame.f_lasti != self._place:
                self._look(frame)
            raw += (now, "wait", self._index, None, self._what, None)
        elif not recorder.closed:
            recorder.suspended(self._index, self._coro, awaited)
        return awaited

    def _look(self, frame: Any) -> None:
        """Keep what the coroutine awaits, for as long as it comes back to the same place."""
        site = self._site
        if site is not None and frame is not None and frame.f_lasti == site.lasti:
            self._what = self._recorder.read(site, frame)
            return
        self._what = what = self._recorder.look(self._coro)
        self._site = what[0] if type(what) is tuple else None
        same = self._site is not None and self._site.constant is not None
        self._place = self._site.lasti if same else -1

    @drives_tasks
    def throw(self, *what: Any) -> Any:
        """Take one step with an exception."""
        recorder = self._recorder
        try:
            if recorder.closed:
                return self._throw(*what)
            recorder.begun(self._index, what[-1] or what[0])
            awaited = self._throw(*what)
        except BaseException as error:
            self._over(error)
            raise
        if not recorder.closed:
            recorder.suspended(self._index, self._coro, awaited)
        return awaited

    def _over(self, error: BaseException) -> None:
        error.__traceback__ = error.__traceback__.tb_next
        if not self._recorder.closed:
            self._recorder.ended(self._index, error)

    def close(self) -> None:
        """Close the coroutine."""
        self._coro.close()

    def __await__(self) -> Iterator:
        return self._coro.__await__()

    def __getattr__(self, name: str) -> Any:  # cr_frame, cr_await, gi_frame, __name__, ...
        return getattr(self._coro, name)

    def __repr__(self) -> str:
        return repr(self._coro)


# -- a program, from its start to its end ---------------------------------------------------------


def measure(name: str, value: float) -> None:
    """Note a number of the program, such as the length of a queue, if its loop is being filmed.

    `draw` shows the numbers of one name as a lane of their own, below the tasks.
    """
    recorder = getattr(current_loop(), "_filmed_by", None)
    if recorder is not None:
        recorder.measured(name, value)


def record(
    main: Coroutine,
    *,
    loop: str | ModuleType | Callable[[], Any] = "lessons",
    virtual: bool = False,
    details: bool = False,
    limit: int = LIMIT,
    check: bool = True,
) -> Film:
    """Run a coroutine on a loop of its own and return the film of it.

    loop: "lessons", "asyncio", "uvloop", a package such as `my_asyncio`, or a function that returns
    an asyncio loop; virtual: time jumps to the next timer; details: keep frames, locals and queues
    at each step; limit: events; check: raise what the program raises (else it stands in
    `film.error`). Where a loop runs already, as in a notebook, asyncio's and uvloop's run in a
    thread of their own.
    """
    film = run_filmed(main, loop, virtual, details=details, limit=limit)
    if film.error is not None and (check or not isinstance(film.error, Exception)):
        raise film.error
    return film


def run_filmed(
    main: Coroutine, loop: str | ModuleType | Callable[[], Any], virtual: bool, **options: Any
) -> Film:
    """Do what `record` does, but raise nothing of the program; options: those of `Recorder`."""
    if not isinstance(main, Coroutine):
        raise TypeError(f"record() needs a coroutine, such as main(); got {main!r}")
    try:
        factory = loop_factory(loop, virtual) if isinstance(loop, str | ModuleType) else loop
    except Exception:
        main.close()  # it was handed to us: it is not "never awaited"
        raise
    recorders: list[Recorder] = []

    def filmed_loop() -> Any:
        made = factory()
        recorders.append(Recorder(made, **options).start())
        return made

    result, error = run_on(main, filmed_loop, loop)
    film = recorders[0].stop() if recorders else Film()
    film.result, film.error = result, error
    return film


def _what_it_throws(future: Any) -> str | None:
    """Return what an await of `future`, which is done, raises; None if it raises nothing."""
    try:
        if future.cancelled():
            return "CancelledError"
        error = error_of(future)
    except Exception:
        return None
    return None if error is None else _error_text(error)


# -- words ----------------------------------------------------------------------------------------


def _coro_name(coro: Any) -> str:
    name = getattr(coro, "__name__", type(coro).__name__)
    return "main" if name.startswith("<") else name


def _fallback(coro: Any) -> str:
    """Return what is awaited when there is no source: the name of what runs inside."""
    inner = awaited_by(coro)
    name = getattr(inner, "__name__", None)
    return f"{name}()" if name else type(inner).__name__ if inner is not None else ""


def _error_text(error: BaseException | type) -> str:
    if isinstance(error, type):
        return error.__name__
    try:
        message = str(error)
    except Exception:
        message = ""
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
