"""Run a judge in this very Python, where no other one can be started: in a web page.

Nothing outside can end code that does not come to an end, so it is ended from inside:
`sys.monitoring` calls us at each jump and at each start of a function, and when the time is over we
raise `Stop` there, again and again, until all of the code is left. Only one long call into C, such
as ``sum(itertools.count())``, cannot be ended so: restart the kernel.
"""

import builtins
import gc
import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

from .judge import PACKAGE, Judge, Prints, Sources, Stop, died, no_input, stuck

SECONDS = 4.0  # Python in a web page is several times slower
DEPTH = 250  # calls inside calls; a web page's own stack ends soon after
_sleep = time.sleep


def run(job: dict, hear: Callable[[dict], None], *_: object) -> str:
    """Run a judge on `job` and call `hear` with each message; return what ended it before its end.

    A sentence, or nothing. It is called as `process.run` is, and needs `sys.monitoring`, which
    Python has from 3.12 on.
    """
    limit = _Limit(SECONDS)

    def send(message: dict) -> None:
        if limit.frames and "number" in message:
            raise Stop  # the code has caught the first one: its verdict counts for nothing
        hear(json.loads(json.dumps(message)))

    judge = Judge(json.loads(json.dumps(job)), send)
    judge.rest = limit.sleep
    with _borrowed(judge, limit):
        try:
            with limit:
                judge.run()
                gc.collect()  # what the code has left behind ends here, and not later
        except Stop as stop:
            hear({"printed": judge.prints.text()})
            return str(stop) or stuck(judge.place(limit.frames), SECONDS)
        except Exception as error:  # such as a builtin that is gone
            return f"Your code broke what checks it ({type(error).__name__}: {error})."
    return ""


class _Limit:
    """Raises `Stop` in whatever Python code runs when the time is over."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds
        self.frames: list[tuple[str, int]] = []  # where the code was, outermost first

    def __enter__(self) -> None:
        on = sys.monitoring.events
        self.tool = next(n for n in range(6) if sys.monitoring.get_tool(n) is None)
        sys.monitoring.use_tool_id(self.tool, __name__)
        for event in (on.JUMP, on.PY_START, on.PY_RESUME):
            sys.monitoring.register_callback(self.tool, event, self.tick)
        sys.monitoring.set_events(self.tool, on.JUMP | on.PY_START | on.PY_RESUME)

    def __exit__(self, *_: object) -> None:
        sys.monitoring.set_events(self.tool, 0)
        sys.monitoring.free_tool_id(self.tool)

    def tick(self, code: CodeType, *_: object) -> None:
        if time.monotonic() > self.end and code.co_filename != __file__:
            self.stop(sys._getframe(1))

    def stop(self, frame: FrameType | None) -> None:
        if not self.frames:
            while frame is not None:
                self.frames.insert(0, (frame.f_code.co_filename, frame.f_lineno))
                frame = frame.f_back
        raise Stop

    def sleep(self, seconds: float) -> None:
        """Sleep as `time.sleep` does, and no longer than the time that is left."""
        left = max(self.end - time.monotonic(), 0)
        _sleep(min(seconds, left))
        if seconds > left:
            self.stop(sys._getframe(1))


@contextmanager
def _borrowed(judge: Judge, limit: _Limit) -> Iterator[None]:
    """Give the code a world of its own, as far as one Python has two, and take it back."""
    ours = {
        (sys, "stdout"): judge.prints,
        (sys, "stderr"): Prints(),
        (sys, "unraisablehook"): print,
        (sys, "meta_path"): [Sources(judge.job["sources"]), *sys.meta_path],
        (os, "_exit"): _refuse_to_exit,
        (time, "sleep"): judge.sleep,
    }
    before = {(owner, name): getattr(owner, name) for owner, name in ours}
    depth, modules, built_in = sys.getrecursionlimit(), _take_out(), dict(vars(builtins))
    with warnings.catch_warnings():
        warnings.resetwarnings()
        warnings.simplefilter("default")
        warnings.showwarning = judge.keep_warning
        gc.freeze()  # a check may collect garbage often: the page's own objects are not looked at
        try:
            _set(ours)
            builtins.input = no_input
            sys.setrecursionlimit(_depth() + DEPTH)
            yield
        finally:
            vars(builtins).update(built_in)
            gc.unfreeze()
            sys.setrecursionlimit(depth)
            _set(before)
            _take_out()
            sys.modules.update(modules)


def _set(values: dict[tuple[Any, str], Any]) -> None:
    for (owner, name), value in values.items():
        setattr(owner, name, value)


def _take_out() -> dict[str, Any]:
    """Take the reader's package out of `sys.modules`, and return what was taken."""
    names = [name for name in sys.modules if name.partition(".")[0] == PACKAGE]
    return {name: sys.modules.pop(name) for name in names}


def _depth() -> int:
    frame, depth = sys._getframe(), 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1
    return depth


def _refuse_to_exit(status: int) -> None:
    raise Stop(died(status))
