"""What Python lacks in a web page (Pyodide) and the loop asks for, put in its place.

There are no sockets there, so the loop has no self-pipe; two pipes in memory do the same. Its
selector does not wait: with nothing else that could happen in the meantime, sleeping is the same.
asyncio's own loop runs on the same two; the page's is the browser's, and cannot be run from here.
"""

import os
import selectors
import socket
import sys
import time

DEPTH = 600  # calls inside calls; a long chain of objects is freed on the same, small stack


def furnish() -> None:
    """Put in place what is missing, in a web page only."""
    if sys.platform == "emscripten":
        import asyncio  # elsewhere it would be loaded for nothing, before a lesson asks for it

        socket.socketpair = socketpair
        selectors.DefaultSelector = Selector
        time.sleep, time.thread_time = nap, worked
        make = asyncio.SelectorEventLoop
        asyncio.new_event_loop = asyncio.events.new_event_loop = make
        sys.setrecursionlimit(DEPTH)


# The page's own sleep lets the browser's loop run in the meantime; what it wraps stops everything.
_sleep, _slept = getattr(time.sleep, "__wrapped__", time.sleep), 0.0


def nap(seconds: float) -> None:
    """Sleep, and remember how long: a web page does not count the CPU's time."""
    global _slept
    _sleep(seconds)
    _slept += seconds


def worked() -> float:
    """Return the seconds in which this Python did not sleep, in the place of its CPU time."""
    return time.perf_counter() - _slept


class End:
    """One end of a pair: as much of a socket as the loop's self-pipe needs."""

    def __init__(self, its_in: int, its_out: int) -> None:
        self._in, self._out = its_in, its_out

    def fileno(self) -> int:
        """Return the descriptor that can be read, -1 once closed."""
        return self._in

    def setblocking(self, flag: bool) -> None:
        """Do nothing: neither end ever blocks."""

    def recv(self, n: int) -> bytes:
        """Read up to `n` bytes. Raises BlockingIOError where there are none."""
        return os.read(self._in, n)

    def send(self, data: bytes) -> int:
        """Write `data` to the other end; return how many bytes it took."""
        return os.write(self._out, data)

    def close(self) -> None:
        """Close this end."""
        if self._in >= 0:
            os.close(self._in)
            os.close(self._out)
            self._in = self._out = -1


def socketpair() -> tuple[End, End]:
    """Return two ends: what is sent into one comes out of the other."""
    (one_in, other_out), (other_in, one_out) = os.pipe(), os.pipe()
    for descriptor in (one_in, other_in):
        os.set_blocking(descriptor, False)
    return End(one_in, one_out), End(other_in, other_out)


class Selector(selectors.SelectSelector):
    """A selector that waits by sleeping: in the meantime nothing can happen."""

    def select(self, timeout: float | None = None) -> list:
        """Return what is ready; if nothing is, after `timeout` seconds."""
        events = super().select(0)
        if not events and timeout and timeout > 0:
            time.sleep(timeout)
            events = super().select(0)
        return events


furnish()
