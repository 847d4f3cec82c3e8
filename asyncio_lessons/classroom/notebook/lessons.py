"""The lessons in order: number, file, and the minutes each takes.

The minutes are measured from the notebooks: `tests/measure_lessons.py` writes them here.
"""

from dataclasses import dataclass

from ..checking.catalog import UnknownName


@dataclass(frozen=True)
class Lesson:
    """One notebook of the course."""

    number: str
    stem: str
    minutes: int

    @property
    def file(self) -> str:
        """The name of the notebook's file."""
        return f"{self.number}_{self.stem}.ipynb"


LESSONS = (
    Lesson("00", "start_here", 25),
    Lesson("01", "wait", 30),
    Lesson("02", "generators", 45),
    Lesson("03", "delegation", 50),
    Lesson("04", "coroutines", 60),
    Lesson("05", "futures", 85),
    Lesson("06", "tasks", 90),
    Lesson("07", "event_loop", 85),
    Lesson("08", "sockets", 80),
    Lesson("09", "waiting", 110),
    Lesson("10", "queues", 140),
    Lesson("11", "asyncio", 45),
    Lesson("12", "echo_reverse", 70),
    Lesson("13", "worker_queue", 70),
)


def lesson(number: str) -> Lesson:
    """Return the lesson of that number ("05"); raises UnknownName."""
    for found in LESSONS:
        if found.number == number:
            return found
    raise UnknownName(f"There is no lesson {number!r}: 00 to {LESSONS[-1].number}.")
