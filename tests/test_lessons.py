"""The lessons as texts: their rhythm, their predictions, the beliefs they cure, the glossary."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import pytest
from measure_lessons import Measures, holds, measure, notebooks
from nbformat import NotebookNode
from run_notebooks import NOTEBOOKS, number_of, read

from asyncio_lessons.classroom import predictions
from asyncio_lessons.classroom.checking import catalog
from asyncio_lessons.classroom.notebook.ladder import PARTS
from asyncio_lessons.classroom.predictions import Wrong

PATHS = [pytest.param(path, id=path.stem) for path in notebooks()]


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@lru_cache
def measured(path: Path) -> Measures:
    return measure(path)


def cells_of(path: Path) -> list[NotebookNode]:
    return read(path).cells


# Rhythm

MANY_WORDS = {"00": "a welcome: it explains the tools, and has little code"}


def test_cells_are_short(path: Path) -> None:
    found = measured(path)
    assert found.median_cell <= 5, "lines of code in the median cell"
    assert found.longest_cell <= 15, "lines of code; stubs of exercises are not counted"


def test_there_are_words_for_each_line_of_code(path: Path) -> None:
    words = measured(path).words_a_line
    assert words >= 8, "code with captions: say what comes, and what it showed"
    assert words <= 14 or number_of(path) in MANY_WORDS


def test_a_lesson_says_how_long_it_takes(path: Path) -> None:
    assert re.search(r"^\*Time\*: about \d+ minutes", cells_of(path)[0].source, re.MULTILINE)


@pytest.mark.parametrize("number", [part[0] for part in PARTS])
def test_a_lesson_that_builds_shows_the_ladder(number: str) -> None:
    (path,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
    assert f'ladder("{number}")' in [cell.source.strip() for cell in cells_of(path)]


# Predictions


def asked_in(path: Path) -> dict[str, NotebookNode]:
    """The predictions of a lesson: the name, and the cell below it."""
    cells = cells_of(path)
    return {
        cell.source.split()[1]: below
        for cell, below in pairwise(cells)
        if cell.source.startswith("%predict ")
    }


@pytest.mark.parametrize("name", predictions.names())
def test_a_prediction_has_one_right_answer_and_a_reason_for_each(name: str) -> None:
    answers = predictions.find(name).answers.values()
    assert [answer.right for answer in answers].count(True) == 1
    assert len(answers) >= 3
    reasons = [answer.reason for answer in answers]
    assert all(len(reason.split()) >= 5 for reason in reasons)
    assert len(set(reasons)) == len(reasons), "each answer is wrong, or right, for its own reason"


def test_the_right_answer_has_no_favourite_place() -> None:
    places = Counter(predictions.find(name).right for name in predictions.names())
    total = places.total()
    assert total < 10 or max(places.values()) <= 0.5 * total, places


def test_a_lesson_asks_all_its_predictions(path: Path) -> None:
    asked = [c.source.split()[1] for c in cells_of(path) if c.source.startswith("%predict ")]
    assert sorted(asked) == sorted(predictions.names(number_of(path)))


def test_the_cell_below_a_prediction_shows_the_answer(path: Path) -> None:
    for name, below in asked_in(path).items():
        assert below.cell_type == "code", f"{name}: the cell that is predicted comes next"
        assert below.metadata["jupyter"]["outputs_hidden"], f"{name}: make notebooks"
        assert below.outputs[0].data["text/html"] == "", f"{name}: Lab shows how a fold begins"
        shown = predictions.find(name).shows
        assert shown, f"{name}: what does the output hold that shows the answer?"
        printed = "".join(output.get("text", "") for output in below.outputs)
        assert shown in printed or holds(below, "text/plain", shown), name


def test_no_output_but_a_predicted_one_is_folded(path: Path) -> None:
    below = {cell.id for cell in asked_in(path).values()}
    folded = {c.id for c in cells_of(path) if c.metadata.get("jupyter", {}).get("outputs_hidden")}
    assert folded == below


# Beliefs to cure: each belief, and the lessons that may show that it is false.

BELIEFS = {
    "calling an `async def` runs it": "02 04",
    "every `await` gives way to the loop": "04",
    "a coroutine can be awaited twice": "04",
    "results are sent into the coroutine": "04",
    "a generator needs no priming": "02",
    "`async`/`await` is asyncio": "04 06 11",
    "coroutine, task, future, awaitable mean the same": "04 06 11",
    "`set_result` runs the waiters at once": "05",
    "`asyncio.Future` is `concurrent.futures.Future`": "05",
    "`create_task` starts it now": "06",
    "`cancel()` is instant and certain": "06",
    "`except Exception` sees `CancelledError`": "06",
    "a task lives until it is done": "06",
    "an error in a background task shows up by itself": "06",
    "the loop keeps asking (spins)": "07",
    "one `sleep(0)` lets everything finish": "07",
    "`time.sleep` is fine inside async": "07",
    "`call_soon` takes a coroutine": "07",
    "the loop can be entered again from inside": "07 11",
    "`loop.sock_*` makes any socket async": "08",
    "asyncio makes files async": "01",
    "`call_soon` works from any thread": "08",
    "cancelling stops the thread": "08",
    "objects do not care which loop": "06 08",
    "sequential awaits run together": "09",
    "`gather` cancels the rest on an error": "09",
    "`gather` gives results in the order of finishing": "09",
    "`await a, b` awaits both": "09",
    "`wait_for`/`shield` leave the inner alone": "09",
    "one thread, so no races": "10",
    "`q.put(x)` puts": "10",
    "`queue.join()` cannot hang": "10",
    "workers may be left waiting at exit": "13",
    "`asyncio.run` works anywhere": "11",
    "`nest_asyncio` is the fix": "11",
    "async is parallel, so faster": "11 12 13",
}
# Where not a prediction but the repair of a program shows it.
CURED_BY_REPAIR = {
    "`except Exception` sees `CancelledError`": "task-repair",
    "coroutine, task, future, awaitable mean the same": "sort-awaitables",
}


def lessons_with(belief: str) -> set[str]:
    """The lessons in which a prediction has this belief as a wrong answer."""
    return {
        number_of(path)
        for path in notebooks()
        for name in predictions.names(number_of(path))
        for answer in predictions.find(name).answers.values()
        if isinstance(answer, Wrong) and answer.belief == belief
    }


@pytest.mark.parametrize("belief", BELIEFS)
def test_each_belief_is_shown_to_be_false(belief: str) -> None:
    cures = lessons_with(belief)
    if belief in CURED_BY_REPAIR:
        exercise = catalog.find(CURED_BY_REPAIR[belief])
        (path,) = NOTEBOOKS.glob(f"{exercise.lesson}_*.ipynb")
        if exercise.name in measured(path).exercises and exercise.wrong:
            cures.add(exercise.lesson)
    due = set(BELIEFS[belief].split())
    assert cures & due, f"no lesson of {BELIEFS[belief]} shows it false"


@pytest.mark.parametrize("name", predictions.names())
def test_a_belief_is_one_of_the_list(name: str) -> None:
    named = [getattr(answer, "belief", "") for answer in predictions.find(name).answers.values()]
    assert set(named) <= {"", *BELIEFS}


# Glossary

GLOSSARY = NOTEBOOKS / "99_glossary.ipynb"
LINK = re.compile(r"\]\(99_glossary\.ipynb(?:#([^)]*))?\)")


def entries() -> dict[str, str]:
    """The text of each term, in the order of the page."""
    texts = [cell.source for cell in cells_of(GLOSSARY)[1:]]
    return {text.splitlines()[0].removeprefix("## "): text for text in texts}


def anchor(term: str) -> str:
    """The name a heading has in a link, in JupyterLab and on GitHub alike: so it is lower case."""
    assert term == term.lower()
    return term.replace(" ", "-")


def links_of(path: Path) -> list[str]:
    texts = [cell.source for cell in cells_of(path) if cell.cell_type == "markdown"]
    return [name for text in texts for name in LINK.findall(text)]


def test_the_glossary_is_small_and_has_each_term_once() -> None:
    assert len(entries()) == len(cells_of(GLOSSARY)) - 1 <= 25


def test_links_to_the_glossary_lead_to_a_term(path: Path) -> None:
    assert set(links_of(path)) <= set(map(anchor, entries()))


@pytest.mark.parametrize("term", entries())
def test_a_term_is_linked_where_it_is_defined(term: str) -> None:
    number, name = re.search(r"\[(\d\d)\]\(([^)]+)\)", entries()[term]).groups()
    assert name.startswith(number)
    assert anchor(term) in links_of(NOTEBOOKS / name), f"{name} does not link {term!r}"
