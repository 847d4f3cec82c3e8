"""Patience: the time that a process waits for a processor is not its own."""

import time

MOST = 4.0  # seconds that may be waited: a process may bring its competitors with it
_open, _monotonic = open, time.monotonic  # kept here, since the reader's code may replace them


def time_of(pid: int | str = "self") -> float:
    """Return a clock's time, in seconds, that stands still while a process waits for a processor.

    pid: of the process; its main thread counts. Where the system does not say how long it has
    waited (Linux does), it is the usual time.
    """
    return _monotonic() - min(MOST, _waited(pid))


def _waited(pid: int | str) -> float:
    try:
        with _open(f"/proc/{pid}/schedstat") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, LookupError, ValueError):
        return 0.0
