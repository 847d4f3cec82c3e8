"""The loop of lessons 05 and 06: a queue and a method that runs it, until lesson 07 builds more."""

from collections import deque
from collections.abc import Callable
from typing import Any

from ...futures import Handle


class TinyLoop:
    """Runs callbacks, first in, first out. It has no clock and never sleeps."""

    def __init__(self):
        self._ready = deque()  # what has a method _run(), the next one first

    def call_soon(self, callback: Callable, *args: Any, context: Any = None):
        """Put ``callback(*args)`` at the end of the queue."""
        self._ready.append(Handle(callback, args, self, context))

    def run(self):
        """Run what is in the queue, and what that puts there, until it is empty."""
        while self._ready:
            self._ready.popleft()._run()

    def call_exception_handler(self, details: dict):
        """Print what failed."""
        print("report:", details["message"])
        if "exception" in details:
            print("   ", repr(details["exception"]))
