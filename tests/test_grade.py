"""The grader ranks thirty made-up hand-ins, hostile ones included, and nothing comes to harm."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from hand_ins import Class, solved

# `GRADE_ALL=1` grades the exercises of all lessons; without it those of two.
LESSONS = "00,04" if not os.environ.get("GRADE_ALL") else ""
MINE = f"GRADED_FOR_{os.getpid()}"  # stands in the environment of each process of these runs
EVERY = "00 02 03 04 05 06 07 08 09 10 11 12 13".split()


def run(*arguments: object, folder: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "asyncio_lessons.classroom.grade", *map(str, arguments)]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1]), "COLUMNS": "140"}
    env[MINE] = "1"
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Thirty hand-ins, and what the grader made of them."""
    home = tmp_path_factory.mktemp("grading")
    (home / "victim.txt").write_text("untouched")
    hand_ins = Class(home / "class", LESSONS.split(",") if LESSONS else EVERY)
    before = set(home.rglob("*"))
    begin = time.monotonic()
    done = run("class", "--lessons", LESSONS, "--out", "grades", folder=home)
    seconds = time.monotonic() - begin
    assert done.returncode == 0, done.stdout + done.stderr
    left = [p.info for p in psutil.process_iter(["cmdline", "environ"])]
    left = [info["cmdline"] for info in left if MINE in (info["environ"] or {})]
    return home, hand_ins, done.stdout, seconds, before, left


def test_thirty_hand_ins_are_ranked_correctly_in_under_two_minutes(graded):
    home, hand_ins, _, seconds, _, _ = graded
    rows = json.loads((home / "grades" / "grades.json").read_text())
    assert len(rows) >= 30
    assert {row["name"]: row["points"] for row in rows} == hand_ins.points
    points = [row["points"] for row in rows]
    assert points == sorted(points, reverse=True)
    assert [row["rank"] for row in rows] == [1 + sum(p > q for p in points) for q in points]
    assert seconds < 120


def test_nothing_and_nobody_came_to_harm(graded):
    home, _, _, _, before, left = graded
    assert (home / "victim.txt").read_text() == "untouched"
    new = {p for p in home.rglob("*") if "grades" not in p.parts} - before
    assert not new
    assert left == []


def test_the_table_and_what_is_worth_a_look_are_printed(graded):
    _, hand_ins, printed, _, _, _ = graded
    lines = [line.strip() for line in printed.splitlines()]
    for name in hand_ins.points:
        assert any(f" {name} " in f" {line} " for line in lines), name
    assert "climbs the frames: first-reply: Line 2 uses `.f_back`" in printed
    assert "a link to another: It is a link" in printed
    assert "Traceback" not in printed


def test_gradescope_reads_the_results(graded):
    """https://gradescope-autograders.readthedocs.io/en/latest/specs/ says what it reads."""
    home, hand_ins, *_ = graded
    results = json.loads((home / "grades" / "one is wrong" / "results.json").read_text())
    assert results["score"] == hand_ins.points["one is wrong"]
    assert isinstance(results["execution_time"], int)
    assert {"text"} == {results["output_format"], results["test_output_format"]}
    assert {"visible", "hidden"} >= {results["visibility"], results["stdout_visibility"]}
    tests = results["tests"]
    assert [test["name"].split()[1] for test in tests] == hand_ins.exercises
    assert sum(test["score"] for test in tests) == results["score"]
    assert {test["max_score"] for test in tests} == {1.0}
    wrong, *right = tests
    assert wrong["status"] == "failed" and "The last byte comes first" in wrong["output"]
    assert {test["status"] for test in right} == {"passed"}


def test_otter_grader_reads_the_results(graded):
    """What its `GradingResults.from_ottr_json` takes out; it was tried with otter-grader 7.0."""
    home, hand_ins, *_ = graded
    for name in ("all right", "one is wrong", "nothing"):
        results = json.loads((home / "grades" / name / "otter.json").read_text())
        points = 0
        for file in results["test_file_results"]:
            assert file["filename"].removesuffix(".py") in hand_ins.exercises
            for case in file["test_case_results"]:
                assert set(case) == {"passed", "error", "test_case"}
                fields = "name code points hidden success_message failure_message"
                assert set(case["test_case"]) == set(fields.split())
                points += case["passed"] * case["test_case"]["points"]
        assert points == hand_ins.points[name]


def test_a_spreadsheet_reads_the_grades(graded):
    home, hand_ins, *_ = graded
    with open(home / "grades" / "grades.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["name"]: int(row["points"]) for row in rows} == hand_ins.points
    for row in rows:
        assert sum(int(row[name]) for name in hand_ins.exercises) == int(row["points"])


def test_one_hand_in_in_gradescopes_container(graded, tmp_path):
    home, hand_ins, *_ = graded
    one = home / "class" / "three of them"
    done = run(one, "--lessons", LESSONS, "--results", "out/results.json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["score"] == 3.0 and len(results["tests"]) == hand_ins.all
    assert not (tmp_path / "grades").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "There is no file or folder 'nowhere'."),
        ([".", "--lessons", "01"], "Lesson '01' has no exercises; these have: 00, 02, 03,"),
        ([".", "..", "--results", "x"], "--results is for one hand-in"),
    ],
)
def test_a_mistake_in_the_command_is_one_sentence(tmp_path, arguments, says):
    done = run(*arguments, folder=tmp_path)
    assert done.returncode == 2
    assert says in done.stdout
    assert done.stderr == "" and len(done.stdout.splitlines()) == 1


def marked_apart(content: str) -> str:
    """The mark of a `futures.py`, given in a process as small as the grader's own.

    A jail limits the memory of a copy of its process, and this one has run other tests.
    """
    code = (
        "import sys; from asyncio_lessons.classroom.grading.marks import Limits, marks;"
        "texts = {'futures.py': sys.stdin.read()};"
        "print(*(m.status for m in marks(texts, ['future-results'], Limits(memory=512))))"
    )
    command = [sys.executable, "-c", code]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, input=content, capture_output=True, text=True)
    return done.stdout.strip() or done.stderr


def test_the_helpers_of_an_answer_count_as_part_of_it(tmp_path):
    package = solved(tmp_path, ["future-results"])
    path = package / "futures.py"
    text = path.read_text("utf-8")
    assert "self._result = result" in text
    path.write_text(text.replace("self._result = result", "self._keep_it(result)"), "utf-8")
    helper = "    def _keep_it(self, result):\n        self._result = result\n\n"
    helped = path.read_text("utf-8").replace("    def set_result(", f"{helper}    def set_result(")
    for content, status in ((helped, "passed"), (path.read_text("utf-8"), "not yet")):
        assert marked_apart(content) == status
