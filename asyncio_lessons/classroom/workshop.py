"""The reader's own package: `my_asyncio`, a copy of the staircase that becomes the reader's.

It is made when the first exercise passes, in the folder the notebook runs in. From then on each
answer that passes is put into its module in the place of the course's code (`exercises.graft`).
Whatever happens to the files, a lesson runs: what cannot be used is named, and the course's code
stands in. A file that the reader edited is never overwritten before a copy of it is kept.
"""

import hashlib
import importlib
import json
import os
import shutil
import subprocess
import sys
import warnings
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from types import ModuleType
from typing import Any

from .checking import graft
from .checking.catalog import FILES, Exercise, find

NAME = "my_asyncio"
MODULES = (
    "generators",
    "delegation",
    "coroutines",
    "futures",
    "tasks",
    "event_loop",
    "sockets",
    "waiting",
    "queues",
    "locks",
)
_COURSE = Path(__file__).parents[1]
# What surrounds the modules. Speed stays away: it would replace methods that the reader writes.
_ANNEXES = sorted(
    f"annexes.{p.stem}" for p in _COURSE.glob("annexes/*.py") if not p.stem.startswith("speed")
)
_RECORD = "written.json"  # what was written, to see what the reader has edited since
_started_in = Path.cwd()  # a later os.chdir in a cell does not move the reader's package


# -- where it is --------------------------------------------------------------------------------


def folder() -> Path:
    """Return the folder of the reader's package, whether there is one yet or not."""
    return Path(os.environ.get("ASYNCIO_LESSONS_WORKSHOP") or _started_in) / NAME


def exists() -> bool:
    """Tell whether the reader has a package."""
    return any(folder().glob("*.py"))  # what else lies there are answers to predictions


def course_texts() -> dict[str, str]:
    """Return the course's modules: name to source."""
    return {module: _read(_path(module, _COURSE)) for module in _all_modules()}


def texts() -> dict[str, str]:
    """Return the modules a new answer is checked in: the reader's, the course's where broken."""
    found = course_texts()
    if exists():
        found |= {m: text for m in found if (text := _read(_path(m))) and not _broken(text)}
    return found


def _all_modules() -> list[str]:
    return ["__init__", *MODULES, *_ANNEXES]


def _path(module: str, home: Path | None = None) -> Path:
    return (home or folder()) / f"{module.replace('.', '/')}.py"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8", newline="\n")
    os.replace(new, path)  # a reader who interrupts has the old file or the new one


@lru_cache(64)
def _broken(text: str) -> str:
    """Say why a module's text cannot be compiled, or nothing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, NAME, "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, MemoryError, RecursionError) as error:
        return str(error)
    return ""


# -- answers join it ----------------------------------------------------------------------------


def join(exercise: Exercise, code: str) -> list[str]:
    """Put an answer that passed into the reader's package; return sentences on what was done."""
    notes = [] if exists() else [f"This made your own package, {NAME}/, a copy of the course's."]
    for module in _refresh():
        notes.append(f"{NAME}/{module}.py was missing or broken, and is in order again.")
    _write(_answer(exercise.name), code.strip("\n") + "\n")
    return [*notes, *_join_module(exercise, code)] if exercise.module else notes


def _join_module(exercise: Exercise, code: str) -> list[str]:
    module, record = exercise.module, _record()
    before = _read(_path(module))
    after = graft.graft(before, code, exercise.name).text
    notes = []
    if _is_edited(module, record) and before != after:
        notes.append(_keep(_path(module)))
    _write(_path(module), after)
    record["written"][module] = _sum(after)
    _write(folder() / _RECORD, json.dumps(record, indent=1) + "\n")
    done, of = _share(module)
    share = ", which is all yours now." if done == of else f" ({done} of its {of} exercises)."
    return [*notes, f"Your {_and(exercise.builds)} joined {NAME}/{module}.py{share}"]


def _answer(name: str) -> Path:
    return folder() / "answers" / f"{name}.py"


def lines_of(module: str) -> int:
    """Return how many lines of code of a module are the reader's: those of the answers."""
    answers = [_read(_answer(name)) for name in _exercises_of(module)]
    lines = (line.strip() for answer in answers for line in answer.splitlines())
    return sum(bool(line) and not line.startswith("#") for line in lines)


def has_passed(name: str) -> bool:
    """Tell whether an answer to the exercise has passed (and its module was not put back)."""
    return _answer(name).exists()


def _refresh() -> list[str]:
    """Write the modules that are missing or broken, and those of an older course; name the first.

    A module is put together from the course's text and the answers that passed.
    """
    new = not exists()
    record = _record()
    mended = []
    for module in _all_modules():
        text, course = _read(_path(module)), _read(_path(module, _COURSE))
        missing = not text or bool(_broken(text))
        known = record["course"].get(module, _sum(course))
        outdated = known != _sum(course) and not _is_edited(module, record)
        if not missing and not outdated:
            continue
        if text and missing:
            _keep(_path(module))
        text = _assembled(module)
        _write(_path(module), text)
        record["written"][module], record["course"][module] = _sum(text), _sum(course)
        if missing and not new:
            mended.append(module)
    _write(folder() / _RECORD, json.dumps(record, indent=1) + "\n")
    return mended


def _assembled(module: str) -> str:
    text = _read(_path(module, _COURSE))
    for name in _exercises_of(module):
        answer = _read(_answer(name))
        if answer and not _broken(answer):
            text = graft.graft(text, answer, name).text
    return text


def _record() -> dict:
    empty: dict = {"written": {}, "course": {}}
    try:
        found = json.loads(_read(folder() / _RECORD))
        return {key: type(value)(found[key]) for key, value in empty.items()}
    except (ValueError, TypeError, KeyError):
        return empty


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _is_edited(module: str, record: dict) -> bool:
    return module in record["written"] and _sum(_read(_path(module))) != record["written"][module]


def _keep(path: Path) -> str:
    """Copy a file that is about to be overwritten; say where the copy is."""
    number = 1
    while (copy := folder() / "kept" / f"{path.stem}.{number}.py").exists():
        number += 1
    copy.parent.mkdir(exist_ok=True)
    copy.write_bytes(path.read_bytes())
    return f"You had edited {NAME}/{path.name}: a copy is in {NAME}/kept/{copy.name}."


# -- handing in ---------------------------------------------------------------------------------


def pack() -> str:
    """Pack the reader's package into a zip beside it, to be handed in; say where it is."""
    if not exists():
        return f"There is no {NAME}/ yet: the first exercise to pass makes it."
    made = Path(shutil.make_archive(str(folder()), "zip", folder().parent, NAME))
    passed = sum(path.suffix == ".py" for path in (folder() / "answers").glob("*"))
    return f"{made.name} is beside your lessons, with {passed} answers in it: hand in that file."


# -- putting back -------------------------------------------------------------------------------


def restore(module: str) -> str:
    """Put a module of the reader's package back to the course's, and say what was done.

    module: "futures", or "all". What the reader wrote is kept, in ``my_asyncio/kept``.
    """
    if not exists():
        return f"There is no {NAME}/ yet: all code that runs is the course's."
    if module == "all":
        return "\n".join(restore(each) for each in MODULES)
    if module not in _all_modules():
        return f"There is no module {module!r}: one of {', '.join(MODULES)}, or all."
    record = _record()
    said = [_keep(_path(module))] if _is_edited(module, record) and _path(module).exists() else []
    course = _read(_path(module, _COURSE))
    _write(_path(module), course)
    record["written"][module] = record["course"][module] = _sum(course)
    _write(folder() / _RECORD, json.dumps(record, indent=1) + "\n")
    said.append(f"{NAME}/{module}.py is the course's again.")
    if gone := [name for name in _exercises_of(module) if has_passed(name)]:
        for name in gone:
            _keep(_answer(name))
            _answer(name).unlink()
        said.append(f"Your answers to {_and(gone)} are in {NAME}/kept/.")
    return " ".join(said)


def _exercises_of(module: str) -> list[str]:
    return [name for name in FILES.get(module, ()) if find(name).module == module]


# -- whose code runs ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Module:
    """One module of the reader's package: what in it is the reader's, whether it can be used."""

    name: str
    yours: tuple[str, ...] = ()
    course: tuple[str, ...] = ()
    done: int = 0
    of: int = 0
    edited: bool = False
    problem: str = ""

    @property
    def owner(self) -> str:
        """Say whose it is in a word or two: "yours", "partly yours", "the course's"."""
        if self.of and self.done == self.of:
            return "yours"
        return "partly yours" if self.yours else "the course's"

    @property
    def detail(self) -> str:
        """Say which part of it is the reader's, or why it cannot be used."""
        if self.problem:
            return f"cannot be used ({self.problem}): `%workshop restore {self.name}` puts it back"
        parts = [f"{self.done} of {self.of} exercises"] if self.of else []
        parts += [f"{', '.join(self.yours)}"] if self.yours else []
        parts += ["edited by hand"] if self.edited else []
        return "; ".join(parts)


def status() -> "Status":
    """Return whose code runs, module by module; shows itself as a table."""
    return Status([_module_status(name) for name in MODULES] if exists() else [])


def _module_status(name: str) -> Module:
    text, course = _read(_path(name)), _read(_path(name, _COURSE))
    done, of = _share(name)
    problem = "the file is missing" if not text else _broken(text)
    if problem:
        return Module(name, done=done, of=of, problem=problem)
    mine, theirs = graft.defined(text), graft.defined(course)
    changed = graft.marked(text) | {key for key, code in mine.items() if theirs.get(key) != code}
    inner = {key for key in changed if "." in key}
    changed -= {key.partition(".")[0] for key in inner}  # the class, where its methods say it
    tops = [key for key in mine if "." not in key and not key.startswith("_")]
    yours = tuple(t for t in tops if t in changed or any(c.startswith(f"{t}.") for c in inner))
    rest = tuple(t for t in tops if t not in yours and t.isidentifier() and not t.isupper())
    return Module(name, yours, rest, done, of, _is_edited(name, _record()))


def _share(module: str) -> tuple[int, int]:
    held = _exercises_of(module)
    return sum(map(has_passed, held)), len(held)


@dataclass(frozen=True)
class Status:
    """Whose code runs; ``str()`` of it is a text, a notebook shows a table."""

    modules: list[Module]

    def __str__(self) -> str:
        if not self.modules:
            return f"All code that runs is the course's: the first exercise to pass makes {NAME}/."
        return "\n".join(f"{m.name:11} {m.owner:13} {m.detail}".rstrip() for m in self.modules)

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        if not self.modules:
            return {"text/plain": str(self)}
        rows = [(m.name, m.owner, m.detail) for m in self.modules]
        return {"text/plain": str(self), "text/html": _table(rows)}

    def sentence(self) -> str:
        """Return it in one line: "Future, Task: yours; the rest: the course's"."""
        yours = [name for m in self.modules if not m.problem for name in m.yours]
        if not yours:
            return "All code that runs is the course's."
        rest = sum(len(m.course) for m in self.modules)
        return f"{', '.join(yours)}: yours" + ("; the rest: the course's." if rest else ".")


def _table(rows: list[tuple[str, ...]]) -> str:
    cell = '<td style="text-align:left;padding:1px 12px 1px 0">'
    lines = ["".join(f"{cell}{escape(text)}</td>" for text in row) for row in rows]
    body = "".join(f'<tr style="background:none">{line}</tr>' for line in lines)
    return f'<table style="border-collapse:collapse;color:inherit">{body}</table>'


# -- running it ---------------------------------------------------------------------------------


def package(say: bool = True) -> ModuleType:
    """Return the package a lesson runs on: `my_asyncio` if it is healthy, else the course's.

    With `say` (the default) it prints one line on whose code that is.
    """
    found, sentence = _healthy()
    if say:
        print(sentence)
    return found


def _healthy() -> tuple[ModuleType, str]:
    course = importlib.import_module(_COURSE.name)
    if not exists():
        return course, "All code that runs is the course's."
    now = status()
    problems = [f"{NAME}/{m.name}.py ({m.problem})" for m in now.modules if m.problem]
    stand_in = "The course's code runs instead; `%workshop` says how to put yours in order."
    if problems:
        return course, f"{_and(problems)} cannot be used. {stand_in}"
    # Only what the reader has edited can hang here, or end the kernel: another Python tries it.
    problem = _trial() if any(m.edited for m in now.modules) else ""
    if not problem:
        try:
            return _import(), now.sentence()
        except Exception as error:
            _forget()
            problem = f"{type(error).__name__}: {error}".partition("\n")[0]
    return course, f"{NAME} cannot be imported ({problem}). {stand_in}"


def _trial() -> str:
    """Import the reader's package in a Python of its own; say what is wrong, or nothing."""
    lines = [f"import {NAME}.{module}" for module in MODULES]
    code = "\n".join(
        [f"import sys; sys.path.insert(0, {str(folder().parent)!r})", *lines, "print(1)"]
    )
    command = [sys.executable, "-I", "-X", "utf8", "-c", code]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=3)
    except subprocess.TimeoutExpired:
        return "it does not come to an end"
    except OSError:
        return ""  # no second Python here: the import itself will tell
    if done.stdout.rstrip().endswith(b"1"):
        return ""
    said = done.stderr.decode(errors="replace").strip().splitlines()
    return said[-1] if said else "it ends the program"


_loaded = ""  # the state of the files when they were imported


def _import() -> ModuleType:
    global _loaded
    state = f"{folder()} " + " ".join(_sum(_read(_path(m))) for m in _all_modules())
    if state != _loaded or NAME not in sys.modules:
        _forget()
    home = str(folder().parent)
    sys.path.insert(0, home)
    try:
        importlib.invalidate_caches()
        for module in MODULES:
            importlib.import_module(f"{NAME}.{module}")
    finally:
        sys.path.remove(home)
    _loaded = state
    return sys.modules[NAME]


def _forget() -> None:
    for name in [n for n in sys.modules if n == NAME or n.startswith(f"{NAME}.")]:
        del sys.modules[name]


def _and(words: Any) -> str:
    *most, last = [f"`{word}`" if "/" not in word else word for word in words]
    return f"{', '.join(most)} and {last}" if most else last
