"""The film of a program: what happened on its loop, in order. Every view is drawn from this.

A `Film` holds `tasks` (a list of `FilmedTask`, in the order they were created) and `events` (a list
of `Event`, in the order they happened). Times are seconds since the film began. An event is

    time    when
    kind    "create", "ready", "run", "wait", "done", "cancelled", "failed": what a task does
            "call", "return": a plain callback begins, ends
            "timer": a timer was set (with ``details=True``)
    task    the index of the task in `film.tasks`; -1 for a plain callback
    cause   for "create", "ready", "call", "timer": who did it, a `Cause`
    text    "wait": the awaited expression with its values, ``download(3)``; "failed": the error;
            "call", "timer": the name of the callback
    due     for "ready" by a timer: when the timer was due, which may be before `time`

From "create" to its end a task is in one state: ready, running or waiting. "ready" says that it
was woken and could run, "run" that its step begins, "wait" that its step ended at an ``await``. A
step may begin inside another one (an eager task): the outer one continues when the inner one stops.

With ``details=True`` the film also has `steps`, and for each of them the `scene` of the loop after
it: what is running, ready, timed and listened to, what was printed, and where each task stands,
with its local names. `scenes` says what a step and a scene hold.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .scenes import Delta, Details, Scene, Step

ENDS = ("done", "cancelled", "failed")
STATES = ("running", "ready", "waiting")


class Cause(NamedTuple):
    """Who did it.

    kind: "task" (the task with this index), "timer" (task: who set it, if known), "io", "thread",
    "again" (the task itself: a bare yield, as in ``sleep(0)``) or "outside" (nothing on the loop).
    """

    kind: str
    task: int | None = None


TIMER, IO, THREAD = Cause("timer"), Cause("io"), Cause("thread")
AGAIN, OUTSIDE = Cause("again"), Cause("outside")


class Event(NamedTuple):
    """One thing that happened; the module's docstring says what each field holds."""

    time: float
    kind: str
    task: int
    cause: Cause | None = None
    text: str = ""
    due: float | None = None


class Span(NamedTuple):
    """A task was in one state ("running", "ready" or "waiting") from `start` to `end`, in seconds.

    The task -1 stands for plain callbacks, which only run. `order` counts the steps of the film.
    """

    task: int
    state: str
    start: float
    end: float
    text: str = ""
    order: int = 0


class Wake(NamedTuple):
    """Something made a task ready at `time`; `first` if the task had not begun yet.

    order: the index of the event; of an eager task, which is never ready, that of its first step.
    """

    time: float
    cause: Cause
    task: int
    first: bool
    order: int


class FilmedTask(NamedTuple):
    """The name of a task, and the index of the one that created it (None: no task did)."""

    name: str
    parent: int | None = None


@dataclass
class Film:
    """What was recorded. `result` is what the program returned, `error` what it raised.

    loop: the name of the loop; virtual: whether its clock was virtual; truncated: whether the
    recording stopped at its limit; heartbeat: seconds at which a heart beat, drawn as a lane;
    data: what `measure` noted: for each name a list of (seconds, value, index of the event then).
    """

    tasks: list[FilmedTask] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    duration: float = 0.0
    loop: str = ""
    virtual: bool = False
    truncated: bool = False
    title: str | None = None
    note: str | None = None
    heartbeat: list[float] | None = None
    data: dict[str, list[tuple]] = field(default_factory=dict)
    details: Details | None = field(default=None, repr=False)
    result: object = None
    error: BaseException | None = None

    def __repr__(self) -> str:
        where = f" on {self.loop}" if self.loop else ""
        cut = "; the recording stopped there" if self.truncated else ""
        return f"<Film of {len(self.tasks)} tasks, {len(self.events)} events{where}{cut}>"

    # -- step by step ---------------------------------------------------------------------------

    @property
    def steps(self) -> list[Step]:
        """What a person steps through; step 0 is before anything ran.

        Raises ValueError if the film was made without ``details=True``.
        """
        return self._details().steps

    @property
    def sources(self) -> list[dict[str, Any]]:
        """The source of every function that is shown: "function", "file", "first" and "lines".

        The index of one is the "code" of the frames in a scene; "library" says that it belongs to
        the library (asyncio's or the course's) rather than to the program; "unit" is the number of
        its file, as several cells are all called "cell".
        """
        return self._details().sources

    @property
    def sees_selector(self) -> bool:
        """Whether the selector of this loop is visible: it is not on uvloop."""
        return self._details().sees_selector

    def scene(self, number: int) -> Scene:
        """Return the loop as it is after the step `number`."""
        return self._details().scene(number)

    def deltas(self) -> list[list[Delta]]:
        """Return for each step what changes from the scene before it; `scenes.change` applies it.

        Of step 0 it is what makes the first scene out of nothing.
        """
        return self._details().deltas

    def _details(self) -> Details:
        if self.details is None:
            raise ValueError("this film has no steps: record it with details=True")
        return self.details

    # -- task by task ---------------------------------------------------------------------------

    def spans(self, *, brief: bool = False) -> list[Span]:
        """Return who was in which state when, by the end of the span.

        brief: also those in which no time passed.
        """
        return list(_spans(self.events, self.duration, bool(self.loop), brief))

    def wakes(self) -> list[Wake]:
        """Return who made which task ready, in order."""
        makers: dict[int, Cause] = {}
        begun, woken, wakes = set(), set(), []
        for order, (time, kind, task, cause, *_) in enumerate(self.events):
            if kind == "create":
                makers[task] = cause
            elif kind == "ready":
                wakes.append(Wake(time, cause, task, task not in begun, order))
                woken.add(task)
            elif kind == "run":
                if task not in woken and task in makers:
                    wakes.append(Wake(time, makers[task], task, True, order))
                    woken.add(task)
                begun.add(task)
        return wakes

    def ends(self) -> dict[int, str]:
        """Return how each finished task ended: "done", "cancelled" or "failed"."""
        return {event.task: event.kind for event in self.events if event.kind in ENDS}

    def times_of(self, name: str) -> list[float]:
        """Return the seconds at which the steps of the task called `name` began.

        Without the last one if that was its cancellation. Raises ValueError if there is no such
        task.
        """
        found = {index for index, task in enumerate(self.tasks) if task.name == name}
        if not found:
            names = ", ".join(dict.fromkeys(task.name for task in self.tasks))
            raise ValueError(f"no task is called {name!r}; the film has: {names or 'no task'}")
        times = [e.time for e in self.events if e.kind == "run" and e.task in found]
        cancelled = any(e.kind == "cancelled" and e.task in found for e in self.events)
        return times[:-1] if cancelled else times

    @classmethod
    def by_hand(
        cls, spans: Iterable[tuple[str, str, float, float, str]], **fields: object
    ) -> "Film":
        """Make a film of what no loop runs, such as threads.

        spans: (name, state, start, end, text) with seconds and a state of "running", "ready" or
        "waiting"; fields: those of `Film`. Raises ValueError for another state.
        """
        begins = {"running": "run", "ready": "ready", "waiting": "wait"}
        names, events, last = {}, [], {}
        for name, state, start, end, text in sorted(spans, key=lambda span: span[2]):
            if state not in begins:
                raise ValueError(f"state must be one of {', '.join(STATES)}; got {state!r}")
            index = names.setdefault(name, len(names))
            if index not in last:
                events.append(Event(start, "create", index, OUTSIDE))
            events.append(Event(start, begins[state], index, OUTSIDE, text))
            last[index] = end
        events += [Event(end, "done", index) for index, end in last.items()]
        events.sort(key=lambda event: event.time)
        film = cls([FilmedTask(name) for name in names], events, **fields)
        film.duration = film.duration or max(last.values(), default=0.0)
        return film


def _spans(
    events: list[Event], duration: float, one_at_a_time: bool, brief: bool
) -> Iterator[Span]:
    """Follow each task from state to state; a step inside another one interrupts it."""
    now: dict[int, tuple[str, float, str, int]] = {}  # task: state, since, text, order
    stack: list[int] = []  # tasks in a step, the innermost last

    def leave(task: int, time: float) -> Iterator[Span]:
        state, since, text, order = now.pop(task, (None, 0.0, "", 0))
        if state == "running" or (state and (brief or time > since)):
            yield Span(task, state, since, time, text, order)

    for order, event in enumerate(events):
        time, kind, task = event.time, event.kind, event.task
        if kind in ("run", "call"):
            if stack and one_at_a_time:
                yield from leave(stack[-1], time)
                now[stack[-1]] = ("ready", time, "", order)
            yield from leave(task, time)
            now[task] = ("running", time, event.text, order)
            stack += [task] if one_at_a_time else []
        elif kind in ("wait", "return", *ENDS):
            innermost = stack[-1:] == [task]
            if task in stack:  # in a film made by hand it may be further out
                del stack[-1 - stack[::-1].index(task)]
            yield from leave(task, time)
            if kind == "wait":
                now[task] = ("waiting", time, event.text, order)
            if innermost and stack and stack[-1] != task:
                yield from leave(stack[-1], time)
                now[stack[-1]] = ("running", time, "", order)
        elif kind == "ready" and not (one_at_a_time and now.get(task, ("",))[0] == "running"):
            yield from leave(task, time)
            now[task] = ("ready", time, "", order)
    for task in list(now):
        yield from leave(task, duration)
