"""Run a judge in a process of its own, under a time limit: whatever the code does, it ends here."""

import json
import os
import queue
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from .judge import died, stuck
from .patience import time_of

SECONDS = 1.2  # what the reader's code may take; on the virtual clock a check takes milliseconds
_GRACE = 0.4  # after which a process that does not stop by itself is stopped from here
_START = 20.0  # a machine under load may take long to start Python: not the reader's time
_MOST = 8_000_000  # bytes; what a judge says is a thousandth of it
_ROOT = Path(__file__).parents[3]


def run(
    job: dict,
    hear: Callable[[dict], None],
    start: Callable | None = None,
    seconds: float = SECONDS,
) -> str:
    """Run a judge on `job` and call `hear` with each message; return what ended it before its end.

    start: makes the process, a new Python unless given; seconds: what the code may take.
    A sentence, also where all went well: only the messages tell whether the judge came to the end.
    """
    try:
        process = (start or start_python)()
    except OSError as error:
        return f"This Python cannot start another one to check your code in ({error})."
    # Only a message with the key counts: the reader's code may find the pipe, and write to it.
    key = secrets.token_hex(16)
    job = {**job, "seconds": seconds, "root": str(_ROOT), "key": key}
    lines: queue.SimpleQueue = queue.SimpleQueue()
    threading.Thread(target=_talk, args=(process, job, lines), daemon=True).start()
    try:
        return _listen(process.pid, lines, hear, key, seconds) or died(_wait(process))
    finally:
        _stop(process)


def _listen(
    pid: int, lines: queue.SimpleQueue, hear: Callable[[dict], None], key: str, seconds: float
) -> str:
    """Pass on the messages until there are no more; say so if the time was over first."""
    end = time_of(pid) + _START
    ended = ""
    while True:
        try:  # a short wait each time: on Windows only that can be interrupted
            line = lines.get(timeout=0.05)
        except queue.Empty:
            if time_of(pid) > end:
                return ended or stuck("", seconds)
            continue
        if line is None:
            return ended
        message = _signed(line, key)
        if "ready" in message:
            end = time_of(pid) + seconds + _GRACE
        if "stuck" in message:
            ended = stuck(message["stuck"], seconds)
        hear(message)


def _signed(line: bytes, key: str) -> dict:
    """Return the message in `line`, empty if it does not come from the judge."""
    try:
        message = json.loads(line)
        return message if message.pop("key") == key else {}
    except (ValueError, RecursionError, AttributeError, LookupError, TypeError):
        return {}


def start_python(*before: str) -> subprocess.Popen:
    """Start a Python that runs a judge; before: a program, with arguments, that runs `child`."""
    child = Path(__file__).with_name("child.py")
    apart: dict = {"start_new_session": True}  # an interrupt of the kernel is ours to deal with
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return subprocess.Popen(
        [sys.executable, "-I", "-X", "utf8", *before, str(child)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        **apart,
    )


def _talk(process: subprocess.Popen, job: dict, lines: queue.SimpleQueue) -> None:
    try:
        with process.stdin:
            process.stdin.write(json.dumps(job).encode())
        with process.stdout:
            left = _MOST
            while left > 0 and (line := process.stdout.readline(left)):
                lines.put(line)
                left -= len(line)
    except (OSError, ValueError):
        pass  # it died: what it said so far is all there is
    lines.put(None)


def _wait(process: subprocess.Popen) -> int | None:
    try:
        return process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        return None


def _stop(process: subprocess.Popen) -> None:
    if sys.platform != "win32":
        try:
            os.killpg(process.pid, 9)  # what it has started goes with it
        except (ProcessLookupError, PermissionError):
            pass
    process.kill()
    process.wait()
