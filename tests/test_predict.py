"""Predictions, the ladder and %progress, as a reader meets them without a page."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from asyncio_lessons.classroom import (
    attempt,
    exercises,
    ladder,
    predictions,
    printed_warnings,
    workshop,
)
from asyncio_lessons.classroom.checking.catalog import UnknownName
from asyncio_lessons.classroom.notebook import exercise_magics
from asyncio_lessons.classroom.notebook.lessons import LESSONS, lesson
from asyncio_lessons.classroom.notebook.predict import ask, typed
from asyncio_lessons.classroom.notebook.progress import progress
from asyncio_lessons.classroom.predictions import Prediction, Right, Wrong

ASKED = Prediction(
    "made-up",
    "What is `1 < 2`?",
    Wrong("`False` & nothing", "One is less than two."),
    Right("`True`", "One is less than two, so it holds."),
    Wrong("`1`", "A comparison gives a truth value."),
    shows="True",
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which nothing was answered yet, and a course with one made-up prediction."""
    monkeypatch.setenv("ASYNCIO_LESSONS_WORKSHOP", str(tmp_path))
    monkeypatch.setattr(predictions, "_all", lambda: {"02": {"made-up": ASKED}})
    return tmp_path


# The question


def test_the_text_asks_and_does_not_tell() -> None:
    text = str(ask("made-up"))
    assert text.splitlines()[:2] == ["Predict: What is `1 < 2`?", "  a  `False` & nothing"]
    assert "%predict made-up a" in text
    assert not any(answer.reason in text for answer in ASKED.answers.values())


def test_each_answer_in_the_page_is_a_closed_fold_with_its_own_reason() -> None:
    html = ask("made-up").html()
    folds = re.findall(r"<details (.*?)>.*?<summary.*?>(.*?)</summary>(.*?)</details>", html)
    assert len(folds) == 3
    for (attributes, summary, reason), answer in zip(folds, ASKED.answers.values(), strict=True):
        assert "open" not in attributes
        assert answer.text.replace("`", "") == unescape(re.sub("<.*?>", "", summary))
        assert answer.reason in reason and ("✓" in reason) == answer.right


def test_the_page_is_small_self_contained_and_has_no_ids() -> None:
    html = ask("made-up").html()
    assert len(html) < 5000
    assert not re.search(r"\bid=|https?:|<link|<style", html)
    assert "STORE" not in html


# Answers that are typed


def test_a_typed_answer_shows_its_reason_and_is_kept() -> None:
    assert str(ask("made-up", "B")) == "b  `True`\n✓ Yes. One is less than two, so it holds."
    assert re.findall(r'data-answer="(.)" open', ask("made-up", "c").html()) == ["c"]
    assert typed() == {"made-up": "b"}, "the first answer counts"


def test_a_typed_answer_makes_no_package(home: Path) -> None:
    ask("made-up", "a")
    assert not workshop.exists()
    report = exercises.check("suspend", exercises.solution("suspend").partition("\n")[2])
    assert "This made your own package" in report.notes[0]
    assert typed() == {"made-up": "a"}


@pytest.mark.parametrize("text", ["", "[]", "no json", '{"made-up": '])
def test_what_was_kept_and_is_damaged_is_no_error(home: Path, text: str) -> None:
    ask("made-up", "a")
    (home / "my_asyncio" / "predictions.json").write_text(text)
    assert typed() == {}


def test_an_answer_that_cannot_be_kept_is_shown_all_the_same(home: Path, capsys) -> None:
    (home / "my_asyncio").write_text("a file in the place of the folder")
    assert "Yes" in str(ask("made-up", "b"))
    assert "is not counted" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "Write %predict and a name; to answer b: %predict, the name, and b."),
        ("made-up b c", "Write %predict and a name; to answer b: %predict, the name, and b."),
        ("made-upp", "There is no prediction 'made-upp'. Is it 'made-up'?"),
        ("made-up d", "The answers of made-up are a, b, c: 'd' is none of them."),
    ],
)
def test_a_wrong_command_is_answered_with_a_sentence(line: str, says: str, capsys) -> None:
    exercise_magics._polite(exercise_magics.predict)(line)
    assert capsys.readouterr().out.strip() == says


# What lessons call things with


def test_attempt_prints_what_was_returned_or_raised_in_one_line(capsys) -> None:
    attempt(divmod, 7, 2)
    attempt(divmod, 7, 0)
    attempt(next, iter([]))
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "returned: (3, 1)"
    assert out[1].startswith("ZeroDivisionError: ")
    assert out[2] == "StopIteration"


def test_attempt_lets_an_interrupt_through() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(interrupted)


def test_printed_warnings_tells_of_what_was_never_awaited(capsys) -> None:
    async def forgotten() -> None: ...

    with printed_warnings():
        attempt(type, forgotten())
    assert capsys.readouterr().out.endswith("forgotten' was never awaited\n")


# The ladder


def test_the_ladder_names_the_parts_and_the_new_one() -> None:
    assert str(ladder("05")).splitlines() == [
        "Built before: generator, delegation, coroutine.",
        "New here:     future.",
        "Still to come: task, loop, selector, gather, queue.",
        "No line is yours yet.",
    ]
    assert ladder("10").svg().count("stroke-dasharray") == 0
    assert ladder("02").svg().count("stroke-dasharray") == 8


def test_the_ladder_counts_the_readers_lines() -> None:
    code = "import types\n\n@types.coroutine\ndef suspend():\n    # here\n    yield\n"
    assert exercises.check("suspend", code).status == "passed"
    assert str(ladder("04")).endswith("Lines of yours in it so far: 4.")
    assert "4 lines yours" in ladder("04").svg()


def test_a_lesson_that_builds_nothing_has_no_ladder() -> None:
    with pytest.raises(UnknownName, match="Lesson '01' builds no part: 02, 03,"):
        ladder("01")


# How far


def test_progress_says_where_to_resume() -> None:
    assert progress().next().startswith("Next: first-reply, in 00_start_here.ipynb")
    code = exercises.solution("suspend").partition("\n")[2]
    assert exercises.check("suspend", code).status == "passed"
    assert progress().next().startswith("Next: drive, in 04_coroutines.ipynb")
    assert progress("02").next().startswith("Next: double-repair, in 02_generators.ipynb")
    assert '<a href="04_coroutines.ipynb">04_coroutines.ipynb</a>' in progress().html()


def test_progress_counts_what_was_predicted_and_the_minutes_left() -> None:
    before = progress("02").rows[0]
    assert before.minutes_left == lesson("02").minutes
    assert "0 of 1 predicted" in str(progress("02"))
    ask("made-up", "a")
    after = progress("02").rows[0]
    assert "1 of 1 predicted" in str(progress("02"))
    assert 0 < after.minutes_left < before.minutes_left


def test_progress_of_a_lesson_that_does_not_exist() -> None:
    with pytest.raises(UnknownName, match="There is no lesson '99': 00 to 13."):
        progress("99")


def test_the_lessons_are_those_of_the_folder(root: Path) -> None:
    found = sorted(path.name for path in (root / "notebooks").glob("[01]*.ipynb"))
    assert found == [lesson.file for lesson in LESSONS]
