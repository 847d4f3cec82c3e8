"""In a real browser: a reader solves and saves, git sees nothing, an update keeps the answer."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import test_browser as browser
from checkout import Running, environment_of, git, lend_environment, make_repository
from playwright.sync_api import Page, expect
from run_notebooks import read, write
from test_browser_exercises import RUN_ALL, SAVE, solve

page = browser.page  # its fixture, with the `lab` below

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is not here")
LESSON, EXERCISE = "00_start_here.ipynb", "first-reply"


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """The repository that the reader clones."""
    browser.find_browser()
    (tmp_path / "upstream").mkdir()
    return make_repository(tmp_path / "upstream")


@pytest.fixture
def clone(upstream: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", str(upstream), "clone")
    return tmp_path / "clone"


@pytest.fixture
def lab(clone: Path) -> Iterator[Running]:
    """`make lab` in the clone; the page shows its application to the test, all else is usual."""
    options = "LAB_OPTIONS=--LabApp.expose_app_in_browser=True"
    lab = Running(clone, ["make", "lab", options, *lend_environment(clone)])
    yield lab
    lab.stop()


@pytest.mark.timeout(6 * browser.PATIENCE)
def test_the_readers_work_and_git_do_not_meet(
    page: Page, lab: Running, clone: Path, upstream: Path
) -> None:
    expect.set_options(timeout=browser.PATIENCE * 1000)
    page.goto(lab.wait_for_address()[0])
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.wait_for_function(browser.KERNEL_IS_READY)
    expect(page.locator(".jp-Dialog, .Toastify__toast")).to_have_count(0)  # no news, no question
    page.evaluate(RUN_ALL)
    page.wait_for_function(browser.KERNEL_IS_READY)
    solve(page, EXERCISE)
    page.evaluate(SAVE)
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    lab.stop()
    answer = answer_in(clone)
    assert "return" in answer
    assert (clone / "my_course" / "my_asyncio").is_dir()
    assert git(clone, "status", "--porcelain") == ""

    reword(upstream)
    command = ["make", "update", *lend_environment(clone)]
    environment = environment_of(clone, clone.parent / "home")
    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{LESSON} is newer; your answers are in it." in done.stdout
    assert answer_in(clone) == answer
    assert "# 00 Start here, reworded" in (clone / "my_course" / LESSON).read_text()
    assert (clone / "my_course" / "my_asyncio").is_dir()
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "rev-parse", "HEAD") == git(upstream, "rev-parse", "HEAD")


def answer_in(clone: Path) -> str:
    """The cell of the exercise in the reader's copy."""
    (found,) = [
        cell.source
        for cell in read(clone / "my_course" / LESSON).cells
        if cell.source.startswith(f"%%exercise {EXERCISE}")
    ]
    return found


def reword(upstream: Path) -> None:
    """Let the course have a newer lesson: other words, and another stub."""
    path = upstream / "notebooks" / LESSON
    notebook = read(path)
    notebook.cells[0].source = notebook.cells[0].source.replace("here", "here, reworded", 1)
    for cell in notebook.cells:
        if cell.source.startswith("%%exercise"):
            cell.source += "\n# a hint more"
    path.write_bytes(write(notebook))
    git(upstream, "commit", "--quiet", "--all", "--message", "a newer lesson")
