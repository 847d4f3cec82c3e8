"""Run a judge in a process of its own: ``python -I child.py < job``; `process` starts it.

The job comes as JSON on stdin; what is found goes out line by line as JSON. Prints of the reader's
code do not reach that pipe.
"""

import builtins
import json
import os
import sys
import threading
import time
import types
import warnings
from collections.abc import Callable

# Kept here, since the reader's code may replace them where they come from.
_exit, _frames, _sleep = os._exit, sys._current_frames, time.sleep


class _Pipe:
    """The way out: a message a line, from the judge and from the thread that watches the time."""

    def __init__(self, out, key: str) -> None:
        self.out = out
        self.key = key
        self.lock = threading.Lock()

    def send(self, message: dict) -> None:
        with self.lock:
            self.out.write(json.dumps({**message, "key": self.key}) + "\n")
            self.out.flush()


def _watch(judge, seconds: float, main: int, time_of: Callable) -> None:
    """Stop everything when the time is over, and say which line was running."""
    end = time_of() + seconds
    while time_of() < end:
        _sleep(min(0.05, seconds))
    frame, frames = _frames().get(main), []
    while frame is not None:
        frames.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    judge.say(stuck=judge.place(reversed(frames)), printed=judge.prints.text())
    _exit(3)


def _limit_memory() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    except (ImportError, ValueError, OSError):
        pass  # Windows has no such limit; the time limit holds there too


def _skip_the_pictures(root: str) -> None:
    """Let `classroom.exercises` be imported without all that `classroom` itself imports."""
    for name in ("asyncio_lessons", "asyncio_lessons.classroom"):
        package = sys.modules[name] = types.ModuleType(name)
        package.__path__ = [os.path.join(root, *name.split("."))]


def main() -> None:
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    nowhere = os.open(os.devnull, os.O_RDWR)
    job = json.loads(sys.stdin.buffer.read())
    for stream in (0, 1, 2):  # prints past sys.stdout, and reads, go nowhere
        os.dup2(nowhere, stream)
    sys.path.insert(0, job["root"])
    _skip_the_pictures(job["root"])
    from asyncio_lessons.classroom.checking.judge import Judge, Prints, Sources, no_input
    from asyncio_lessons.classroom.checking.patience import time_of

    judge = Judge(job, _Pipe(out, job.pop("key")).send)
    sys.meta_path.insert(0, Sources(job["sources"]))
    sys.stdout, sys.stderr = judge.prints, Prints()
    builtins.input = no_input
    time.sleep = judge.sleep
    warnings.showwarning = judge.keep_warning
    _limit_memory()
    args = (judge, job["seconds"], threading.get_ident(), time_of)
    threading.Thread(target=_watch, args=args, daemon=True).start()
    judge.say(ready=True)
    judge.run()
    _exit(0)  # threads the reader's code has left behind end here


if __name__ == "__main__":
    main()
