"""Check the code of an exercise's cell.

`check` is what ``%%exercise`` calls. Here the code is parsed and put into its package; a `judge`
runs it, in a process of its own (`process`) or, where none can be started, in this one
(`in_place`). Whatever happens there ends here as one sentence in a `Report`.
"""

import ast
import sys
import warnings
from collections.abc import Callable

from .. import workshop
from . import graft, in_place, process
from .catalog import Exercise, find, names
from .report import FAILED, INTERRUPTED, NOT_STARTED, PASSED, Report, Row

# A web page has no processes: there the code runs where the notebook's does.
_run = in_place.run if sys.platform == "emscripten" else process.run


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
    seconds: float = process.SECONDS,
    picture: bool = True,
) -> Report:
    """Run the checks on `code` inside a package of the modules `texts`; nothing is written.

    start: makes the process that runs them, a new Python unless given; seconds: what the code may
    take there; picture: whether to show what it does.
    """
    if problem := _unreadable(code) or _incomplete(exercise, code):
        return Report(exercise.name, exercise.title, FAILED, sentence=problem)
    run = _Run(exercise, code, texts, picture)
    return run.report(lambda: _run(run.job, run.take, start, seconds))


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
    """One run of the code, and what was found so far."""

    def __init__(self, exercise: Exercise, code: str, texts: dict[str, str], picture: bool) -> None:
        self.exercise = exercise
        self.code = code
        self.rows = [Row(check.claim) for check in exercise.checks]
        self.at: int | None = None  # the check that was running
        self.printed = ""
        self.warned: list[str] = []
        self.failure = ""  # what ended it before its end
        self.finished = False
        self.picture: dict = {}
        self.job = {**self._job(texts), "picture": picture}

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
        }

    def report(self, run: Callable[[], str]) -> Report:
        """Run the checks to the end, or as far as they come, and report."""
        name, title = self.exercise.name, self.exercise.title
        try:
            ended = run()
        except KeyboardInterrupt:
            stopped = "You interrupted the check. Nothing was changed."
            return Report(name, title, INTERRUPTED, self.rows, stopped, printed=self.printed)
        if not self.finished:
            self.failure = self.failure or ended
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

    def take(self, message: dict) -> None:
        """Note what the judge says."""
        self.printed = message.get("printed", self.printed)
        self.warned = message.get("warned", self.warned)
        if "film" in message or "xray" in message:
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
