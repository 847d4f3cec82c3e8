"""Measure the lessons: the table in CONTRIBUTING.md, and the minutes that each lesson states.

python tests/measure_lessons.py             write both
python tests/measure_lessons.py --check     write nothing, say what would change
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from nbformat import NotebookNode
from run_notebooks import NOTEBOOKS, ROOT, number_of, read, write

from asyncio_lessons.classroom import predictions
from asyncio_lessons.classroom.checking import catalog
from asyncio_lessons.classroom.notebook import lessons

TABLE = ROOT / "CONTRIBUTING.md"
TEACHING = ROOT / "docs" / "teaching.md"
BEGIN, END = "<!-- lessons: begin -->", "<!-- lessons: end -->"
HEAD = (
    "lesson | words | cells | code lines | words a line | median cell | longest cell | pictures "
    "| players | predictions | exercises | minutes"
)
STATED = re.compile(r"^\*Time\*: about \d+ minutes\b.*$", re.MULTILINE)

# What takes how long, in seconds. Prose at 180 words a minute; a line of code is read in 3.
WORD, LINE, CELL, PICTURE, PLAYER, PREDICTION = 60 / 180, 3, 10, 20, 120, 45
EXERCISE, LINE_TO_WRITE = 120, 40  # to read and try; to write one line of the answer


@dataclass(frozen=True)
class Measures:
    """What was counted in one lesson."""

    number: str
    words: int
    cells: int
    code_lines: int
    median_cell: float
    longest_cell: int
    pictures: int
    players: int
    predictions: int
    exercises: tuple[str, ...]

    @property
    def words_a_line(self) -> float:
        """Words of prose for each line of code."""
        return self.words / self.code_lines

    @property
    def minutes(self) -> int:
        """How long a reader takes, in steps of five minutes."""
        seconds = self.words * WORD + self.code_lines * LINE + self.cells * CELL
        seconds += self.pictures * PICTURE + self.players * PLAYER + self.predictions * PREDICTION
        for name in self.exercises:
            seconds += EXERCISE + catalog.find(name).lines * LINE_TO_WRITE
        return max(5, 5 * round(seconds / 300))

    def row(self) -> str:
        """The lesson's line in the table."""
        name = f"[{self.number}](notebooks/{lessons.lesson(self.number).file})"
        counts = [name, self.words, self.cells, self.code_lines, f"{self.words_a_line:.1f}"]
        counts += [f"{self.median_cell:g}", self.longest_cell, self.pictures, self.players]
        counts += [self.predictions, len(self.exercises), self.minutes]
        return "| " + " | ".join(map(str, counts)) + " |"


def code_lines(source: str) -> int:
    """Count the lines of a cell that are neither empty nor a comment."""
    lines = (line.strip() for line in source.splitlines())
    return sum(bool(line) and not line.startswith("#") for line in lines)


def is_program(cell: NotebookNode) -> bool:
    """Tell code that is read and run from the cells of exercises and predictions."""
    return cell.cell_type == "code" and not cell.source.startswith(("%%exercise", "%predict"))


def prose(cell: NotebookNode) -> str:
    """The words of a cell: its Markdown without code blocks and link targets, or its question."""
    if cell.cell_type == "markdown":
        text = STATED.sub("", re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL))
        return re.sub(r"\]\([^)]*\)", "]", text)
    if cell.source.startswith("%predict "):
        asked = predictions.find(cell.source.split()[1])
        return " ".join([asked.question, *(answer.text for answer in asked.answers.values())])
    return ""


def holds(cell: NotebookNode, kind: str, text: str = "") -> bool:
    """Tell whether an output of the cell is of that kind and holds that text."""
    outputs = (output.get("data", {}) for output in cell.get("outputs", []))
    return any(kind in data and text in data[kind] for data in outputs)


def is_player(cell: NotebookNode) -> bool:
    """Tell whether the cell shows a film to step through."""
    return holds(cell, "text/html", "data-player")


def is_picture(cell: NotebookNode) -> bool:
    """Tell whether the cell shows a picture; the still one of a player is none."""
    drawn = holds(cell, "image/png") or holds(cell, "text/html", "<img")
    return drawn and not is_player(cell)


def measure(path: Path) -> Measures:
    """Count what is in a notebook."""
    cells = read(path).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    programs = [code_lines(cell.source) for cell in cells if is_program(cell)]
    asked = [cell for cell in code if cell.source.startswith("%predict ")]
    exercises = [re.match(r"%%exercise (\S+)", cell.source) for cell in code]
    return Measures(
        number=number_of(path),
        words=sum(len(re.findall(r"\w[\w'’-]*", prose(cell))) for cell in cells),
        cells=len(cells),
        code_lines=sum(code_lines(cell.source) for cell in code),
        median_cell=median(programs),
        longest_cell=max(programs),
        pictures=sum(is_picture(cell) for cell in code),
        players=sum(is_player(cell) for cell in code),
        predictions=len(asked),
        exercises=tuple(found[1] for found in exercises if found),
    )


def all_measures() -> list[Measures]:
    """The measures of every lesson, in order."""
    return [measure(path) for path in notebooks()]


def with_table(text: str, measured: list[Measures]) -> str:
    """`text` with the table of the lessons between the markers."""
    total = sum(found.minutes for found in measured)
    rule = "|".join(["---"] + ["--:"] * HEAD.count("|"))
    rows = "\n".join(found.row() for found in measured)
    table = f"{BEGIN}\n| {HEAD} |\n|{rule}|\n{rows}\n\nTogether {total // 60} h {total % 60} min.\n"
    return re.sub(f"{BEGIN}.*?{END}", lambda _: table + END, text, flags=re.DOTALL)


def with_minutes(text: str, measured: list[Measures]) -> str:
    """The source of `lessons.py` with the minutes measured."""
    for found in measured:
        text = re.sub(rf'(Lesson\("{found.number}",.*), \d+\)', rf"\1, {found.minutes})", text)
    return text


def with_minutes_to_teach(text: str, measured: list[Measures]) -> str:
    """The teacher's page with the minutes measured in its table."""
    for found in measured:
        text = re.sub(
            rf"^(\| \[{found.number}\]\(\S+\) \|) \d+ \|",
            rf"\1 {found.minutes} |",
            text,
            flags=re.M,
        )
    return text


def time_stated(found: Measures) -> str:
    """The line in a lesson's first cell that says how long it takes."""
    count = len(found.exercises)
    exercises = f", {count} exercise{'s' * (count > 1)} included" if count else ""
    return f"*Time*: about {found.minutes} minutes{exercises}."


def with_time_stated(path: Path, found: Measures) -> bytes:
    """The notebook with the time in its first cell, where it has the line for it."""
    notebook = read(path)
    opening = notebook.cells[0]
    opening.source = STATED.sub(lambda _: time_stated(found), opening.source)
    return write(notebook)


def derived() -> dict[Path, bytes]:
    """Every file that follows from the measures, and what it should hold."""
    measured = all_measures()
    minutes = Path(lessons.__file__)
    files = {path: with_time_stated(path, measure(path)) for path in notebooks()}
    files[TABLE] = with_table(TABLE.read_text(encoding="utf-8"), measured).encode()
    files[TEACHING] = with_minutes_to_teach(TEACHING.read_text(encoding="utf-8"), measured).encode()
    files[minutes] = with_minutes(minutes.read_text(encoding="utf-8"), measured).encode()
    return files


def notebooks() -> list[Path]:
    """The lessons, in order; the glossary is none."""
    return [NOTEBOOKS / lesson.file for lesson in lessons.LESSONS]


def main() -> int:
    """Write what has changed (or with `--check` only say it); return the exit status."""
    changed = {path: new for path, new in derived().items() if path.read_bytes() != new}
    for path, new in changed.items():
        print(f"{path.relative_to(ROOT)}: {'would change' if '--check' in sys.argv else 'written'}")
        if "--check" not in sys.argv:
            path.write_bytes(new)
    return int(bool(changed) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
