"""Film a program without changing it: on the course's loop, on asyncio, on uvloop.

Around each coroutine that becomes a task stands a proxy (`_Filmed`): its `send` and `throw` note
when a step begins and what it waits for at its end. What is ready, and who made it so, is seen

- on asyncio and uvloop by attributes set on the loop *instance*: `create_task`, `call_soon`,
  `call_soon_threadsafe`, `call_at`, `call_later`;
- on the course's loop, where waking a task is an ``append`` to the ready queue, by a queue that
  takes notes, in the place of ``loop._ready``.

All of it is taken away at the end. Who woke a task: the task whose step is running; else what the
plain callback that is running inherited from whoever scheduled it; else a timer, another thread,
or I/O. What is noted at each switch is a small tuple; `film` says what becomes of it.
"""

import contextlib
import contextvars
import re
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from types import ModuleType
from typing import Any

from .eyes import Hooks, Queue, made_by_caller
from .film import OUTSIDE, THREAD, Cause, Event, Film, FilmedTask, Scene
from .frames import Labels, Site, awaited_by, chain, frame_of, view
from .loops import (
    current_task,
    is_ours,
    loop_factory,
    name_of_loop,
    run_on,
    virtual_clock,
)

LIMIT = 20_000  # events; a film of more is of no use to the eye

_scope: contextvars.ContextVar = contextvars.ContextVar("film of this cell", default=None)
_DEFAULT_NAME = re.compile(r"Task-\d+")
_SHUTDOWN = ("shutdown_asyncgens", "shutdown_default_executor")  # the film ends before these


class Recorder:
    """Films what happens on `loop` between `start` and `stop`.

    details: note the frames with their locals, and the loop's queues, at each step (slower);
    limit: events after which the recording stops; scoped: film only tasks created from here, in
    this context, and the running task itself, whose own frame is the one that runs `code`;
    name: what the first task is called if the program does not name it.
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
        self.raw: list[tuple] = []  # (time, kind, task, cause, text or (site, values))
        self._extras: dict[int, tuple] = {}  # with details: number of the event: (frames, scene)
        self.running: list[int] = []  # tasks in a step, the innermost last
        self.started: set[int] = set()  # tasks that have taken a step
        self.inherited: Cause | None = None  # of the plain callback that is running
        self._sites: dict[tuple[int, int], Site] = {}
        self.labels = Labels(self._name_now)
        # uvloop reads its clock once in a turn, in milliseconds: too coarse to see a step.
        self._time = time.monotonic if self.film.loop == "uvloop" else loop.time
        self.zero = 0.0
        self.main: Any = None  # the running task, if it is filmed without a proxy
        self._eye: Any = None

    # -- start and stop -------------------------------------------------------------------------

    def start(self) -> "Recorder":
        """Begin to film; from a running task of the loop if `scoped`."""
        if getattr(self.loop, "_filmed_by", None) is not None:
            raise RuntimeError(
                "this loop is being filmed already: end the outer timeline() or %%timeline first"
            )
        self.loop._filmed_by = self
        self.thread = threading.get_ident()
        self.zero = self._time()  # later by what we take of the program's time
        self.closed = False
        if self._scoped:
            self._token = _scope.set(self)
            self._film_current_task()
        self._eye = Queue(self) if is_ours(self.loop) else Hooks(self)
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
        self.closed = True
        self._eye.remove()
        del self.loop._filmed_by
        while self.raw and self.raw[-1][1] in ("call", "return"):
            self.raw.pop()  # how the loop stops is not the program's
        raw = self.raw[: self._limit]
        self.film.tasks = self._names()
        self.film.events = [self._event(number, *noted) for number, noted in enumerate(raw)]
        self.film.duration = self.film.events[-1].time if raw else 0.0
        self.raw, self._extras, self._sites, self.main = [], {}, {}, None

    def _film_current_task(self) -> None:
        task = current_task(self.loop)
        if task is None:
            return
        self.main = task
        self._tasks.append(_Known(task, None, "main" if self._code else None))
        self.note("create", 0, OUTSIDE)
        self.begun(0)

    # -- what is noted --------------------------------------------------------------------------

    def now(self) -> float:
        """Return the seconds since the film began, without what we took of them."""
        return self._time() - self.zero

    def note(
        self, kind: str, index: int, cause: Cause | None = None, what: Any = None, coro: Any = None
    ) -> None:
        """Add one event; `coro` is what the task pauses in."""
        if self.details:
            self._extras[len(self.raw)] = (self._frames(coro), self._scene())
        self.raw.append((self._time() - self.zero, kind, index, cause, what))

    def begun(self, index: int) -> None:
        """A step of a task begins."""
        if len(self.raw) >= self._limit:
            self.film.truncated = True
            self._close()
            return
        if self.main is not None:
            self.look_after_main()
        self.running.append(index)
        self.started.add(index)
        self.note("run", index)

    def paused(self, index: int, coro: Any) -> None:
        """A step ends at an await."""
        if self.running:
            self.running.pop()
        self.note("wait", index, None, self._look(coro), coro)

    def ended(self, index: int, error: BaseException) -> None:
        """The last step of a task ends, with StopIteration or another exception."""
        if self.running:
            self.running.pop()
        kind = "failed"
        if isinstance(error, StopIteration):
            kind = "done"
        elif any(cls.__name__ == "CancelledError" for cls in type(error).__mro__):
            kind = "cancelled"
        self.note(kind, index, None, _error_text(error) if kind == "failed" else None)
        self._tasks[index].look_at_name()

    def look_after_main(self) -> None:
        """Note that the task which began the film has paused: nothing else tells, at first."""
        if self.running == [0] and not self.closed and not self.main.get_coro().cr_running:
            self.paused(0, self.main.get_coro())

    def who(self) -> Cause | None:
        """Return who is at work now: the running step, another thread, or the running callback."""
        if threading.get_ident() != self.thread:
            return THREAD
        if self.running:
            return Cause("task", self.running[-1])
        return self.inherited

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
        self._tasks.append(known)
        if index == 0 and self._first_name and options.get("name") is None:
            options["name"] = self._first_name
        self.note("create", index, self.who() or OUTSIDE)
        task = original(_Filmed(coro, self, index), **options)
        known.see(task)
        return made_by_caller(task, 2)

    def index_of(self, obj: Any) -> int | None:
        """Return the index of a filmed task, None for anything else."""
        if obj is self.main and obj is not None:
            return 0
        get_coro = getattr(obj, "get_coro", None)
        if get_coro is None:
            return None
        coro = get_coro()
        return coro._index if type(coro) is _Filmed and coro._recorder is self else None

    def stepped_by(self, callback: Any) -> int | None:
        """Return the index of the task that `callback` makes a step of; None if it does not."""
        index = self.index_of(getattr(callback, "__self__", None))
        if index is None:
            return None
        name = getattr(callback, "__name__", "_")  # not `task.cancel`
        return index if name.startswith(("_", "task_wakeup")) else None

    # -- looking at a paused task ---------------------------------------------------------------

    def _look(self, coro: Any) -> Any:
        """Return what `coro` awaits: (its site, the values there), or a text, or None."""
        try:
            frame = getattr(coro, "cr_frame", None)
            if frame is None or self.main is not None:
                frame = self._own_frame(coro)
            if frame is None:
                return _fallback(coro)
            site = self._sites.get((id(frame.f_code), frame.f_lasti)) or self._new_site(frame)
            if not site.known:
                return _fallback(coro)
            return site, site.read(frame, self.index_of) if site.names else ()
        except Exception:  # looking must never reach the user's task
            return None

    def _new_site(self, frame: Any) -> Site:
        """Find an await in the source, once; the film leaves out the time that takes."""
        started = time.perf_counter()
        site = Site(frame)
        self._sites[id(frame.f_code), frame.f_lasti] = site
        if not self.film.virtual:
            self.zero += time.perf_counter() - started
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

    def _frames(self, coro: Any) -> tuple:
        try:
            frames = [frame for link in chain(coro) if (frame := frame_of(link)) is not None]
            start = next((i for i, frame in enumerate(frames) if frame.f_code is self._code), 0)
            return tuple(view(frame, self.labels) for frame in frames[start:])
        except Exception:
            return ()

    def _scene(self) -> Scene | None:
        try:
            return self._eye.scene() if self._eye else None
        except Exception:
            return None

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

    def _event(self, number: int, at: float, kind: str, index: int, cause: Any, what: Any) -> Event:
        frames, scene = self._extras.get(number, ((), None))
        if isinstance(what, tuple):
            what = what[0].text(what[1], self._task_name)
        at = max(at - self.raw[0][0], 0.0)
        frames = tuple(map(self._named_frame, frames))
        text = self._named(what) if what else ""
        return Event(at, kind, index, cause, text, frames, scene and self._named_scene(scene))

    def _named_scene(self, scene: Scene) -> Scene:
        zero = self.raw[0][0]
        timers = tuple((when - zero, self._named(label)) for when, label in scene.timers)
        return scene._replace(ready=tuple(map(self._named, scene.ready)), timers=timers)

    def _task_name(self, index: int) -> str:
        return self.film.tasks[index].name

    def _named(self, text: str) -> str:
        return re.sub("\0(\\d+)\0", lambda found: self._task_name(int(found[1])), text)

    def _named_frame(self, frame: Any) -> Any:
        held = tuple((name, self._named(value)) for name, value in frame.locals)
        return frame._replace(locals=held)


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

    __slots__ = ("__weakref__", "_coro", "_index", "_recorder", "_send", "_throw")

    def __init__(self, coro: Any, recorder: Recorder, index: int) -> None:
        self._coro, self._recorder, self._index = coro, recorder, index
        self._send, self._throw = coro.send, coro.throw

    # A bare `raise` adds no line to the traceback, and ours is taken off before: it begins in the
    # user's code, as without us. So the same lines stand in `send` and in `throw`.

    def send(self, value: Any) -> Any:
        """Take one step."""
        recorder = self._recorder
        try:
            if recorder.closed:
                return self._send(value)
            recorder.begun(self._index)
            awaited = self._send(value)
        except BaseException as error:
            self._over(error)
            raise
        if not recorder.closed:
            recorder.paused(self._index, self._coro)
        return awaited

    def throw(self, *what: Any) -> Any:
        """Take one step with an exception."""
        recorder = self._recorder
        try:
            if recorder.closed:
                return self._throw(*what)
            recorder.begun(self._index)
            awaited = self._throw(*what)
        except BaseException as error:
            self._over(error)
            raise
        if not recorder.closed:
            recorder.paused(self._index, self._coro)
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


# -- words ----------------------------------------------------------------------------------------


def _coro_name(coro: Any) -> str:
    name = getattr(coro, "__name__", type(coro).__name__)
    return "main" if name.startswith("<") else name


def _fallback(coro: Any) -> str:
    """Return what is awaited when there is no source: the name of what runs inside."""
    inner = awaited_by(coro)
    name = getattr(inner, "__name__", None)
    return f"{name}()" if name else type(inner).__name__ if inner is not None else ""


def _error_text(error: BaseException) -> str:
    try:
        message = str(error)
    except Exception:
        message = ""
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
