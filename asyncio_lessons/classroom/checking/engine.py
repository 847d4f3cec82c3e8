"""Check the code of an exercise's cell, in a process of its own, under a time limit.

`check` is what ``%%exercise`` calls. The kernel parses the code and cuts it to pieces, and never
runs it: `child` does. Whatever happens there ends here as one sentence in a `Report`.
"""

import ast
import json
import os
import queue
import secrets
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from .. import workshop
from . import graft
from .catalog import Exercise, find, names
from .report import FAILED, INTERRUPTED, NOT_STARTED, PASSED, Report, Row

SECONDS = 1.2  # what the reader's code may take; on the virtual clock a check takes milliseconds
_GRACE = 0.4  # after which a process that does not stop by itself is stopped from here
_START = 20.0  # a machine under load may take long to start Python: not the reader's time
_MOST = 8_000_000  # bytes; what the checks say is a thousandth of it
_ROOT = Path(__file__).parents[3]


def check(name: str, code: str, *, keep: bool = True) -> Report:
    """Check `code` as the answer to the exercise `name`; what passes joins the reader's package.

    Returns a report, also for code that cannot run at all; with ``keep=False`` nothing is written.
    Raises UnknownExercise.
    """
    exercise = find(name)
    if is_stub(exercise, code):
        return not_started(exercise, workshop.has_passed(name))
    report = examine(exercise, code, workshop.texts())
    if report.status == FAILED and report.rows and workshop.exists():
        _blame(report, examine(exercise, code, workshop.course_texts()))
    if report.status == PASSED and keep:
        report.notes += workshop.join(exercise, code)
    return report


def examine(
    exercise: Exercise,
    code: str,
    texts: dict[str, str],
    start: Callable | None = None,
    seconds: float = SECONDS,
    picture: bool = True,
) -> Report:
    """Run the checks on `code` inside a package of the modules `texts`; nothing is written.

    start: makes the process that runs them, a new Python unless given; seconds: what the code may
    take; picture: whether to show what it does.
    """
    if problem := _unreadable(code) or _incomplete(exercise, code):
        return Report(exercise.name, exercise.title, FAILED, sentence=problem)
    return _Run(exercise, code, texts, start or start_python, seconds, picture).report()


def check_again() -> str:
    """Check all that has passed again, as the reader's package is now; say what fails now."""
    if not workshop.exists():
        return str(workshop.status())
    said = [f"{m.name}.py {m.detail}." for m in workshop.status().modules if m.problem]
    now = workshop.texts()
    for exercise in map(find, filter(workshop.has_passed, names())):
        if exercise.module and (problem := _no_longer(exercise, now)):
            said.append(f"{exercise.name}: {problem}")
    return "\n".join(said) or "All that has passed still holds."


def _no_longer(exercise: Exercise, now: dict[str, str]) -> str:
    """Say what the answer in the reader's package fails now, or nothing."""
    try:
        code = graft.extract(now[exercise.module], exercise.builds + exercise.also)
    except LookupError as error:
        return f"{error}."
    return examine(exercise, code, now).sentence


def is_stub(exercise: Exercise, code: str) -> bool:
    """Tell whether the cell is as it was given: layout and comments do not count."""
    return not code.strip() or graft.same_code(code, exercise.stub) or graft.same_code(code, "")


def not_started(exercise: Exercise, passed: bool = False) -> Report:
    """Return the report of a cell that holds the stub, or nothing."""
    size = f"about {exercise.lines} line{'s' if exercise.lines > 1 else ''}"
    sentence = f"{exercise.title} ({size}). Stuck? `%hint {exercise.name}`"
    if passed:
        sentence = f"This cell holds the stub; your answer passed earlier. {exercise.title}."
    return Report(exercise.name, exercise.title, NOT_STARTED, sentence=sentence)


def _unreadable(code: str) -> str:
    """Say why the code cannot be parsed, or nothing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "your cell", "exec", dont_inherit=True)
    except SyntaxError as error:
        line = f"Line {error.lineno} of your code" if error.lineno else "Your code"
        text = (error.text or "").strip()
        shown = f": `{text}`" if text else ""
        return f"{line} is not Python yet ({error.msg}){shown}."
    except (ValueError, MemoryError, RecursionError) as error:
        return f"Your code cannot be read as Python: {error}."
    return ""


def _incomplete(exercise: Exercise, code: str) -> str:
    """Say which of the names to build is missing or still as in the stub, or nothing."""
    mine, given = graft.defined(code), graft.defined(exercise.stub)
    for name in exercise.builds:
        if name not in mine:
            return f"Your code does not define `{name}`."
        if mine[name] == given.get(name) and "value=Ellipsis" in mine[name]:
            return f"`{name}` is still as in the stub: write its body."
    return _foreign(code)


def _foreign(code: str) -> str:
    for node in ast.walk(ast.parse(code)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        for name in names:
            if name.split(".")[0] in ("asyncio", "asyncio_lessons", "my_asyncio"):
                return f"Line {node.lineno} imports `{name}`: leave it out, the names are there."
    return ""


def _blame(report: Report, alone: Report) -> None:
    if alone.status == PASSED:
        report.notes.append(
            "With the course's modules around it this code passes: something else in your "
            "my_asyncio is in its way. `%workshop check` says what."
        )


class _Run:
    """One process, and what it has said so far."""

    def __init__(
        self,
        exercise: Exercise,
        code: str,
        texts: dict[str, str],
        start: Callable,
        seconds: float,
        picture: bool,
    ) -> None:
        self.start = start
        self.seconds = seconds
        self.exercise = exercise
        self.code = code
        self.rows = [Row(check.claim) for check in exercise.checks]
        self.at: int | None = None  # the check that was running
        self.printed = ""
        self.warned: list[str] = []
        self.failure = ""  # what ended it before its end
        self.finished = False
        self.picture: dict = {}
        # Only a message with the key counts: the reader's code may find the pipe, and write to it.
        self.key = secrets.token_hex(16)
        self.job = {**self._job(texts), "picture": picture, "key": self.key}

    def _job(self, texts: dict[str, str]) -> dict:
        module, lines, course = self.exercise.module, {}, workshop.course_texts()
        if module:
            grafted = graft.graft(texts[module], self.code, self.exercise.name)
            texts, lines = {**texts, module: grafted.text}, grafted.lines
        return {
            "exercise": self.exercise.name,
            "module": module,
            "code": self.code,
            "names": list(graft.defined(self.code)),
            "scratch": graft.scratch(self.code),
            "lines": lines,
            "sources": {m: text for m, text in texts.items() if text != course[m]},
            "seconds": self.seconds,
            "root": str(_ROOT),
        }

    def report(self) -> Report:
        """Run the checks to the end, or as far as they come, and report."""
        name, title = self.exercise.name, self.exercise.title
        try:
            self._converse()
        except KeyboardInterrupt:
            stopped = "You interrupted the check. Nothing was changed."
            return Report(name, title, INTERRUPTED, self.rows, stopped, printed=self.printed)
        if self.failure and self.at is not None:
            self.rows[self.at].holds = False
        wrong = next((row.sentence for row in self.rows if row.holds is False), "")
        passed = self.finished and all(row.holds for row in self.rows)
        sentence = "" if passed else wrong or self.failure
        notes = (
            [] if passed else [f"Python warned: {text}" for text in dict.fromkeys(self.warned)][:2]
        )
        status = PASSED if passed else FAILED
        return Report(name, title, status, self.rows, sentence, notes, self.printed, self.picture)

    def _converse(self) -> None:
        try:
            process = self.start()
        except OSError as error:  # such as in a browser
            self.failure = f"This Python cannot start another one to check your code in ({error})."
            return
        lines: queue.SimpleQueue = queue.SimpleQueue()
        threading.Thread(target=_talk, args=(process, self.job, lines), daemon=True).start()
        try:
            self._listen(lines)
            if not self.finished and not self.failure:
                self.failure = _died(_wait(process))
        finally:
            _stop(process)

    def _listen(self, lines: queue.SimpleQueue) -> None:
        end = time.monotonic() + _START
        while True:
            try:  # a short wait each time: on Windows only that can be interrupted
                line = lines.get(timeout=0.05)
            except queue.Empty:
                if time.monotonic() > end:
                    self.failure = _stuck("", self.seconds)
                    return
                continue
            if line is None:
                return
            message = self._signed(line)
            if "ready" in message:
                end = time.monotonic() + self.seconds + _GRACE
            self._hear(message)

    def _signed(self, line: bytes) -> dict:
        """Return the message in `line`, empty if it is not the checks'."""
        try:
            message = json.loads(line)
            return message if message.pop("key") == self.key else {}
        except (ValueError, RecursionError, AttributeError, LookupError, TypeError):
            return {}

    def _hear(self, message: dict) -> None:
        self.printed = message.get("printed", self.printed)
        self.warned = message.get("warned", self.warned)
        if "stuck" in message:
            self.failure = self.failure or (
                "" if self.finished else _stuck(message["stuck"], self.seconds)
            )
        elif "film" in message or "xray" in message:
            self.picture = message
        elif "number" in message:
            self._judge(self.rows[message["number"]], message["row"])
        elif "row" in message:  # the code itself did not run to its end
            self.failure = message["row"]["sentence"]
        elif "begin" in message:
            self.at = message["begin"]
        elif "end" in message:
            self.finished = True

    def _judge(self, row: Row, verdict: dict) -> None:
        row.holds = verdict["holds"]
        row.yours = verdict.get("yours", "")
        row.expected = verdict.get("expected", "")
        row.sentence = verdict.get("sentence", "")


def start_python(*before: str) -> subprocess.Popen:
    """Start a Python that runs the checks; before: a program, with arguments, that runs `child`."""
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


def _stuck(place: str, seconds: float) -> str:
    where = f" It was at {place}." if place else ""
    return f"Your code did not come to an end within {seconds:g} seconds, and was stopped.{where}"


def _died(status: int | None) -> str:
    how = "" if status is None else f" (exit status {status})"
    return f"Your code ended the Python process it ran in{how}: no os._exit(), no crash."
