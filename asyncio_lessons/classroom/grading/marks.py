"""Mark one hand-in: check again each answer in it, each in a jail of its own.

``python -m asyncio_lessons.classroom.grading.marks`` is the process that one hand-in gets: it reads
the job as JSON from stdin, and writes a line of JSON for each exercise. It reads and parses what is
handed in, and runs nothing of it: that is done in the processes that `jail` shuts in.
"""

import ast
import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path

from .. import workshop
from ..checking import copied, engine, graft, process
from ..checking.catalog import Exercise, find, names
from ..checking.report import PASSED, Report
from . import hand_in, jail
from .plain import reaches

NONE, FAILED, REFUSED = "not handed in", "not yet", "refused"
STOPPED = 10  # answers of one hand-in that may run out of time; those behind them do not run
_MEMORY = 2048  # MiB for this process, which parses what a stranger wrote


@dataclass(frozen=True)
class Mark:
    """What came of one exercise: `status` is one of PASSED, FAILED, REFUSED, NONE."""

    exercise: str
    status: str
    sentence: str = ""


@dataclass(frozen=True)
class Limits:
    """What one answer may take: seconds by the clock, memory in MiB; loopback as `jail.offers`."""

    seconds: float = 3.0
    memory: int = 1024
    loopback: bool = False


def marks(texts: dict[str, str], exercises: list[str], limits: Limits) -> Iterator[Mark]:
    """Yield the mark of each exercise, given the texts that `hand_in.read` found."""
    examiner = _Examiner(texts, limits)
    for name in exercises:
        try:
            yield examiner.mark(find(name))
        except (SyntaxError, ValueError, LookupError, MemoryError, RecursionError) as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            yield Mark(name, FAILED, f"The answer cannot be read as Python ({reason}).")


class _Examiner:
    def __init__(self, texts: dict[str, str], limits: Limits) -> None:
        self.texts = texts
        self.limits = limits
        self.course = workshop.course_texts()
        self.stopped = 0

    def mark(self, exercise: Exercise) -> Mark:
        code = self.answer(exercise)
        if not code or engine.is_stub(exercise, code):
            return Mark(exercise.name, NONE)
        if what := reaches(code, self.course.get(exercise.module, "")):
            return Mark(exercise.name, REFUSED, what)
        if self.stopped >= STOPPED:
            sentence = f"Not run: {STOPPED} answers of this hand-in did not come to an end."
            return Mark(exercise.name, FAILED, sentence)
        report = self.examine(exercise, code)
        return Mark(exercise.name, PASSED if report.status == PASSED else FAILED, report.sentence)

    def examine(self, exercise: Exercise, code: str) -> Report:
        """Check the answer among the course's modules, then among the reader's other answers."""
        report = self.run(exercise, code, self.course)
        if report.status == PASSED or not exercise.module or "come to an end" in report.sentence:
            return report
        again = self.run(exercise, code, self.own)
        return again if again.status == PASSED else report

    def run(self, exercise: Exercise, code: str, texts: dict[str, str]) -> Report:
        limits = self.limits
        if sys.platform == "linux":  # elsewhere a copy of this process is slower, or not safe
            start = partial(copied.Copy, partial(jail.shut, limits.memory, limits.loopback))
        else:
            start = partial(process.start_python, *jail.command(limits.memory, limits.loopback))
        report = engine.examine(exercise, code, texts, start, limits.seconds, picture=False)
        self.stopped += "come to an end" in report.sentence
        return report

    @cached_property
    def own(self) -> dict[str, str]:
        """The course's modules with the reader's answers in them, those that are plain."""
        texts = dict(self.course)
        for exercise in map(find, names()):
            with suppress(SyntaxError, ValueError, LookupError, MemoryError, RecursionError):
                if module := exercise.module:
                    code = self.answer(exercise)
                    if code and not reaches(code, self.course[module]):
                        texts[module] = graft.graft(texts[module], code, exercise.name).text
        return texts

    def module(self, name: str) -> str:
        """Return the text of a module that is handed in; nothing where it cannot be parsed."""
        text = self.texts.get(f"{name}.py", "")
        try:
            ast.parse(text)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return ""
        return text

    def answer(self, exercise: Exercise) -> str:
        """Return the answer that is handed in, or nothing.

        What stands in the module counts; where nothing of it is the reader's, the cell that passed.
        """
        if exercise.module and (text := self.module(exercise.module)):
            if code := _written(exercise, text, self.course[exercise.module]):
                return code
        return _without_trials(self.texts.get(f"answers/{exercise.name}.py", ""))


def _written(exercise: Exercise, text: str, course: str) -> str:
    """Return what the reader wrote of `text` for the exercise, with the helpers it may use."""
    mine, theirs, marked = _defined(text), _defined(course), _marked(text)
    by_hand = {name for name in mine if theirs.get(name) != mine[name]} - marked
    by_hand -= {_owner(name) for name in marked}
    if f"{graft.MARK} ({exercise.name})" not in text and not by_hand & {*exercise.builds}:
        return ""
    helpers = [name for name in mine if name not in theirs and _owner(name) in {*theirs, name}]
    wanted = dict.fromkeys([*exercise.builds, *exercise.also, *helpers])
    present = tuple(name for name in wanted if name in mine)
    code = graft.extract(text, present)
    return _imports(text, course, code) + code


_defined, _marked = lru_cache(graft.defined), lru_cache(graft.marked)  # a module has 5 exercises


def _owner(name: str) -> str:
    return name.partition(".")[0]


def _imports(text: str, course: str, code: str) -> str:
    """Return the imports that the reader added to the module, as far as `code` uses them."""
    known = {ast.unparse(node) for node in _import_nodes(course)}
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    lines = ""
    for node in _import_nodes(text):
        names = {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        line = ast.unparse(node)
        lines += f"{line}\n" if line not in known and names & used else ""
    return lines


def _import_nodes(text: str) -> list[ast.Import | ast.ImportFrom]:
    nodes = ast.parse(text).body
    return [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]


def _without_trials(code: str) -> str:
    """Return a cell without the lines that try the answer; the others keep their numbers."""
    lines = code.split("\n")
    for node in ast.parse(code).body:
        if isinstance(node, ast.Expr):
            for number in range(node.lineno, node.end_lineno + 1):
                lines[number - 1] = ""
    return "\n".join(lines)


def main() -> None:
    """Mark the hand-in that the job names; each mark is a line of JSON."""
    job = json.loads(sys.stdin.readline())
    warnings.simplefilter("ignore")  # what the parser thinks of an answer
    jail.limit_memory(_MEMORY)
    copied.prepare()
    try:
        texts = hand_in.read(Path(job["place"]))
    except hand_in.Unreadable as problem:
        print(json.dumps({"problem": str(problem)}), flush=True)
        return
    if not texts:
        print(json.dumps({"problem": f"There is no {workshop.NAME} in it."}), flush=True)
        return
    for mark in marks(texts, job["exercises"], Limits(**job["limits"])):
        print(json.dumps(asdict(mark)), flush=True)
    print(json.dumps({"end": True}), flush=True)


if __name__ == "__main__":
    main()
