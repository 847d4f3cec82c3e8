"""The reader's package: it grows by what passes, says whose code runs, and can be put back."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from asyncio_lessons.classroom import exercises, workshop
from asyncio_lessons.classroom.checking import graft
from asyncio_lessons.classroom.notebook import face


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty folder for the reader's package."""
    monkeypatch.setenv("ASYNCIO_LESSONS_WORKSHOP", str(tmp_path))
    yield tmp_path
    workshop._forget()


def solve(*wanted: str) -> None:
    """Paste the solutions of these exercises."""
    for name in wanted:
        report = exercises.check(name, face.answer(name))
        assert report.status == "passed", str(report)


def module(name: str) -> workshop.Module:
    """The state of one module of the reader's package."""
    return next(m for m in workshop.status().modules if m.name == name)


def mine(name: str) -> Path:
    """The file of a module of the reader's package."""
    return workshop.folder() / f"{name}.py"


# -- it begins, and grows ----------------------------------------------------------------------


def test_without_it_the_course_runs(capsys):
    """The line that committed notebooks show."""
    import asyncio_lessons

    assert workshop.package() is asyncio_lessons
    assert capsys.readouterr().out == "All code that runs is the course's.\n"
    assert "the first exercise to pass makes my_asyncio/" in str(workshop.status())
    assert "There is no my_asyncio/ yet" in workshop.restore("futures")
    assert not workshop.exists()


def test_the_first_pass_makes_a_copy_with_the_answer_in_it(home):
    """Everything else in it is the course's; the answer is marked, and as it was typed."""
    cell = "def drive(coro):  # to its end\n    try:\n        while True: coro.send(None)\n"
    cell += "    except StopIteration as stop:\n        return stop.value   # that is all\n"
    report = exercises.check("drive", cell)
    assert report.status == "passed", str(report)
    assert "Your `drive` joined my_asyncio/coroutines.py (1 of its 3 exercises)." in report.notes
    text = mine("coroutines").read_text(encoding="utf-8")
    assert f"# yours (drive)\n{cell}" in text
    course = workshop.course_texts()
    assert mine("tasks").read_text(encoding="utf-8") == course["tasks"]
    assert sorted(p.name for p in home.iterdir()) == ["my_asyncio"]
    kept = {p.stem for p in workshop.folder().glob("*.py")}
    assert kept == {"__init__", *workshop.MODULES} and "bridge" not in kept


def test_a_refused_answer_changes_nothing():
    """Neither the first time, nor later."""
    exercises.check("drive", "def drive(coro):\n    return 1\n")
    assert not workshop.exists()
    solve("drive")
    before = mine("coroutines").read_bytes()
    exercises.check("drive", "def drive(coro):\n    return 1\n")
    assert mine("coroutines").read_bytes() == before
    assert workshop.has_passed("drive")


def test_methods_join_one_exercise_after_the_other(capsys):
    """A class is the reader's method by method; a second answer takes the place of the first."""
    solve("future-results", "future-await")
    text = mine("futures").read_text(encoding="utf-8")
    marked = graft.marked(text)
    assert "Future.set_result" in marked and "Future.__await__" in marked
    assert "Future.__repr__" not in marked and "Future.add_done_callback" not in marked
    state = module("futures")
    assert (state.owner, state.done, state.of) == ("partly yours", 2, 3)
    assert "Future" in state.yours and "Handle" in state.course
    solve("future-results")
    assert mine("futures").read_text(encoding="utf-8") == text
    aio = workshop.package()
    assert aio.__name__ == "my_asyncio"
    assert capsys.readouterr().out == "Future: yours; the rest: the course's.\n"
    assert aio.Future.set_result.__module__ == "my_asyncio.futures"


def test_the_package_is_imported_again_when_it_has_changed():
    """What joined a moment ago is what runs."""
    solve("drive")
    before = workshop.package(say=False)
    assert workshop.package(say=False) is before
    solve("suspend")
    after = workshop.package(say=False)
    assert after is not before
    assert after.drive(_once(after)) == "there"
    assert str(workshop.folder().parent) not in sys.path


def _once(aio):
    async def once():
        await aio.suspend()
        return "there"

    return once()


def test_a_repair_is_remembered_but_joins_nothing():
    """It counts as passed; no module changes."""
    solve("double-repair")
    assert workshop.has_passed("double-repair")
    assert module("generators").owner == "the course's"


# -- nothing leaves a reader stuck -------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def broken(:\n", "my_asyncio/futures.py (line 1: "),
        ("", "my_asyncio/futures.py (the file is missing)"),
        ("raise ValueError('edited')\n", "cannot be imported (ValueError: edited)"),
        ("import no_such_module\n", "cannot be imported (ModuleNotFoundError"),
        ("while True: pass\n", "cannot be imported (it does not come to an end)"),
        ("raise SystemExit\n", "cannot be imported (it ends the program)"),
    ],
)
def test_a_broken_module_is_named_and_the_course_runs(text, says, capsys):
    """A lesson continues with the course's code, and says what to do; restore mends it."""
    solve("drive")
    mine("futures").write_text(text, encoding="utf-8")
    assert workshop.package().__name__ == "asyncio_lessons"
    said = capsys.readouterr().out
    assert says in said and "The course's code runs instead" in said
    assert workshop.restore("futures").endswith("my_asyncio/futures.py is the course's again.")
    assert workshop.package(say=False).__name__ == "my_asyncio"
    assert module("coroutines").yours == ("drive",)


def test_a_missing_file_is_no_obstacle_to_the_next_answer():
    """The next pass puts it back from the course and the answers that passed."""
    solve("drive")
    mine("coroutines").unlink()
    mine("tasks").write_text("def broken(:\n", encoding="utf-8")
    report = exercises.check("suspend", face.answer("suspend"))
    assert report.status == "passed"
    assert any("coroutines.py was missing or broken" in note for note in report.notes)
    assert set(module("coroutines").yours) == {"drive", "suspend"}
    assert workshop.package(say=False).__name__ == "my_asyncio"
    assert (workshop.folder() / "kept" / "tasks.1.py").exists()


def test_edits_by_hand_are_kept():
    """They stay where an answer does not touch them, and are copied where it would."""
    solve("drive")
    edited = mine("coroutines").read_text(encoding="utf-8") + "\n\ndef extra():\n    return 1\n"
    mine("coroutines").write_text(edited, encoding="utf-8")
    assert module("coroutines").edited and "extra" in module("coroutines").yours
    report = exercises.check("suspend", face.answer("suspend"))
    assert any("You had edited my_asyncio/coroutines.py" in note for note in report.notes)
    assert "def extra" in mine("coroutines").read_text(encoding="utf-8")
    copy = workshop.folder() / "kept" / "coroutines.1.py"
    assert copy.read_text(encoding="utf-8") == edited
    said = workshop.restore("coroutines")
    assert said.startswith("my_asyncio/coroutines.py is the course's again.")
    assert mine("coroutines").read_text(encoding="utf-8") == workshop.course_texts()["coroutines"]


def test_restore_keeps_a_copy_of_what_was_edited():
    """And leaves the answers, to be run again."""
    solve("drive")
    mine("coroutines").write_text("x = 1\n", encoding="utf-8")
    said = workshop.restore("coroutines")
    assert "a copy is in my_asyncio/kept/coroutines.1.py" in said
    assert "Your answers to `drive` are in my_asyncio/kept/." in said
    assert not workshop.has_passed("drive")
    assert (workshop.folder() / "kept" / "drive.1.py").exists()
    assert "There is no module 'futurs'" in workshop.restore("futurs")
    assert workshop.restore("all").count("is the course's again") == len(workshop.MODULES)


def test_a_broken_neighbour_is_not_blamed_on_the_answer():
    """An answer that passes among the course's modules is told so."""
    solve("future-results")
    text = mine("futures").read_text(encoding="utf-8")
    wakes = "        self._schedule_callbacks()\n"
    assert wakes in text
    mine("futures").write_text(text.replace(wakes, ""), encoding="utf-8")
    report = exercises.check("task-wakeup", face.answer("task-wakeup"))
    assert report.status == "not yet"
    assert "something else in your my_asyncio is in its way" in str(report)
    assert "future-results: " in exercises.check_again()


def test_a_newer_course_reaches_the_modules_that_were_not_edited(monkeypatch, tmp_path):
    """The copy follows the course; the answers are put in again."""
    solve("drive")
    newer = tmp_path / "newer"
    newer.mkdir()
    for name, text in workshop.course_texts().items():
        (newer / f"{name}.py").write_text(text + "\nNEWER = 1\n", encoding="utf-8")
    monkeypatch.setattr(workshop, "_COURSE", newer)
    solve("suspend")
    text = mine("coroutines").read_text(encoding="utf-8")
    assert "NEWER = 1" in text and graft.marked(text) == {"drive", "suspend"}
    assert "NEWER = 1" in mine("tasks").read_text(encoding="utf-8")


def test_a_lost_record_is_no_obstacle():
    """Marks in the files say whose code it is."""
    solve("drive")
    (workshop.folder() / workshop._RECORD).write_text("{", encoding="utf-8")
    assert module("coroutines").yours == ("drive",)
    solve("suspend")
    assert set(module("coroutines").yours) == {"drive", "suspend"}


# -- grafting ----------------------------------------------------------------------------------

BASE = '''"""A module."""

import os

LIMIT = 1


class Thing:
    """A thing."""

    size = 1

    def one(self):
        return 1

    # about two
    @property
    def two(self):
        return 2


def use(thing):
    return thing.one()
'''


def run(text: str) -> dict:
    """Run a module's text; return its names."""
    namespace: dict = {}
    exec(compile(text, "text", "exec"), namespace)
    return namespace


def test_graft_replaces_by_name_and_keeps_the_rest():
    """Methods, properties, constants, new helpers and imports each find their place."""
    cell = (
        "import math\nLIMIT = 5\n\n# helps\ndef helper(x):\n    return x * LIMIT\n\n"
        "class Thing:\n  size = helper(2)\n  # mine\n  @property\n  def two(self):\n    return 22\n"
        "  def three(self): return math.floor(3.5)\n\nprint('a trial')\nthing = Thing()\n"
    )
    text = graft.graft(BASE, cell, "x").text
    names = run(text)
    thing = names["Thing"]()
    assert (thing.one(), thing.two, thing.three(), thing.size) == (1, 22, 3, 10)
    assert names["use"](thing) == 1 and names["Thing"].__doc__ == "A thing."
    assert "print" not in text and "thing = Thing()" not in text
    assert "# helps\ndef helper" in text and "# mine" in text and "# about two" not in text
    again = graft.graft(text, cell, "x").text
    assert again == text
    assert graft.scratch(cell).split() == "print('a trial') thing = Thing()".split()


def test_graft_leads_back_to_the_lines_of_the_cell():
    """So that an error can say which line of the reader's it is."""
    cell = "\n\nclass Thing:\n    def one(self):\n        return 1 / 0\n"
    grafted = graft.graft(BASE, cell, "x")
    line = grafted.text.split("\n").index("        return 1 / 0") + 1
    assert grafted.lines[line] == 5


@pytest.mark.parametrize(
    "cell",
    [
        "class Thing:\n\tdef one(self):\n\t\treturn 11\n",
        "class Thing: one = lambda self: 11\n",
        "class Thing:\n    def one(self): return 1\n    def one(self): return 11\n",
        "class Thing(object):\n    'Mine.'\n    def one(self):\n        return 11",
        "x = 1; y = 2\nclass Thing:\n    async def _a(self): pass\n    def one(self): return 11",
    ],
)
def test_graft_takes_code_of_any_layout(cell):
    """Tabs, one-liners, two of a name."""
    assert run(graft.graft(BASE, cell, "x").text)["Thing"]().one() == 11
