"""The film's eyes on a loop: they see what becomes ready, and who made it so.

`Hooks` sets attributes on a loop of asyncio or uvloop; `Queue` takes the place of the ready queue
of the course's loop. Both tell the `Recorder`, and both can be taken off again.
"""

import inspect
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from .film import AGAIN, IO, OUTSIDE, TIMER, Cause, Scene
from .loops import ready_queue

# -- asyncio and uvloop: attributes on the loop ---------------------------------------------------


class Hooks:
    """Five attributes on a loop instance, that note and call what the class has."""

    def __init__(self, recorder: Any) -> None:
        self._recorder, self._loop = recorder, recorder.loop
        self._timers: list[tuple[float, Any, str]] = []
        self._originals: dict[str, Any] = {}
        for name in ("create_task", "call_soon", "call_soon_threadsafe", "call_at", "call_later"):
            self._originals[name] = getattr(self._loop, name)
            setattr(self._loop, name, getattr(self, name))
        if recorder.main is not None:
            self._originals["call_soon"](self._first_pause)

    def _first_pause(self) -> None:
        if self._recorder.main is not None:
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
        return made_by_caller(self._originals["call_soon"](callback, *args, context=context))

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
        callback = self._seen(callback, args)
        handle = self._originals["call_soon_threadsafe"](callback, *args, context=context)
        return made_by_caller(handle)

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
        if recorder.closed or type(callback) is Inheriting:
            return callback
        index = recorder.stepped_by(callback)
        if recorder.main is not None:
            recorder.look_after_main()
        if index is not None:
            recorder.note("ready", index, self._cause(args, index))
            return (
                MainStep(recorder, callback)
                if index == 0 and recorder.main is not None
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
            return AGAIN if index in recorder.started else OUTSIDE
        if index is not None and _is_cancelled(first):  # asked for before it could wait
            return AGAIN
        return IO if index is not None or args else OUTSIDE

    def _wrapped(self, callback: Any, cause: Cause) -> Any:
        recorder = self._recorder
        plain = callable(callback) and not inspect.iscoroutinefunction(callback)
        return Inheriting(recorder, callback, cause) if plain and recorder.in_scope() else callback

    def _timed(self, callback: Any) -> Any:
        recorder = self._recorder
        if recorder.closed or type(callback) is Inheriting:
            return callback
        setter = recorder.running[-1] if recorder.running else None
        return self._wrapped(callback, Cause("timer", setter))

    def _set(self, handle: Any, callback: Any, when: float | None) -> Any:
        recorder = self._recorder
        made_by_caller(handle)
        if recorder.details and not recorder.closed and type(callback) is Inheriting:
            if when is None and hasattr(self._loop, "_run_once"):
                return handle  # asyncio's call_later goes through call_at: seen already
            label = _timer_name(callback)
            self._timers.append((handle.when() - recorder.zero, handle, label))
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
        if isinstance(callback, MainStep):
            return "\0000\0"
        index = self._recorder.stepped_by(callback)
        return _callback_name(callback) if index is None else f"\0{index}\0"

    def _recorder_ready(self) -> Iterable[int]:
        queue: dict[int, None] = {}
        for _, kind, index, _, _ in self._recorder.raw:
            if kind == "ready":
                queue[index] = None
            elif kind == "run":
                queue.pop(index, None)
        return queue


class Inheriting:
    """A plain callback that, while it runs, stands for whoever caused it."""

    __slots__ = ("__weakref__", "__wrapped__", "_cause", "_recorder")

    def __init__(self, recorder: Any, callback: Callable, cause: Cause) -> None:
        self.__wrapped__, self._recorder, self._cause = callback, recorder, cause

    def __call__(self, *args: Any) -> Any:
        recorder = self._recorder
        outer = recorder.inherited
        if not recorder.closed:
            recorder.inherited = self._cause
            recorder.note("call", -1, self._cause, _callback_name(self.__wrapped__))
        try:
            return self.__wrapped__(*args)
        except BaseException as error:
            error.__traceback__ = error.__traceback__.tb_next
            raise
        finally:
            if not recorder.closed:
                recorder.inherited = outer
                recorder.note("return", -1)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


class MainStep:
    """A step of the task that was running already when the film began: it has no proxy."""

    __slots__ = ("__wrapped__", "_recorder")

    def __init__(self, recorder: Any, callback: Callable) -> None:
        self.__wrapped__, self._recorder = callback, recorder

    def __call__(self, *args: Any) -> None:
        recorder, main = self._recorder, self._recorder.main
        if not recorder.closed:
            recorder.begun(0)
        self.__wrapped__(*args)
        if not recorder.closed:  # else the step left the `with` block
            recorder.paused(0, main.get_coro())

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


# -- the course's loop: a ready queue that takes notes --------------------------------------------


class NotingQueue(deque):
    """A ready queue that tells `Queue` what goes in and out."""

    eye: "Queue"
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


class Queue:
    """Watches the ready queue of the course's loop."""

    def __init__(self, recorder: Any) -> None:
        self._recorder, self._loop = recorder, recorder.loop
        self._causes: dict[int, Cause] = {}  # of the handles that are in the queue, by id
        self._calls = False  # whether that is a plain callback
        self._main_runs = recorder.main is not None
        self._current = recorder.main  # what runs now
        self._original = self._loop._ready
        self._create_task = self._loop.create_task
        self._threadsafe = self._loop.call_soon_threadsafe
        queue = NotingQueue()
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
            callback = Inheriting(recorder, callback, cause)
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
        if current is None:
            if hasattr(type(item), "_scheduled"):
                return TIMER
            return IO if self._loop.is_running() else OUTSIDE
        if item is current:
            return AGAIN
        index = self._index(current)
        return IO if index is None else Cause("task", index)

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
        if index == 0 and recorder.main is not None:
            self._main_runs = True
            recorder.begun(0)
        elif index is None:
            cause = self._causes.pop(id(item), None)
            recorder.inherited = cause or IO
            callback = getattr(item, "_callback", None)
            if cause and callback is not None:
                self._calls = True
                recorder.note("call", -1, cause, _callback_name(callback))

    def idle(self) -> None:
        """What ran has ended."""
        recorder = self._recorder
        if self._current is None or threading.get_ident() != recorder.thread:
            return
        self._current = recorder.inherited = None
        if self._calls:
            self._calls = False
            recorder.note("return", -1)
        if self._main_runs and recorder.running == [0] and not recorder.closed:
            self._main_runs = False
            recorder.paused(0, recorder.main.get_coro())

    def scene(self) -> Scene:
        ready = tuple(self._label(item) for item in list(deque.__iter__(self._queue)))
        began = self._recorder.zero
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
        name = self._recorder.labels.of(item)
        return f"{name} of {', '.join(sleepers)}" if sleepers else name


# -- words ----------------------------------------------------------------------------------------


def _callback_name(callback: Any) -> str:
    callback = getattr(callback, "__wrapped__", callback)
    return getattr(callback, "__qualname__", None) or type(callback).__name__


def _timer_name(callback: Inheriting) -> str:
    name, setter = _callback_name(callback), callback._cause.task
    return f"sleep of \0{setter}\0" if setter is not None and "unless_cancelled" in name else name


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


def made_by_caller(thing: Any, lines: int = 1) -> Any:
    """Take our lines off what debug mode tells of where a handle or a task was made."""
    if made_at := getattr(thing, "_source_traceback", None):
        del made_at[-lines:]
    return thing
