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
import inspect
import re
import threading
import time
import weakref
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from types import ModuleType
from typing import Any

from .film import AGAIN, IO, OUTSIDE, THREAD, TIMER, Cause, Event, Film, FilmedTask, Scene
from .frames import Labels, Site, awaited_by, chain, frame_of, view
from .loops import (
    current_task,
    is_ours,
    loop_factory,
    name_of_loop,
    ready_queue,
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
        self._details, self._limit, self._scoped = details, limit, scoped
        self._code, self._first_name = code, name
        self._tasks: list[_Known] = []
        self._raw: list[tuple] = []  # (time, kind, task, cause, text or (site, values))
        self._extras: dict[int, tuple] = {}  # with details: number of the event: (frames, scene)
        self._running: list[int] = []  # tasks in a step, the innermost last
        self._inherited: Cause | None = None  # of the plain callback that is running
        self._sites: dict[tuple[int, int], Site] = {}
        self._labels = Labels(self._name_now)
        # uvloop reads its clock once in a turn, in milliseconds: too coarse to see a step.
        self._time = time.monotonic if self.film.loop == "uvloop" else loop.time
        self._zero = 0.0
        self._main: Any = None  # the running task, if it is filmed without a proxy
        self._eye: Any = None

    # -- start and stop -------------------------------------------------------------------------

    def start(self) -> "Recorder":
        """Begin to film; from a running task of the loop if `scoped`."""
        if getattr(self.loop, "_filmed_by", None) is not None:
            raise RuntimeError(
                "this loop is being filmed already: end the outer timeline() or %%timeline first"
            )
        self.loop._filmed_by = self
        self._thread = threading.get_ident()
        self._zero = self._time()  # later by what we take of the program's time
        self.closed = False
        if self._scoped:
            self._token = _scope.set(self)
            self._film_current_task()
        self._eye = _Queue(self) if is_ours(self.loop) else _Hooks(self)
        return self

    def stop(self, error: BaseException | None = None) -> Film:
        """End the film, take everything off the loop, and return the film."""
        if not self.closed:
            if self._main is not None:
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
        while self._raw and self._raw[-1][1] in ("call", "return"):
            self._raw.pop()  # how the loop stops is not the program's
        raw = self._raw[: self._limit]
        self.film.tasks = self._names()
        self.film.events = [self._event(number, *noted) for number, noted in enumerate(raw)]
        self.film.duration = self.film.events[-1].time if raw else 0.0
        self._raw, self._extras, self._sites, self._main = [], {}, {}, None

    def _film_current_task(self) -> None:
        task = current_task(self.loop)
        if task is None:
            return
        self._main = task
        self._tasks.append(_Known(task, None, "main" if self._code else None))
        self.note("create", 0, OUTSIDE)
        self.begun(0)

    # -- what is noted --------------------------------------------------------------------------

    def now(self) -> float:
        """Return the seconds since the film began, without what we took of them."""
        return self._time() - self._zero

    def note(
        self, kind: str, index: int, cause: Cause | None = None, what: Any = None, coro: Any = None
    ) -> None:
        """Add one event; `coro` is what the task pauses in."""
        if self._details:
            self._extras[len(self._raw)] = (self._frames(coro), self._scene())
        self._raw.append((self._time() - self._zero, kind, index, cause, what))

    def begun(self, index: int) -> None:
        """A step of a task begins."""
        if len(self._raw) >= self._limit:
            self.film.truncated = True
            self._close()
            return
        if self._main is not None:
            self.look_after_main()
        self._running.append(index)
        self.note("run", index)

    def paused(self, index: int, coro: Any) -> None:
        """A step ends at an await."""
        if self._running:
            self._running.pop()
        self.note("wait", index, None, self._look(coro), coro)

    def ended(self, index: int, error: BaseException) -> None:
        """The last step of a task ends, with StopIteration or another exception."""
        if self._running:
            self._running.pop()
        kind = "failed"
        if isinstance(error, StopIteration):
            kind = "done"
        elif any(cls.__name__ == "CancelledError" for cls in type(error).__mro__):
            kind = "cancelled"
        self.note(kind, index, None, _error_text(error) if kind == "failed" else None)
        self._tasks[index].look_at_name()

    def look_after_main(self) -> None:
        """Note that the task which began the film has paused: nothing else tells, at first."""
        if self._running == [0] and not self.closed and not self._main.get_coro().cr_running:
            self.paused(0, self._main.get_coro())

    def has_begun(self, index: int) -> bool:
        """Say whether a task has taken a step."""
        return any(kind == "run" and task == index for _, kind, task, *_ in reversed(self._raw))

    def who(self) -> Cause | None:
        """Return who is at work now: the running step, another thread, or the running callback."""
        if threading.get_ident() != self._thread:
            return THREAD
        if self._running:
            return Cause("task", self._running[-1])
        return self._inherited

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
        known = _Known(None, self._running[-1] if self._running else None, _coro_name(coro))
        self._tasks.append(known)
        if index == 0 and self._first_name and options.get("name") is None:
            options["name"] = self._first_name
        self.note("create", index, self.who() or OUTSIDE)
        task = original(_Filmed(coro, self, index), **options)
        known.see(task)
        return _made_by_caller(task, 2)

    def index_of(self, obj: Any) -> int | None:
        """Return the index of a filmed task, None for anything else."""
        if obj is self._main and obj is not None:
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
            self._zero += time.perf_counter() - started
        return site

    def _own_frame(self, coro: Any) -> Any:
        """Return the outermost frame, or in a cell the one that runs the cell's code."""
        if self._main is None or self._main.get_coro() is not coro:
            return getattr(coro, "cr_frame", None) or frame_of(coro)
        for link in chain(coro):
            frame = frame_of(link)
            if frame is not None and frame.f_code is self._code:
                return frame
        return frame_of(coro)

    def _frames(self, coro: Any) -> tuple:
        try:
            frames = [frame for link in chain(coro) if (frame := frame_of(link)) is not None]
            start = next((i for i, frame in enumerate(frames) if frame.f_code is self._code), 0)
            return tuple(view(frame, self._labels) for frame in frames[start:])
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
        at = max(at - self._raw[0][0], 0.0)
        frames = tuple(map(self._named_frame, frames))
        text = self._named(what) if what else ""
        return Event(at, kind, index, cause, text, frames, scene and self._named_scene(scene))

    def _named_scene(self, scene: Scene) -> Scene:
        zero = self._raw[0][0]
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
        return self._paused(awaited)

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
        return self._paused(awaited)

    def _over(self, error: BaseException) -> None:
        error.__traceback__ = error.__traceback__.tb_next
        if not self._recorder.closed:
            self._recorder.ended(self._index, error)

    def _paused(self, awaited: Any) -> Any:
        if not self._recorder.closed:
            self._recorder.paused(self._index, self._coro)
        return awaited

    def close(self) -> None:
        """Close the coroutine."""
        self._coro.close()

    def __await__(self) -> Iterator:
        return self._coro.__await__()

    def __getattr__(self, name: str) -> Any:  # cr_frame, cr_await, gi_frame, __name__, ...
        return getattr(self._coro, name)

    def __repr__(self) -> str:
        return repr(self._coro)


# -- asyncio and uvloop: attributes on the loop ---------------------------------------------------


class _Hooks:
    """Five attributes on a loop instance, that note and call what the class has."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder, self._loop = recorder, recorder.loop
        self._timers: list[tuple[float, Any, str]] = []
        self._queue: list[str] = []
        self._originals: dict[str, Any] = {}
        for name in ("create_task", "call_soon", "call_soon_threadsafe", "call_at", "call_later"):
            self._originals[name] = getattr(self._loop, name)
            setattr(self._loop, name, getattr(self, name))
        if recorder._main is not None:
            self._originals["call_soon"](self._first_pause)

    def _first_pause(self) -> None:
        if self._recorder._main is not None:
            self._recorder.look_after_main()

    def remove(self) -> None:
        for name in self._originals:
            vars(self._loop).pop(name, None)

    def create_task(self, coro: Any, **options: Any) -> Any:
        original = self._originals["create_task"]
        if not self._recorder.wants(coro):
            return original(coro, **options)
        return self._recorder.create(original, coro, options)

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> Any:
        callback = self._seen(callback, args)
        return _made_by_caller(self._originals["call_soon"](callback, *args, context=context))

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
        callback = self._seen(callback, args)
        handle = self._originals["call_soon_threadsafe"](callback, *args, context=context)
        return _made_by_caller(handle)

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        callback = self._timed(callback)
        handle = self._originals["call_at"](when, callback, *args, context=context)
        return self._set(handle, callback, when)

    def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
        callback = self._timed(callback)
        handle = self._originals["call_later"](delay, callback, *args, context=context)
        return self._set(handle, callback, None)

    def _seen(self, callback: Any, args: tuple) -> Any:
        """Note who is made ready, and by whom; wrap a plain callback, so that it hands that on."""
        recorder = self._recorder
        if recorder.closed or type(callback) is _Inheriting:
            return callback
        index = recorder.stepped_by(callback)
        if recorder._main is not None:
            recorder.look_after_main()
        if index is not None:
            recorder.note("ready", index, self._cause(args, index))
            return (
                _MainStep(recorder, callback)
                if index == 0 and recorder._main is not None
                else callback
            )
        return self._wrapped(callback, self._cause(args, None))

    def _cause(self, args: tuple, index: int | None) -> Cause:
        recorder = self._recorder
        cause = recorder.who()
        if cause is not None:
            return cause
        first = args[0] if args else None
        if first is not None and (finished := recorder.index_of(first)) is not None:
            return Cause("task", finished)
        if index is not None and not args:  # a start, or a bare yield
            return AGAIN if recorder.has_begun(index) else OUTSIDE
        if index is not None and _is_cancelled(first):  # asked for before it could wait
            return AGAIN
        return IO if index is not None or args else OUTSIDE

    def _wrapped(self, callback: Any, cause: Cause) -> Any:
        recorder = self._recorder
        plain = callable(callback) and not inspect.iscoroutinefunction(callback)
        return _Inheriting(recorder, callback, cause) if plain and recorder.in_scope() else callback

    def _timed(self, callback: Any) -> Any:
        recorder = self._recorder
        if recorder.closed or type(callback) is _Inheriting:
            return callback
        setter = recorder._running[-1] if recorder._running else None
        return self._wrapped(callback, Cause("timer", setter))

    def _set(self, handle: Any, callback: Any, when: float | None) -> Any:
        recorder = self._recorder
        _made_by_caller(handle)
        if recorder._details and not recorder.closed and type(callback) is _Inheriting:
            if when is None and hasattr(self._loop, "_run_once"):
                return handle  # asyncio's call_later goes through call_at: seen already
            label = _timer_name(callback)
            self._timers.append((handle.when() - recorder._zero, handle, label))
            recorder.note("timer", -1, callback._cause, label)
        return handle

    def scene(self) -> Scene:
        ready = ready_queue(self._loop)
        if ready is None:
            labels = tuple(f"\0{index}\0" for index in self._recorder_ready())
        else:
            labels = tuple(self._label(handle) for handle in ready if not handle._cancelled)
        now = self._recorder.now()
        self._timers = [t for t in self._timers if not t[1].cancelled() and t[0] > now]
        timers = tuple((when, label) for when, _, label in sorted(self._timers, key=lambda t: t[0]))
        return Scene(labels, timers, _selector_of(self._loop))

    def _label(self, handle: Any) -> str:
        callback = handle._callback
        if isinstance(callback, _MainStep):
            return "\0000\0"
        index = self._recorder.stepped_by(callback)
        return _callback_name(callback) if index is None else f"\0{index}\0"

    def _recorder_ready(self) -> Iterable[int]:
        queue: dict[int, None] = {}
        for _, kind, index, _, _ in self._recorder._raw:
            if kind == "ready":
                queue[index] = None
            elif kind == "run":
                queue.pop(index, None)
        return queue


def _made_by_caller(thing: Any, lines: int = 1) -> Any:
    """Take our lines off what debug mode tells of where a handle or a task was made."""
    if made_at := getattr(thing, "_source_traceback", None):
        del made_at[-lines:]
    return thing


class _Inheriting:
    """A plain callback that, while it runs, stands for whoever caused it."""

    __slots__ = ("__weakref__", "__wrapped__", "_cause", "_recorder")

    def __init__(self, recorder: Recorder, callback: Callable, cause: Cause) -> None:
        self.__wrapped__, self._recorder, self._cause = callback, recorder, cause

    def __call__(self, *args: Any) -> Any:
        recorder = self._recorder
        outer = recorder._inherited
        if not recorder.closed:
            recorder._inherited = self._cause
            recorder.note("call", -1, self._cause, _callback_name(self.__wrapped__))
        try:
            return self.__wrapped__(*args)
        except BaseException as error:
            error.__traceback__ = error.__traceback__.tb_next
            raise
        finally:
            if not recorder.closed:
                recorder._inherited = outer
                recorder.note("return", -1)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


class _MainStep:
    """A step of the task that was running already when the film began: it has no proxy."""

    __slots__ = ("__wrapped__", "_recorder")

    def __init__(self, recorder: Recorder, callback: Callable) -> None:
        self.__wrapped__, self._recorder = callback, recorder

    def __call__(self, *args: Any) -> None:
        recorder, main = self._recorder, self._recorder._main
        if not recorder.closed:
            recorder.begun(0)
        self.__wrapped__(*args)
        if not recorder.closed:  # else the step left the `with` block
            recorder.paused(0, main.get_coro())

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


# -- the course's loop: a ready queue that takes notes --------------------------------------------


class _NotingQueue(deque):
    """A ready queue that tells `_Queue` what goes in and out."""

    eye: "_Queue"
    check: Callable | None = None

    def append(self, item: Any) -> None:
        """Note one thing that became ready."""
        if self.check is not None:
            self.check()
        self.eye.entered(item)
        super().append(item)

    def extend(self, items: Iterable) -> None:
        """Note many."""
        items = list(items)
        if self.check is not None:
            self.check()
        for item in items:
            self.eye.entered(item)
        super().extend(items)

    def popleft(self) -> Any:
        """Note what runs now."""
        item = super().popleft()
        self.eye.runs(item)
        return item

    def __len__(self) -> int:
        self.eye.idle()
        return super().__len__()

    def __bool__(self) -> bool:
        return len(self) > 0


class _Queue:
    """Watches the ready queue of the course's loop."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder, self._loop = recorder, recorder.loop
        self._causes: dict[int, Cause] = {}  # of the handles that are in the queue, by id
        self._calls = False  # whether that is a plain callback
        self._main_runs = recorder._main is not None
        self._current = recorder._main  # what runs now
        self._original = self._loop._ready
        self._create_task = self._loop.create_task
        self._threadsafe = self._loop.call_soon_threadsafe
        queue = _NotingQueue()
        queue.eye = self
        deque.extend(queue, self._original)
        queue.check = getattr(self._original, "_check", None)
        self._queue = self._loop._ready = queue
        self._loop.create_task = self.create_task
        self._loop.call_soon_threadsafe = self.call_soon_threadsafe

    def remove(self) -> None:
        vars(self._loop).pop("create_task", None)
        vars(self._loop).pop("call_soon_threadsafe", None)
        if self._loop._ready is self._queue:
            self._original.clear()
            deque.extend(self._original, self._queue)
            self._loop._ready = self._original
        self._current = None

    def create_task(self, coro: Any, **options: Any) -> Any:
        if not self._recorder.wants(coro):
            return self._create_task(coro, **options)
        return self._recorder.create(self._create_task, coro, options)

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
        """Strangers come in past the queue's own `append`: let the callback say who called."""
        recorder = self._recorder
        cause = recorder.who() or OUTSIDE
        if not recorder.closed and callable(callback) and recorder.stepped_by(callback) is None:
            callback = _Inheriting(recorder, callback, cause)
        return self._threadsafe(callback, *args, context=context)

    def entered(self, item: Any) -> None:
        """Something became ready."""
        recorder = self._recorder
        if recorder.closed:
            return
        cause = self._cause(item)
        index = self._index(item)
        if index is not None:
            recorder.note("ready", index, cause)
        elif recorder.in_scope():
            self._causes[id(item)] = cause

    def _cause(self, item: Any) -> Cause:
        cause = self._recorder.who()
        if cause is not None:
            return cause
        current = self._current
        if hasattr(type(item), "_scheduled") and current is None:
            return TIMER
        if current is None:
            return OUTSIDE if not self._loop.is_running() else IO
        index = self._index(current)
        if index is None:
            return IO
        return AGAIN if item is current else Cause("task", index)

    def _index(self, item: Any) -> int | None:
        recorder = self._recorder
        index = recorder.index_of(item)
        if index is None and (callback := getattr(item, "_callback", None)) is not None:
            index = recorder.stepped_by(callback)
        return index

    def runs(self, item: Any) -> None:
        """The loop took something out of the queue, and runs it."""
        self.idle()
        recorder = self._recorder
        if recorder.closed:
            return
        self._current = item
        index = self._index(item)
        if index == 0 and recorder._main is not None:
            self._main_runs = True
            recorder.begun(0)
        elif index is None:
            cause = self._causes.pop(id(item), None)
            recorder._inherited = cause or IO
            callback = getattr(item, "_callback", None)
            if cause and callback is not None:
                self._calls = True
                recorder.note("call", -1, cause, _callback_name(callback))

    def idle(self) -> None:
        """What ran has ended."""
        recorder = self._recorder
        if self._current is None or threading.get_ident() != recorder._thread:
            return
        self._current = recorder._inherited = None
        if self._calls:
            self._calls = False
            recorder.note("return", -1)
        if self._main_runs and recorder._running == [0] and not recorder.closed:
            self._main_runs = False
            recorder.paused(0, recorder._main.get_coro())

    def scene(self) -> Scene:
        ready = tuple(self._label(item) for item in list(deque.__iter__(self._queue)))
        began = self._recorder._zero
        entries = sorted(
            (e for e in self._loop._scheduled if not e[1]._cancelled), key=lambda e: e[0]
        )
        timers = tuple((when - began, self._label(item)) for when, item in entries)
        return Scene(ready, timers, _selector_of(self._loop))

    def _label(self, item: Any) -> str:
        index = self._index(item)
        if index is not None:
            return f"\0{index}\0"
        callback = getattr(item, "_callback", None)
        if callback is not None:
            return _callback_name(callback)
        sleepers = [self._label(waiter) for waiter in getattr(item, "_callbacks", ())]
        name = self._recorder._labels.of(item)
        return f"{name} of {', '.join(sleepers)}" if sleepers else name


# -- a program, from its start to its end ---------------------------------------------------------


def record(
    main: Coroutine,
    *,
    loop: str | ModuleType | Callable[[], Any] = "lessons",
    virtual: bool = False,
    details: bool = False,
    limit: int = LIMIT,
    check: bool = True,
    name: str | None = None,
) -> Film:
    """Run a coroutine on a loop of its own and return the film of it.

    loop: "lessons", "asyncio", "uvloop", a package such as `my_asyncio`, or a function that returns
    an asyncio loop; virtual: time jumps to the next timer; details: keep frames, locals and queues
    at each step; limit: events; check: raise what the program raises (else it stands in
    `film.error`). Where a loop runs already, as in a notebook, asyncio's and uvloop's run in a
    thread of their own.
    """
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
        recorders.append(Recorder(made, details=details, limit=limit, name=name).start())
        return made

    result, error = run_on(main, filmed_loop, loop)
    film = recorders[0].stop() if recorders else Film()
    film.result, film.error = result, error
    if error is not None and (check or not isinstance(error, Exception)):
        raise error
    return film


# -- words ----------------------------------------------------------------------------------------


def _coro_name(coro: Any) -> str:
    name = getattr(coro, "__name__", type(coro).__name__)
    return "main" if name.startswith("<") else name


def _callback_name(callback: Any) -> str:
    callback = getattr(callback, "__wrapped__", callback)
    return getattr(callback, "__qualname__", None) or type(callback).__name__


def _timer_name(callback: _Inheriting) -> str:
    name, setter = _callback_name(callback), callback._cause.task
    return f"sleep of \0{setter}\0" if setter is not None and "unless_cancelled" in name else name


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


def _is_cancelled(future: Any) -> bool:
    try:
        return bool(future.cancelled())
    except Exception:
        return False


def _selector_of(loop: Any) -> tuple[str, ...] | None:
    selector = getattr(loop, "_selector", None)
    if selector is None or (mapping := selector.get_map()) is None:
        return None
    words = {1: "readable", 2: "writable", 3: "readable or writable"}
    own = getattr(loop, "_ssock", None)
    keys = sorted((key for key in mapping.values() if key.fileobj is not own), key=lambda k: k.fd)
    return tuple(f"fd {key.fd} {words.get(key.events, '')}".strip() for key in keys)
