"""Run the checks of one exercise in a process of its own: ``python -I child.py < job``.

The job comes as JSON on stdin; what is found goes out line by line as JSON, so that the kernel
knows how far it came whatever happens here. Prints of the reader's code do not reach that pipe.
"""

import builtins
import io
import json
import linecache
import os
import sys
import threading
import time
import traceback
import types
import warnings
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader

PACKAGE = "my_asyncio"
CELL = "your cell"
# Kept here, since the reader's code may replace them where they come from.
_exit, _frames, _monotonic, _sleep = os._exit, sys._current_frames, time.monotonic, time.sleep


class _Sources:
    """Import the reader's package: the texts in the job, and the course's modules for the rest.

    Nothing is written to disk, and the course's compiled files are used.
    """

    def __init__(self, texts: dict[str, str], course: str) -> None:
        self.texts = texts
        self.course = course

    def find_spec(self, fullname, path=None, target=None):
        stem = _stem(fullname)
        if fullname.partition(".")[0] != PACKAGE or stem == "annexes.speed":
            return None  # `speed` stays away: it would replace what the reader writes
        if not (stem in self.texts or os.path.exists(self.path(stem))):
            return None
        package = stem.endswith("__init__")
        spec = ModuleSpec(fullname, self, origin=_origin(stem), is_package=package)
        spec.has_location = True  # so that a traceback can show lines of it
        return spec

    def path(self, stem):
        return os.path.join(self.course, f"{stem.replace('.', os.sep)}.py")

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
        return SourceFileLoader(f"course.{stem}", self.path(stem)).get_code(f"course.{stem}")


def _stem(fullname: str) -> str:
    stem = fullname.partition(".")[2]
    return {"": "__init__", "annexes": "annexes.__init__"}.get(stem, stem)


def _origin(stem: str) -> str:
    return f"{PACKAGE}/{stem.replace('.', '/')}.py"


class _Prints(io.TextIOBase):
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


class _Child:
    def __init__(self, job: dict, out) -> None:
        self.job = job
        self.key = job.pop("key")
        self.out = out
        self.lock = threading.Lock()
        self.prints = _Prints()
        self.warned: list[str] = []
        self.main = threading.get_ident()
        self.blocked = ""  # what is said of the first time.sleep in the thread of the loop

    def send(self, **message) -> None:
        with self.lock:
            self.out.write(json.dumps({**message, "key": self.key}) + "\n")
            self.out.flush()

    def hear_warning(self, message, category, *_) -> None:
        """Keep a warning that names something of the reader's ("'tick' was never awaited")."""
        if any(f"'{name}'" in str(message) for name in self.job["names"]):
            self.warned.append(f"{category.__name__}: {message}")

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
        if threading.get_ident() != self.main or not place:
            return _sleep(seconds)
        self.blocked = self.blocked or (
            "time.sleep blocks the whole loop: no other task runs until it returns "
            f"({place}). Wait with something that can be awaited."
        )
        raise _Blocked

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
        from asyncio_lessons.classroom.checking.expect import Refused

        try:
            check.look(target)
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

    def watch(self, seconds: float) -> None:
        """Stop everything when the time is over, and say which line was running."""
        end = _monotonic() + seconds
        while _monotonic() < end:
            _sleep(min(0.05, seconds))
        frame, frames = _frames().get(self.main), []
        while frame is not None:
            frames.append((frame.f_code.co_filename, frame.f_lineno))
            frame = frame.f_back
        self.send(stuck=self.place(reversed(frames)), printed=self.prints.text())
        _exit(3)

    def run(self) -> None:
        from asyncio_lessons.classroom.checking.catalog import find
        from asyncio_lessons.classroom.checking.seal import broken, seal

        exercise = find(self.job["exercise"])
        threading.Thread(target=self.watch, args=(self.job["seconds"],), daemon=True).start()
        self.send(ready=True)
        before = seal()
        try:
            target = self.load()
        except BaseException as error:
            self.send(begin="your code runs", row=self.row(error), printed=self.prints.text())
            return
        for number, check in enumerate(exercise.checks):
            self.send(begin=number)
            self.send(number=number, row=self.attempt(check, target))
        if name := broken(before):
            says = f"Your code changes `{name}`, which checks it: leave it as it is."
            self.send(row={"sentence": says}, printed=self.prints.text())
            return
        self.send(end=True, printed=self.prints.text(), warned=self.warned)
        if exercise.show is not None and self.job["picture"]:
            self.send(**_picture(exercise.show, target))


def _picture(show, target) -> dict:
    """Return the film that `show` makes, or the X-ray; nothing where that fails."""
    from asyncio_lessons.classroom.filming.film import Film
    from asyncio_lessons.classroom.pictures.xray import xray

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
    if isinstance(error, _NoInput):
        return f"Your code asks for input(){at}: nobody is there to type, so leave it out."
    if isinstance(error, KeyboardInterrupt):
        return f"Your code raised KeyboardInterrupt{at}."
    name, text = type(error).__name__, _text(error)
    return f"Your code raised {name}{': ' if text else ''}{text}{at}."


def _text(error: BaseException) -> str:
    try:
        return " ".join(str(error).split())[:240].rstrip(".")
    except BaseException:
        return ""


class _Blocked(BaseException):
    """The reader's code called time.sleep in the thread of the loop."""


class _NoInput(BaseException):
    """The reader's code asked for input."""


def _no_input(*_):
    raise _NoInput


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
    child = _Child(job, out)
    sys.meta_path.insert(0, _Sources(job["sources"], os.path.join(job["root"], "asyncio_lessons")))
    sys.stdout, sys.stderr = child.prints, _Prints()
    builtins.input = _no_input
    time.sleep = child.sleep
    warnings.showwarning = child.hear_warning
    _limit_memory()
    child.run()
    _exit(0)  # threads the reader's code has left behind end here


if __name__ == "__main__":
    main()
