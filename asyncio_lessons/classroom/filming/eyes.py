"""The film's eyes on a loop: they see what becomes ready, and who made it so.

`Queue` puts a ready queue that takes notes in the place of the one of our loop or asyncio's.
`Hooks` sets attributes on a loop whose queue is hidden, as uvloop's. Both tell the `Recorder`, and
both can be taken off again.
"""

import inspect
from collections import deque
from collections.abc import Callable, Iterable
from threading import get_ident
from types import BuiltinFunctionType
from typing import Any

from .film import AGAIN, IO, OUTSIDE, THREAD, Cause
from .loops import (
    callback_of,
    cancelled_timers,
    guard_of,
    heap_of,
    is_cancelled,
    is_ours,
    is_timer,
    is_wake_up,
    reads_wake_up,
    ready_queue,
    selector_of,
    set_ready_queue,
    timer_in,
    waker_of,
)
from .snapshots import is_library

# -- uvloop and others that hide their queue: attributes on the loop ------------------------------


class Hooks:
    """Five attributes on a loop instance, that note and call what the class has."""

    sees_selector = False

    def __init__(self, recorder: Any) -> None:
        self._recorder, self._loop = recorder, recorder.loop
        self._originals: dict[str, Any] = {}
        for name in ("create_task", "call_soon", "call_soon_threadsafe", "call_at", "call_later"):
            self._originals[name] = getattr(self._loop, name)
            setattr(self._loop, name, getattr(self, name))
        if recorder.main is not None:
            self._originals["call_soon"](self._main_is_suspended)

    def _main_is_suspended(self) -> None:
        if self._recorder.main is not None:
            self._recorder.look_after_main()

    def remove(self) -> None:
        for name in self._originals:
            vars(self._loop).pop(name, None)

    def look_at_timers(self, setter: int | None, what: Any) -> None:
        """Every timer is noted when it is set."""

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
        return self._set(handle, callback)

    def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
        callback = self._timed(callback)
        handle = self._originals["call_later"](delay, callback, *args, context=context)
        return self._set(handle, callback)

    def _seen(self, callback: Any, args: tuple) -> Any:
        """Note who is made ready, and by whom; wrap a plain callback, so that it hands that on."""
        recorder = self._recorder
        if recorder.closed or type(callback) is Inheriting:
            return callback
        index = recorder.stepped_by(callback)
        if recorder.main is not None:
            recorder.look_after_main()
        if index is not None:
            waker = args[0] if args and recorder.details else None
            recorder.note_ready(index, self._cause(args, index), waker, 3)
            if index == 0 and recorder.main is not None:
                return MainStep(recorder, callback)
            return callback
        wrapped = self._wrapped(callback, self._cause(args, None))
        if recorder.details and type(wrapped) is Inheriting:
            name = callback_name(callback)
            recorder.note("enter", -1, wrapped._cause, name, None, id(wrapped))
        return wrapped

    def _cause(self, args: tuple, index: int | None) -> Cause:
        recorder = self._recorder
        cause = recorder.who()
        if cause is not None:
            return cause
        first = args[0] if args else None
        if first is not None and (finished := recorder.index_of(first)) is not None:
            return Cause("task", finished)
        if index is not None and not args:  # a start, or a bare yield
            return AGAIN if recorder.has_run(index) else OUTSIDE
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

    def _set(self, handle: Any, callback: Any) -> Any:
        recorder = self._recorder
        made_by_caller(handle)
        if type(callback) is not Inheriting or recorder.closed or callback.when is not None:
            return handle
        name = callback_name(callback) if is_program(callback) else ""
        kind, when = "enter", None
        if hasattr(handle, "when"):  # else it is so soon that uvloop sets no timer
            kind, when = "timer", handle.when()
        callback.when = when
        if recorder.details:
            recorder.note(kind, -1, callback._cause, name, when, id(callback))
        return handle


class Inheriting:
    """A plain callback that, while it runs, stands for what caused it.

    When a handle is cancelled it lets go of its callback: this object goes, and so tells.
    """

    __slots__ = ("__weakref__", "__wrapped__", "_cause", "_recorder", "_told", "when")

    def __init__(
        self, recorder: Any, callback: Callable, cause: Cause, announced: bool = True
    ) -> None:
        self.__wrapped__, self._recorder, self._cause = callback, recorder, cause
        self.when: float | None = None  # it is due, if it is a timer's
        self._told = announced

    def __call__(self, *args: Any) -> Any:
        recorder = self._recorder
        outer, due = recorder.inherited, recorder.due
        if not recorder.closed:
            recorder.inherited, recorder.due = self._cause, self.when
            if recorder.details:
                self._enters()
            name = callback_name(self.__wrapped__)
            recorder.note("call", -1, self._cause, name, None, id(self))
            self._told = False
        try:
            return self.__wrapped__(*args)
        except BaseException as error:
            error.__traceback__ = error.__traceback__.tb_next
            raise
        finally:
            if not recorder.closed:
                recorder.inherited, recorder.due = outer, due
                recorder.note("return", -1)

    def _enters(self) -> None:
        if self.when is not None:
            self._recorder.note("due", -1, self._cause, None, self.when, id(self))
        elif not self._told:
            name = callback_name(self.__wrapped__)
            self._recorder.note("enter", -1, self._cause, name, None, id(self))

    def __del__(self) -> None:
        recorder = self._recorder
        if self._told and recorder.details and not recorder.closed:
            recorder.note("drop" if self.when is None else "untimed", -1, value=id(self))

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
            recorder.suspended(0, main.get_coro())

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


# -- our loop and asyncio's: a ready queue that takes notes ----------------------------------------


class NotingQueue(deque):
    """A ready queue that tells `Queue` what goes in, and through its `popleft` what goes out."""

    eye: "Queue"
    entered: Callable  # of the eye
    check: Callable | None = None

    def append(self, item: Any) -> None:
        """Note one thing that became ready."""
        if self.check is not None:
            self.check(item)
        _append(self, item)
        self.entered(item)

    def extend(self, items: Iterable) -> None:
        """Note many."""
        for item in list(items):
            self.append(item)

    def __setitem__(self, place: Any, item: Any) -> None:
        self.eye.reordered = True  # such as by the schedule lab
        self.eye.attend()
        super().__setitem__(place, item)

    def __len__(self) -> int:
        if self.eye.current is not None or self.eye.recorder.ended_last is not None:
            self.eye.idle()
        return _len(self)

    def __bool__(self) -> bool:
        if self.eye.current is not None or self.eye.recorder.ended_last is not None:
            self.eye.idle()
        return _len(self) > 0


_len, _append, _popleft = (
    deque.__len__,
    deque.append,
    deque.popleft,
)  # `super()` takes longer than they do


class Queue:
    """Watches the ready queue of our loop or asyncio's, and its timers."""

    sees_selector = True

    def __init__(self, recorder: Any) -> None:
        self.recorder, self._loop = recorder, recorder.loop
        self.causes: dict[int, Cause] = {}  # of the plain callbacks that are in the queue, by id
        self._calls = False  # whether a plain callback runs now
        self._main_runs = recorder.main is not None
        self.current = recorder.main  # what runs now
        # Frames of ours and of the loop's between `note_ready` and who calls the loop.
        self._up = 3 if is_ours(self._loop) else 5
        self._thorough = recorder.details or recorder.main is not None
        self._task_types: set[type] = set()
        self._timers: dict[int, tuple] = {}  # by id, the pending ones: (when, task that set it)
        self._heap, self._heap_size, self._cancelled = heap_of(self._loop), 0, 0
        self.reordered = False
        self._original = ready_queue(self._loop)
        self._set: list[tuple[Any, str]] = []  # (object, attribute) that is ours
        self._originals: dict[str, Any] = {}
        queue = NotingQueue()
        queue.eye, queue.entered = self, self.entered
        deque.extend(queue, self._original)
        queue.check = guard_of(self._original)
        self._queue = queue
        if self._thorough:
            self.attend()
        set_ready_queue(self._loop, queue)
        self._replace(self._loop, "create_task", self.create_task)
        self._replace(self._loop, "call_soon_threadsafe", self.call_soon_threadsafe)
        if recorder.details:
            self._watch_closely()
        self.look_at_timers(None, None)

    def attend(self) -> None:
        """Look at what the loop takes out of the queue; a step of a task tells by itself."""
        self._queue.popleft = self._popleft

    def _popleft(self) -> Any:
        item = _popleft(self._queue)
        self.runs(item)
        return item

    def _replace(self, owner: Any, name: str, ours: Any) -> None:
        self._set.append((owner, name))
        self._originals[name] = getattr(owner, name)
        setattr(owner, name, ours)

    def _watch_closely(self) -> None:
        self._replace(self._loop, "call_at", self.call_at)
        self._replace(self._loop, "_run_once", self._run_once)
        if (selector := selector_of(self._loop)) is not None:
            for name in ("register", "unregister", "modify", "select"):
                self._replace(selector, name, getattr(self, f"_{name}"))
            for key in list((selector.get_map() or {}).values()):
                self._watched(key)

    def remove(self) -> None:
        for owner, name in self._set:
            vars(owner).pop(name, None)
        if ready_queue(self._loop) is self._queue:
            self._original.clear()
            deque.extend(self._original, self._queue)
            set_ready_queue(self._loop, self._original)
        self.current = None

    # -- what goes into the queue, and out ------------------------------------------------------

    def create_task(self, coro: Any, **options: Any) -> Any:
        original = self._originals["create_task"]
        if not self.recorder.wants(coro):
            return original(coro, **options)
        return self.recorder.create(original, coro, options)

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
        """On our loop other threads come in past the queue's own `append`: the callback tells."""
        recorder = self.recorder
        cause = recorder.who() or OUTSIDE
        strange = is_ours(self._loop) and recorder.stepped_by(callback) is None
        if strange and not recorder.closed and callable(callback):
            callback = Inheriting(recorder, callback, cause, announced=False)
        original = self._originals["call_soon_threadsafe"]
        return made_by_caller(original(callback, *args, context=context))

    def entered(self, item: Any) -> None:
        """Something became ready."""
        recorder = self.recorder
        if recorder.closed:
            return
        callback = callback_of(item)
        if type(callback) in _STEPS or (
            type(callback) is BuiltinFunctionType and callback.__name__ == "task_wakeup"
        ):
            index = recorder.index_of_task(callback.__self__)
        else:
            index = self._index(item, callback)
        if get_ident() != recorder.thread:
            cause = THREAD
        elif recorder.running:
            cause = recorder.causes[recorder.running[-1]]
        elif recorder.inherited is not None:
            cause = recorder.inherited
        elif index is not None and recorder.ended_last == index:
            cause = AGAIN
        else:
            cause = self._cause(item)
        if index is not None:
            if recorder.plain and len(recorder.raw) < recorder.most:  # as `note_ready` does
                raw = recorder.raw
                raw += (recorder.time(), "ready", index, cause, None, recorder.due)
                return
            waker = waker_of(item) if recorder.details else None
            recorder.note_ready(index, cause, waker, self._up)
        elif recorder.in_scope() and not reads_wake_up(callback):
            self.causes[id(item)] = cause
            self.attend()
            if recorder.details:
                self._entered_in_detail(item, cause)
        if index is None and is_timer(item):
            self._heap_size = len(self._heap)

    def _cause(self, item: Any) -> Cause:
        last = self.recorder.ended_last
        if last is not None:
            return self.recorder.causes[last]
        if self.current is not None:
            return IO
        if is_timer(item):
            _, setter = self._timers.get(id(item), (0, None))
            return Cause("timer", setter)
        return IO if self._loop.is_running() else OUTSIDE

    def _entered_in_detail(self, item: Any, cause: Cause) -> None:
        recorder = self.recorder
        if is_timer(item) and id(item) in self._timers:
            when, _ = self._timers[id(item)]
            recorder.note("due", -1, cause, None, when, id(item))
        else:
            recorder.note("enter", -1, cause, self._label(item), None, id(item))

    def _index(self, item: Any, callback: Any) -> int | None:
        """Return the index of the task that `item` makes a step of; None if there is none."""
        recorder = self.recorder
        if type(item) in self._task_types:
            return recorder.index_of_task(item)
        if callback is None:
            index = recorder.index_of(item)
            if index is not None:
                self._task_types.add(type(item))
        else:
            index = recorder.stepped_by(callback)
            if index is not None and type(callback).__name__ == "TaskStepMethWrapper":
                _STEPS.add(type(callback))
        return index

    def runs(self, item: Any) -> None:
        """The loop took something out of the queue, and runs it."""
        self.idle()
        recorder = self.recorder
        if recorder.closed:
            return
        if self.reordered:
            self._tell_order(item)
        self.current, recorder.ended_last = item, None
        cause = self.causes.pop(id(item), None)
        if cause is None and not self.causes and not self._thorough:
            vars(self._queue).pop("popleft", None)
        if cause is not None:
            self._calls_back(item, cause)
        elif recorder.main is not None and self._index(item, callback_of(item)) == 0:
            self._main_runs = True
            recorder.begun(0)

    def _calls_back(self, item: Any, cause: Cause) -> None:
        recorder = self.recorder
        callback, label = callback_of(item), ""
        recorder.inherited = cause
        if callback is not None or recorder.details:
            label = self._label(item)
        when, _ = self._timers.pop(id(item), (None, None))
        recorder.due = None if when is None else when
        if is_cancelled(item):
            if recorder.details:
                recorder.note("drop", -1, None, None, None, id(item))
        elif callback is not None or recorder.details:
            self._calls = True
            recorder.note("call", -1, cause, label, None, id(item))

    def _tell_order(self, item: Any) -> None:
        self.reordered = False
        if self.recorder.details:
            items = [item, *deque.__iter__(self._queue)]
            keys = [
                id(each) if (i := self._index(each, callback_of(each))) is None else -1 - i
                for each in items
            ]
            self.recorder.note("order", -1, value=keys)

    def idle(self) -> None:
        """What ran has ended."""
        recorder = self.recorder
        ran = self.current is not None or recorder.ended_last is not None
        if not ran or get_ident() != recorder.thread:
            return
        if len(self._heap) != self._heap_size:
            self.look_at_timers(recorder.ended_last, None)
        recorder.ended_last = None
        if self.current is None:
            return  # only tasks ran
        self.current = recorder.inherited = recorder.due = None
        if self._calls:
            self._calls = False
            recorder.note("return", -1)
        if self._main_runs and recorder.running == [0] and not recorder.closed:
            self._main_runs = False
            recorder.suspended(0, recorder.main.get_coro())
            recorder.ended_last = None

    def _label(self, item: Any) -> str:
        callback = callback_of(item)
        if callback is not None:
            return callback_name(callback)
        if id(item) in self._timers:
            return ""  # the timer has its own
        return self.recorder.labels.of(item)

    # -- timers -----------------------------------------------------------------------------------

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        timer = made_by_caller(self._originals["call_at"](when, callback, *args, context=context))
        self.look_at_timers(None, None)
        return timer

    def look_at_timers(self, setter: int | None, what: Any) -> None:
        """Note which timers were set and which were cancelled since the last look.

        setter: the task whose step has ended; what: the words for what it waits for.
        """
        heap, recorder = self._heap, self.recorder
        size, cancelled = len(heap), cancelled_timers(self._loop)
        if size == self._heap_size and cancelled == self._cancelled:
            return
        new = size - self._heap_size
        several = new < 0 or cancelled != self._cancelled
        self._heap_size, self._cancelled = size, cancelled
        if several:
            self._forget_timers()
        if setter is None and recorder.running:
            setter = recorder.running[-1]
        for entry in list(heap if several else _pushed(heap, new)):
            when, timer = timer_in(entry)
            if id(timer) not in self._timers and not is_cancelled(timer):
                self._timers[id(timer)] = when, setter
                if recorder.details:
                    self._timer_set(timer, when, setter, what)

    def _timer_set(self, timer: Any, when: float, setter: int | None, what: Any) -> None:
        recorder = self.recorder
        if not recorder.in_scope():
            return
        callback = callback_of(timer)
        name = callback_name(callback) if is_program(callback) else ""
        cause = Cause("timer", setter)
        recorder.note("timer", -1, cause, name or what, when, id(timer))

    def _forget_timers(self) -> None:
        """Take the cancelled ones away."""
        pending = {id(timer) for _, timer in map(timer_in, self._heap) if not is_cancelled(timer)}
        for key in [key for key in self._timers if key not in pending and key not in self.causes]:
            del self._timers[key]
            if self.recorder.details:
                self.recorder.note("untimed", -1, value=key)

    # -- with details: turns, and the selector ----------------------------------------------------

    def _run_once(self) -> None:
        self.idle()
        if not self.recorder.closed:
            self.recorder.note_turn()
        self._originals["_run_once"]()

    def _select(self, timeout: float | None = None) -> list:
        reported = self._originals["select"](timeout)
        if not reported:
            return reported
        names = [self._socket(key, events) for key, events in reported if self._shows(key)]
        if names and not self.recorder.closed:
            self.recorder.note("report", -1, value=names)
        return reported

    def _register(self, fileobj: Any, events: int, data: Any = None) -> Any:
        return self._watched(self._originals["register"](fileobj, events, data))

    def _modify(self, fileobj: Any, events: int, data: Any = None) -> Any:
        return self._watched(self._originals["modify"](fileobj, events, data))

    def _unregister(self, fileobj: Any) -> Any:
        key = self._originals["unregister"](fileobj)
        if not self.recorder.closed and self._shows(key):
            self.recorder.note("watch", -1, value=(key.fd, None, ""))
        return key

    def _watched(self, key: Any) -> Any:
        if not self.recorder.closed and self._shows(key):
            recorder = self.recorder
            task = recorder.running[-1] if recorder.running else None
            value = key.fd, task, *self._socket_and_events(key, key.events)
            recorder.note("watch", -1, value=value)
        return key

    def _shows(self, key: Any) -> bool:
        return not is_wake_up(self._loop, key.fileobj)

    def _socket(self, key: Any, events: int) -> str:
        return " ".join(self._socket_and_events(key, events))

    def _socket_and_events(self, key: Any, events: int) -> tuple[str, str]:
        return self.recorder.labels.of_socket(key), _EVENTS.get(events, "")


_STEPS: set[type] = set()  # asyncio's step of a task, in C, which cannot be imported
_EVENTS = {1: "readable", 2: "writable", 3: "readable or writable"}


def _pushed(heap: list, count: int) -> Iterable:
    """Yield what `count` pushes may have added: it is on the way from the last places up."""
    seen = set()
    for place in range(len(heap) - count, len(heap)):
        while place >= 0 and place not in seen:
            seen.add(place)
            yield heap[place]
            place = (place - 1) // 2


# -- words ----------------------------------------------------------------------------------------


def callback_name(callback: Any) -> str:
    """Return how a callback is called in the film."""
    callback = getattr(callback, "__wrapped__", callback)
    return getattr(callback, "__qualname__", None) or type(callback).__name__


def is_program(callback: Any) -> bool:
    """Say whether a callback is the program's own, and not how the library does something."""
    callback = getattr(callback, "__wrapped__", callback)
    code = getattr(getattr(callback, "__func__", callback), "__code__", None)
    if code is not None:
        return not is_library(code.co_filename)
    owner = type(getattr(callback, "__self__", None))
    return callback is not None and owner.__module__.split(".")[0] not in _LIBRARIES


_LIBRARIES = ("asyncio", "_asyncio", "asyncio_lessons", "my_asyncio", "uvloop")


def _is_cancelled(future: Any) -> bool:
    try:
        return bool(future.cancelled())
    except Exception:
        return False


def made_by_caller(thing: Any, lines: int = 1) -> Any:
    """Take our lines off what debug mode tells of where a handle or a task was made."""
    if made_at := getattr(thing, "_source_traceback", None):
        del made_at[-lines:]
    return thing
