"""The reader's copy of the lessons: what the reader wrote survives every update."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from run_notebooks import NOTEBOOKS, ROOT

from asyncio_lessons.opening.lessons import bring

NAME = "05_futures.ipynb"
STUB = "%%exercise future\nclass Future:\n    ..."
ANSWER = "%%exercise future\nclass Future:\n    mine = True"


def lesson(*sources: str, ids: str = "abcdefgh") -> str:
    """A notebook of those cells; what begins with # is text."""
    cells = []
    for source, name in zip(sources, ids, strict=False):
        make = new_markdown_cell if source.startswith("#") else new_code_cell
        cells.append(make(source, id=f"05-cell-{name}"))
    return nbformat.writes(new_notebook(cells=cells))


@pytest.fixture
def course(tmp_path: Path) -> Path:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / NAME).write_text(lesson("# Text", "1 + 1", STUB, "print(1)"))
    return folder


@pytest.fixture
def mine(tmp_path: Path, course: Path) -> Path:
    """The reader's folder, as it is after the first start."""
    bring(tmp_path / "my_course", course)
    return tmp_path / "my_course"


def sources(path: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, as_version=4).cells]


def edit(path: Path, change) -> None:
    """Change a notebook as an editor does: the cells' ids stay."""
    notebook = nbformat.read(path, as_version=4)
    change(notebook.cells)
    nbformat.write(notebook, path)


def solve(cells: list) -> None:
    cells[2].source = ANSWER
    cells[2].outputs = [nbformat.v4.new_output("stream", text="passed\n")]


def test_the_copy_is_the_course(course: Path, mine: Path) -> None:
    assert (mine / NAME).read_bytes() == (course / NAME).read_bytes()
    assert bring(mine, course) == []


def test_a_lesson_that_was_only_run_is_replaced_without_a_word(course: Path, mine: Path) -> None:
    def run(cells: list) -> None:
        cells[1].outputs, cells[1].execution_count = [], 7

    edit(mine / NAME, run)
    (course / NAME).write_text(lesson("# New text", "2 + 2", STUB))
    assert bring(mine, course) == []
    assert (mine / NAME).read_bytes() == (course / NAME).read_bytes()


def test_without_a_newer_lesson_nothing_is_written(course: Path, mine: Path) -> None:
    edit(mine / NAME, solve)
    before = (mine / NAME).read_bytes()
    assert bring(mine, course) == []
    assert (mine / NAME).read_bytes() == before


def test_an_answer_and_added_cells_move_into_the_newer_lesson(course: Path, mine: Path) -> None:
    def change(cells: list) -> None:
        solve(cells)
        cells.insert(1, new_code_cell("my_own_note = 1"))
        cells.append(new_markdown_cell("# At the end"))

    edit(mine / NAME, change)
    before = (mine / NAME).read_bytes()
    newer_stub = STUB + "  # a better stub"
    (course / NAME).write_text(lesson("# New text", "1 + 1", "new = 2", newer_stub, ids="abxc"))
    (said,) = bring(mine, course)
    assert sources(mine / NAME) == [
        *("# New text", "my_own_note = 1", "1 + 1", "new = 2"),
        *(ANSWER, "# At the end"),
    ]
    assert nbformat.read(mine / NAME, as_version=4).cells[4].outputs[0].text == "passed\n"
    assert (
        said == f"{NAME} is newer; your answers are in it. As you left it: kept/05_futures.1.ipynb"
    )
    assert (mine / "kept" / "05_futures.1.ipynb").read_bytes() == before
    nbformat.validate(nbformat.read(mine / NAME, as_version=4))


def test_an_exercise_is_found_by_its_name_where_its_cell_has_another_id(course, mine) -> None:
    edit(mine / NAME, solve)
    (course / NAME).write_text(lesson("# Text", STUB, ids="az"))
    bring(mine, course)
    assert sources(mine / NAME) == ["# Text", ANSWER]
    assert bring(mine, course) == []


def test_a_cell_that_only_the_reader_changed_stays_so(course: Path, mine: Path) -> None:
    def change(cells: list) -> None:
        cells[1].source, cells[3].source = "1 + 100", "print('mine')"

    edit(mine / NAME, change)
    (course / NAME).write_text(lesson("# Text", "1 + 1", STUB, "print(2)"))
    bring(mine, course)
    # The last one was changed by both: the course's counts, and the reader's is in kept/.
    assert sources(mine / NAME) == ["# Text", "1 + 100", STUB, "print(2)"]
    assert "print('mine')" in sources(mine / "kept" / "05_futures.1.ipynb")


def test_updates_follow_each_other(course: Path, mine: Path) -> None:
    edit(mine / NAME, solve)
    for text in ("# Second", "# Third"):
        (course / NAME).write_text(lesson(text, "1 + 1", STUB))
        bring(mine, course)
        assert sources(mine / NAME) == [text, "1 + 1", ANSWER]
    assert len(list((mine / "kept").iterdir())) == 2


@pytest.mark.parametrize(
    "broken", ["", "no notebook", "[]", '{"cells": [{}]}', "\0", '{"cells": 3}']
)
def test_a_broken_file_is_kept_and_replaced(course: Path, mine: Path, broken: str) -> None:
    (mine / NAME).write_text(broken)
    (course / NAME).write_text(lesson("# New"))
    said = bring(mine, course)
    assert sources(mine / NAME) == ["# New"]
    if broken:
        assert said == [f"{NAME} could not be read, and is new. As it was: kept/05_futures.1.ipynb"]
        assert (mine / "kept" / "05_futures.1.ipynb").read_text() == broken


def test_a_deleted_lesson_comes_back(course: Path, mine: Path) -> None:
    (mine / NAME).unlink()
    bring(mine, course)
    assert (mine / NAME).read_bytes() == (course / NAME).read_bytes()


def test_a_lesson_that_left_the_course_leaves_unless_it_was_changed(course, mine) -> None:
    (course / "06_tasks.ipynb").write_text(lesson("# Tasks"))
    bring(mine, course)
    edit(mine / NAME, solve)
    for path in course.iterdir():
        path.unlink()
    assert bring(mine, course) == [f"{NAME} is no longer in the course; yours stays."]
    assert [path.name for path in mine.glob("*.ipynb")] == [NAME]
    assert bring(mine, course) == []


def test_the_readers_package_and_files_are_not_touched(course: Path, mine: Path) -> None:
    (mine / "my_asyncio").mkdir()
    (mine / "my_asyncio" / "futures.py").write_text("mine")
    (mine / "notes.txt").write_text("mine")
    (course / NAME).write_text(lesson("# New"))
    bring(mine, course)
    assert (mine / "my_asyncio" / "futures.py").read_text() == "mine"
    assert (mine / "notes.txt").read_text() == "mine"


def test_a_copy_made_by_hand_is_taken_as_it_is(course: Path, tmp_path: Path) -> None:
    by_hand = tmp_path / "by_hand"
    by_hand.mkdir()
    (by_hand / NAME).write_bytes((course / NAME).read_bytes())
    edit(by_hand / NAME, solve)
    before = (by_hand / NAME).read_bytes()
    bring(by_hand, course)
    assert (by_hand / NAME).read_bytes() == before


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_answers_survive_in_every_lesson_of_the_course(path: Path, tmp_path: Path) -> None:
    """A newer form of each lesson: all its text reworded, all its cells with other ids but one."""
    course, mine = tmp_path / "notebooks", tmp_path / "my_course"
    course.mkdir()
    (course / path.name).write_bytes(path.read_bytes())
    bring(mine, course)
    answers = []

    def answer(cells: list) -> None:
        for cell in cells:
            if cell.source.startswith("%%exercise"):
                cell.source = f"{cell.source.splitlines()[0]}\nanswer = {len(answers)}"
                answers.append(cell.source)

    def reword(cells: list) -> None:
        for number, cell in enumerate(cells):
            cell.id = f"{path.name[:2]}-new-{number}"
            cell.source += "\n# new"

    edit(mine / path.name, answer)
    edit(course / path.name, reword)
    bring(mine, course)
    now = sources(mine / path.name)
    assert [text for text in now if text.startswith("%%exercise")] == answers
    assert len(now) == len(sources(course / path.name))


def test_update_is_a_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "asyncio_lessons", "update", "--folder", str(tmp_path / "my")]
    for expected in ("The lessons are copied to ", "The lessons in "):
        said = subprocess.check_output(
            command, cwd=tmp_path, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
        )
        assert said.startswith(expected)
    assert json.loads((tmp_path / "my" / "00_start_here.ipynb").read_text())["cells"]
