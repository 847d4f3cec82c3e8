"""A copy of this process in the place of a new Python: it starts in a millisecond.

Where there is `os.fork`. Import first what every check needs (`prepare`), so that the copy has it.
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from subprocess import TimeoutExpired


def prepare() -> None:
    """Import all exercises, what their checks use, and what the course's modules import."""
    from .. import workshop
    from . import child, expect, judge, seal, stage  # noqa: F401
    from .catalog import find, names

    for name in names():
        find(name)
    for module in workshop.MODULES:
        import_module(f"asyncio_lessons.{module}")


class Copy:
    """Runs `child` in a copy of this process; stands in for a `subprocess.Popen`.

    first: what the copy does before, such as giving up rights.
    """

    def __init__(self, first: Callable[[], object] = lambda: None) -> None:
        its_in, in_ = os.pipe()
        out, its_out = os.pipe()
        self.status: int | None = None
        self.pid = os.fork()
        if not self.pid:
            _be_the_child(its_in, its_out, first)
        os.close(its_in)
        os.close(its_out)
        self.stdin, self.stdout = os.fdopen(in_, "wb"), os.fdopen(out, "rb")

    def poll(self) -> int | None:
        """Return how it has ended, None if it has not."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended; raises TimeoutExpired after `timeout` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        pause = 0.0005
        while self.poll() is None:
            if end is not None and time.monotonic() > end:
                raise TimeoutExpired("a copy of this process", timeout)
            time.sleep(pause)
            pause = min(2 * pause, 0.02)
        return self.status

    def kill(self) -> None:
        """End it at once."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def _be_the_child(its_in: int, its_out: int, first: Callable[[], object]) -> None:
    try:
        os.setsid()
        os.dup2(its_in, 0)
        os.dup2(its_out, 1)
        os.closerange(3, 256)
        sys.stdin = open(0, closefd=False)
        first()
        from . import child

        child.main()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)  # never back into what this is a copy of
