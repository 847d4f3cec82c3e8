"""Judge the code of an exercise's cell: load it, run the checks, put what happens in words.

How the code is run is not known here: `process` starts a Python of its own for it, `in_place` runs
it in this one. Both give a `Judge` a job and a way to send what it finds, message by message, so
that it is known how far the code came whatever it does.
"""

import io
import linecache
import os
import sys
import threading
import time
import traceback
import types
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path

PACKAGE = "my_asyncio"
CELL = "your cell"
_COURSE = str(Path(__file__).parents[2])


class Stop(BaseException):
    """Ends the run, past whatever the code catches: with a sentence on why."""


class Blocked(BaseException):
    """The reader's code called time.sleep in the thread of the loop."""


class NoInput(BaseException):
    """The reader's code asked for input."""


class Sources:
    """Import the reader's package: the texts in the job, and the course's modules for the rest.

    Nothing is written to disk, and the course's compiled files are used.
    """

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts

    def find_spec(self, fullname, path=None, target=None):
        stem = _stem(fullname)
        if fullname.partition(".")[0] != PACKAGE or stem.startswith("annexes.speed"):
            return None  # `speed` stays away: it would replace what the reader writes
        if not (stem in self.texts or os.path.exists(_course_path(stem))):
            return None
        package = stem.endswith("__init__")
        spec = ModuleSpec(fullname, self, origin=_origin(stem), is_package=package)
        spec.has_location = True  # so that a traceback can show lines of it
        return spec

    def create_module(self, spec):
        return None  # as usual

    def exec_module(self, module):
        exec(self.get_code(module.__name__), vars(module))

    def get_source(self, fullname):
        return self.texts.get(_stem(fullname))

    def get_code(self, fullname):
        stem = _stem(fullname)
        if stem in self.texts:
            return compile(self.texts[stem], _origin(stem), "exec", dont_inherit=True)
        return SourceFileLoader(f"course.{stem}", _course_path(stem)).get_code(f"course.{stem}")


def _stem(fullname: str) -> str:
    stem = fullname.partition(".")[2]
    return {"": "__init__", "annexes": "annexes.__init__"}.get(stem, stem)


def _origin(stem: str) -> str:
    return f"{PACKAGE}/{stem.replace('.', '/')}.py"


def _course_path(stem: str) -> str:
    return os.path.join(_COURSE, f"{stem.replace('.', os.sep)}.py")


class Prints(io.TextIOBase):
    """What the reader's code prints, up to a page of it."""

    encoding = "utf-8"

    def __init__(self, room: int = 2000) -> None:
        self.parts: list[str] = []
        self.room = room
        self.cut = 0

    def write(self, text: str) -> int:
        kept = text[: self.room]
        if kept:
            self.parts.append(kept)
        self.room -= len(kept)
        self.cut += len(text) - len(kept)
        return len(text)

    def text(self) -> str:
        more = f"\n... and {self.cut:,} more characters" if self.cut else ""
        return "".join(self.parts) + more


class Judge:
    """The judge of one answer.

    job: the exercise's name, the code, and the package it belongs into, as `engine` puts it
    together; send: takes each message, a dict that can be written as JSON.
    """

    def __init__(self, job: dict, send: Callable[[dict], None]) -> None:
        self.job = job
        self.send = send
        self.prints = Prints()
        self.warned: list[str] = []
        self.thread = threading.get_ident()  # the one that the code runs in
        self.rest = time.sleep  # kept here: the code may replace it
        self.blocked = ""  # what is said of the first time.sleep in the thread of the loop

    def keep_warning(self, message, category, *_) -> None:
        """Keep a warning that names something of the reader's ("'tick' was never awaited")."""
        if any(f"'{name}'" in str(message) for name in self.job["names"]):
            self.warned.append(f"{category.__name__}: {message}")

    def say(self, **message: object) -> None:
        self.send(message)

    # -- the reader's code ----------------------------------------------------------------------

    def load(self):
        """Import the reader's module, or run the reader's cell; return what checks are given."""
        package = import_module(PACKAGE)
        code = self.job["code"]
        linecache.cache[CELL] = (len(code), None, code.splitlines(keepends=True), CELL)
        if not self.job["module"]:
            cell = types.ModuleType("cell")
            cell.aio = package
            self.run_text(code, vars(cell))
            return cell
        module = import_module(f"{PACKAGE}.{self.job['module']}")
        self.run_text(self.job["scratch"], vars(module))
        return package

    def sleep(self, seconds: float) -> None:
        """Stand in for time.sleep: the reader's code may sleep in a thread, not where tasks run."""
        frame = sys._getframe(1)
        place = self.place([(frame.f_code.co_filename, frame.f_lineno)])
        if threading.get_ident() != self.thread or not place:
            return self.rest(seconds)
        self.blocked = self.blocked or (
            "time.sleep blocks the whole loop: no other task runs until it returns "
            f"({place}). Wait with something that can be awaited."
        )
        raise Blocked

    def run_text(self, text: str, names: dict) -> None:
        if text.strip():
            exec(compile(text, CELL, "exec", dont_inherit=True), names)

    def line_of(self, filename: str, number: int) -> int:
        """Return which line of the reader's cell that is, 0 if it is none."""
        if filename == CELL:
            return number
        if filename == f"{PACKAGE}/{self.job['module']}.py":
            return self.job["lines"].get(str(number), 0)
        return 0

    def place(self, frames) -> str:
        """Say where in the reader's cell the innermost of `frames` (filename, line) is."""
        for filename, number in reversed(list(frames)):
            if line := self.line_of(filename, number):
                text = self.job["code"].split("\n")[line - 1].strip()
                return f"line {line} of your code: `{text}`"
        return ""

    # -- checks ---------------------------------------------------------------------------------

    def attempt(self, check, target) -> dict:
        from .expect import Refused

        try:
            check.look(target)
        except Stop:
            raise
        except Refused as refused:
            row = refused.row()
        except BaseException as error:
            row = self.row(error, check.why)
        else:
            row = {"holds": True}
        return {"holds": False, "sentence": self.blocked} if self.blocked else row

    def row(self, error: BaseException, why: str = "") -> dict:
        frames = ((f.f_code.co_filename, n) for f, n in traceback.walk_tb(error.__traceback__))
        where = self.place(frames)
        sentence = self.blocked or f"{_in_words(error, where)} {why}".rstrip()
        return {"holds": False, "yours": type(error).__name__, "sentence": sentence}

    def run(self) -> None:
        """Load the code and run each check; what is found is sent."""
        from .catalog import find
        from .seal import broken, seal

        exercise = find(self.job["exercise"])
        before = seal()
        try:
            target = self.load()
        except Stop:
            raise
        except BaseException as error:
            self.say(row=self.row(error), printed=self.prints.text())
            return
        for number, check in enumerate(exercise.checks):
            self.say(begin=number)
            self.say(number=number, row=self.attempt(check, target))
        if name := broken(before):
            says = f"Your code changes `{name}`, which checks it: leave it as it is."
            self.say(row={"sentence": says}, printed=self.prints.text())
            return
        self.say(end=True, printed=self.prints.text(), warned=self.warned)
        if exercise.show is not None and self.job["picture"]:
            self.say(**_picture(exercise.show, target))


def _picture(show, target) -> dict:
    """Return the film that `show` makes, or the X-ray; nothing where that fails."""
    from ..filming.film import Film
    from ..pictures.xray import xray

    try:
        made = show(target)
        if not isinstance(made, Film):
            return {"xray": str(xray(made))}
        events = [event[:5] for event in made.events]
        return {"film": [made.tasks, events, made.duration, made.loop]}
    except BaseException:
        return {}


def _in_words(error: BaseException, where: str) -> str:
    at = f" ({where})" if where else ""
    if isinstance(error, SystemExit):
        return f"Your code ends the whole program with sys.exit() or exit(){at}: take that out."
    if isinstance(error, RecursionError):
        return f"Your code calls itself without end (RecursionError){at}."
    if isinstance(error, NoInput):
        return f"Your code asks for input(){at}: nothing can be typed here, so leave it out."
    if isinstance(error, KeyboardInterrupt):
        return f"Your code raised KeyboardInterrupt{at}."
    name, text = type(error).__name__, _text(error)
    return f"Your code raised {name}{': ' if text else ''}{text}{at}."


def _text(error: BaseException) -> str:
    try:
        return " ".join(str(error).split())[:240].rstrip(".")
    except BaseException:
        return ""


def no_input(*_: object) -> None:
    """Stand in for `input`, where nothing can be typed."""
    raise NoInput


def stuck(place: str, seconds: float) -> str:
    """Say that the code was stopped after so many seconds; place: the line it was at, if known."""
    where = f" It was at {place}." if place else ""
    return f"Your code did not come to an end within {seconds:g} seconds, and was stopped.{where}"


def died(status: int | None) -> str:
    """Say that the code ended the Python it ran in, with this exit status if it is known."""
    how = "" if status is None else f" (exit status {status})"
    return f"Your code ended the Python process it ran in{how}: no os._exit(), no crash."
