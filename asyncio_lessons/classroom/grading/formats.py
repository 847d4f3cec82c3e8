"""Write marks down as files: for Gradescope, for otter-grader, and as a table for anything else."""

import csv
import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..checking.catalog import find
from ..checking.report import PASSED
from .marks import Mark


@dataclass
class HandIn:
    """A hand-in and its marks; `problem` says why there are none, or not all."""

    name: str
    place: Path
    marks: list[Mark] = field(default_factory=list)
    problem: str = ""
    seconds: float = 0.0

    @property
    def points(self) -> int:
        """Return how many exercises passed: each is worth one point."""
        return sum(mark.status == PASSED for mark in self.marks)


def gradescope(hand_in: HandIn) -> dict:
    """Return the content of Gradescope's ``results.json``: a test for each exercise.

    https://gradescope-autograders.readthedocs.io/en/latest/specs/
    """
    passed = f"{hand_in.points} of {len(hand_in.marks)} exercises passed."
    return {
        "score": float(hand_in.points),
        "execution_time": round(hand_in.seconds),
        "output": " ".join(filter(None, [hand_in.problem, passed])),
        "output_format": "text",
        "test_output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            {
                "name": f"{find(mark.exercise).lesson} {mark.exercise}",
                "number": str(number),
                "score": float(mark.status == PASSED),
                "max_score": 1.0,
                "status": "passed" if mark.status == PASSED else "failed",
                "output": f"{mark.status}. {mark.sentence}".strip(),
                "tags": [f"lesson {find(mark.exercise).lesson}"],
                "visibility": "visible",
            }
            for number, mark in enumerate(hand_in.marks, 1)
        ],
    }


def otter(hand_in: HandIn) -> dict:
    """Return what ``GradingResults.from_ottr_json`` of otter-grader reads: a file an exercise."""
    return {
        "test_file_results": [
            {
                "filename": f"{mark.exercise}.py",
                "points": 1,
                "test_case_results": [
                    {
                        "passed": mark.status == PASSED,
                        "error": "" if mark.status == PASSED else _said(mark),
                        "test_case": {
                            "name": mark.exercise,
                            "code": find(mark.exercise).title,
                            "points": 1,
                            "hidden": False,
                            "success_message": "passed",
                            "failure_message": _said(mark),
                        },
                    }
                ],
            }
            for mark in hand_in.marks
        ]
    }


def _said(mark: Mark) -> str:
    return mark.sentence or mark.status


def write_json(path: Path, content: object) -> None:
    """Write JSON to a file, and make the folder it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def write_all(folder: Path, ranked: list[tuple[int, HandIn]]) -> None:
    """Write ``grades.csv``, ``grades.json``, and a folder with both results for each hand-in."""
    taken: set[str] = set()
    rows = []
    for rank, hand_in in ranked:
        own = _file_name(hand_in.name, taken)
        write_json(folder / own / "results.json", gradescope(hand_in))
        write_json(folder / own / "otter.json", otter(hand_in))
        rows.append({"rank": rank, "name": hand_in.name, "points": hand_in.points, "folder": own})
        rows[-1] |= {"problem": hand_in.problem, "marks": [asdict(mark) for mark in hand_in.marks]}
    write_json(folder / "grades.json", rows)
    with open(folder / "grades.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        exercises = [mark.exercise for mark in ranked[0][1].marks] if ranked else []
        table.writerow(["rank", "name", "points", *exercises, "problem"])
        for row in rows:
            points = [int(mark["status"] == PASSED) for mark in row["marks"]]
            name = re.sub(r"^(?=[=+\-@\t\r])", "'", row["name"])  # not a formula in a spreadsheet
            table.writerow([row["rank"], name, row["points"], *points, row["problem"]])


def _file_name(name: str, taken: set[str]) -> str:
    """Return a name that is safe as a folder's on every system, and not taken yet."""
    plain = re.sub(r"[^\w .()+-]+", "_", name).strip(" .")[:80] or "hand-in"
    own, number = plain, 2
    while own.casefold() in taken:
        own, number = f"{plain}.{number}", number + 1
    taken.add(own.casefold())
    return own
