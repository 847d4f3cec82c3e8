"""The lessons in order: number, file, title, and the minutes each takes.

The minutes are measured from the notebooks: `tests/measure_lessons.py` writes them here.
"""

from dataclasses import dataclass

from ..checking.catalog import UnknownName


@dataclass(frozen=True)
class Lesson:
    """One notebook of the course."""

    number: str
    stem: str
    title: str
    minutes: int

    @property
    def file(self) -> str:
        """The name of the notebook's file."""
        return f"{self.number}_{self.stem}.ipynb"


LESSONS = (
    Lesson("00", "start_here", "Start here", 20),
    Lesson("01", "wait", "Wait", 25),
    Lesson("02", "generators", "Stop a function in the middle", 35),
    Lesson("03", "delegation", "Delegate through five calls", 45),
    Lesson("04", "coroutines", "Drive a coroutine", 50),
    Lesson("05", "futures", "Build a future", 75),
    Lesson("06", "tasks", "Build a task", 85),
    Lesson("07", "event_loop", "Build the event loop", 75),
    Lesson("08", "sockets", "Sleep until a socket is ready", 75),
    Lesson("09", "waiting", "Wait for many", 110),
    Lesson("10", "queues", "Hand work over", 100),
    Lesson("11", "asyncio", "Run the real thing", 25),
    Lesson("12", "echo_reverse", "Serve with seven engines", 30),
    Lesson("13", "worker_queue", "See the worker queue", 40),
)


def lesson(number: str) -> Lesson:
    """Return the lesson of that number ("05"); raises UnknownName."""
    for found in LESSONS:
        if found.number == number:
            return found
    raise UnknownName(f"There is no lesson {number!r}: 00 to {LESSONS[-1].number}.")
