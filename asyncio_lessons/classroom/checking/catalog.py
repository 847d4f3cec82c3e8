"""What an exercise is, and where each one is written."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module

# What Python itself says of `await` and something that cannot be awaited.
CANNOT_AWAIT = (
    "object can't be awaited"
    if sys.version_info >= (3, 14)
    else "can't be used in 'await' expression"
)

# In the order of the course. The names stand here so that a list of them loads no exercise.
FILES: dict[str, tuple[str, ...]] = {
    "start_here": ("first-reply",),
    "generators": ("double-repair", "double-by-hand"),
    "delegation": ("tunnel-send", "tunnel"),
    "coroutines": ("suspend", "drive", "round-robin", "reorder"),
    "futures": (
        "future-results",
        "future-callbacks",
        "future-await",
        "future-repair",
    ),
    "tasks": ("task-step", "task-wakeup", "task-cancel", "sort-awaitables", "task-repair"),
    "event_loop": ("loop-turn", "loop-timers", "loop-run", "loop-until", "heartbeat-repair"),
    "sockets": ("socket-readers", "sock-recv", "sock-sendall", "threadsafe", "blocking-repair"),
    "waiting": (
        "sleep",
        "gather",
        "wait",
        "timeout",
        "shield",
        "task-group",
        "sequential-repair",
    ),
    "queues": ("queue", "queue-join", "join-repair"),
    "locks": ("lock", "event", "semaphore", "race-repair"),
    "downloads": ("polite-downloads",),
    "pipeline": ("pipeline",),
    "blocking_library": ("blocking-library",),
    "echo_reverse": ("echo-handle",),
    "chat_room": ("chat-room",),
    "graceful": ("graceful-shutdown",),
    "worker_queue": ("worker-pool",),
    "debugging": ("destroyed-repair", "swallowed-repair", "blocked-repair"),
}


@dataclass(frozen=True)
class Check:
    """One claim about the reader's code, and the function that looks whether it holds.

    ``why`` is added to the sentence when the reader's code raises something unexpected there.
    """

    claim: str
    look: Callable[..., None]
    why: str = ""


@dataclass(frozen=True)
class Wrong:
    """A wrong answer that a learner would write.

    code: replaces those parts of the solution that it defines; change: instead, the one text in
    the solution that is replaced, and what stands there; says: the part of the sentence that must
    refuse it.
    """

    code: str = ""
    says: str = ""
    change: tuple[str, str] | None = None

    def cell(self, solution: str) -> str:
        """Return the cell that holds this answer; raises LookupError if `change` does not fit."""
        from .graft import merge

        if self.change is None:
            return merge(solution, self.code)
        old, new = self.change
        if solution.count(old) != 1:
            raise LookupError(f"{old!r} stands {solution.count(old)} times in the solution")
        return solution.replace(old, new)


@dataclass
class Exercise:
    """One cell the reader fills.

    ``module`` and ``builds`` name what joins the reader's package ("futures" and
    "Future.set_result"); ``also`` names what the package's own code of these calls, which the
    solution shows and the reader need not write. An exercise without a module (a repair, a
    sorting) stays in its cell and brings its own ``solution``. ``lines`` is the size of a good
    answer. ``wrong`` and ``right`` test the checks: answers that must be refused, and answers in
    other shapes than the solution (each replaces what it defines of it) that must pass. A check's
    function is given the package that holds the reader's code, or the cell's names where there is
    no module; ``show`` is given the same, and returns what a picture of the reader's code is made
    of: a film (timeline), or something with suspended frames (X-ray).
    """

    name: str
    lesson: str
    title: str
    lines: int
    stub: str
    hints: tuple[str, str, str]
    module: str = ""
    builds: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    solution: str = ""
    wrong: tuple[Wrong, ...] = ()
    right: tuple[str, ...] = ()
    checks: list[Check] = field(default_factory=list)
    show: Callable | None = None

    def check(self, claim: str, why: str = "") -> Callable[[Callable], Callable]:
        """Add the decorated function as the check of `claim`."""

        def add(look: Callable[..., None]) -> Callable[..., None]:
            self.checks.append(Check(claim, look, why))
            return look

        return add

    def shown(self, show: Callable) -> Callable:
        """Let the decorated function make the picture of the reader's code."""
        self.show = show
        return show


class UnknownName(LookupError):
    """No exercise, prediction, answer or lesson of that name; the message says what there is."""


class UnknownExercise(UnknownName):
    """No exercise of that name; the message says which is meant."""


def names(lesson: str | None = None) -> list[str]:
    """Return the names of all exercises in the order of the course, or of one lesson ("05")."""
    everything = [name for file in FILES.values() for name in file]
    return [name for name in everything if lesson in (None, find(name).lesson)]


def find(name: str) -> Exercise:
    """Return the exercise of that name; raises UnknownExercise."""
    for file, held in FILES.items():
        if name in held:
            return _load(file)[name]
    near = get_close_matches(name, names(), n=1)
    guess = f" Is it {near[0]!r}?" if near else " %progress lists them all."
    raise UnknownExercise(f"There is no exercise {name!r}.{guess}")


def _load(file: str) -> dict[str, Exercise]:
    module = import_module(f"..exercises.{file}", __package__)
    return {x.name: x for x in vars(module).values() if isinstance(x, Exercise)}
