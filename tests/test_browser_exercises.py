"""In a real browser: a reader solves lesson 05, and lesson 06 runs on that code."""

from __future__ import annotations

from pathlib import Path

import pytest
import test_browser as browser
from playwright.sync_api import Locator, Page, expect
from run_notebooks import NOTEBOOKS, read, write

from asyncio_lessons.classroom import exercises

lab, page = browser.lab, browser.page  # its fixtures, on the folder of the `lesson` below

FUTURES, TASKS = "05_futures.ipynb", "06_tasks.ipynb"
ACTIVE_CELL = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell.jp-mod-active"
# Lab draws only the cells in view: this brings one there and makes it the active one.
GO_TO = """async first_line => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    const cells = notebook.model.toJSON().cells;
    const source = cell => [cell.source].flat().join("");
    const index = cells.findIndex(cell => source(cell).split("\\n")[0].trim() === first_line);
    if (index < 0) throw new Error(`no cell begins with ${first_line}`);
    notebook.activeCellIndex = index;
    await notebook.scrollToItem(index, "center");
}"""
RUN_ALL = "() => window.jupyterapp.commands.execute('notebook:run-all-cells')"
SAVE = "() => window.jupyterapp.commands.execute('docmanager:save')"


@pytest.fixture
def lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copies of both lessons without outputs, in a folder in which nothing was solved yet."""
    monkeypatch.delenv("ASYNCIO_LESSONS_WORKSHOP", raising=False)
    folder = tmp_path / "course" / "notebooks"
    folder.mkdir(parents=True)
    for name in (FUTURES, TASKS):
        notebook = read(NOTEBOOKS / name)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        (folder / name).write_bytes(write(notebook))
    return folder / FUTURES


def go_to(page: Page, first_line: str) -> Locator:
    """The cell that begins with this line, in view and active."""
    page.evaluate(GO_TO, first_line)
    cell = page.locator(ACTIVE_CELL)
    expect(cell).to_contain_text(first_line)
    return cell


def output_of(cell: Locator) -> Locator:
    return cell.locator(".jp-OutputArea-output").first


def solve(page: Page, name: str) -> None:
    """Put the solution in place of the stub and run the cell, by mouse and keyboard."""
    cell = go_to(page, f"%%exercise {name}")
    expect(output_of(cell)).to_contain_text(f"{name}: not started")
    cell.locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(exercises.solution(name))
    page.keyboard.press("Control+Enter")
    expect(output_of(cell)).to_contain_text(f"{name}: passed")


@pytest.mark.timeout(6 * browser.PATIENCE)
def test_what_a_reader_solves_in_lesson_05_runs_in_lesson_06(
    page: Page, lab: browser.Lab, lesson: Path
) -> None:
    expect.set_options(timeout=browser.PATIENCE * 1000)
    browser.open_lesson(page, lab, lesson)
    page.evaluate(RUN_ALL)
    page.wait_for_function(browser.KERNEL_IS_READY)
    assert not (lesson.parent / "my_asyncio").exists(), "a stub is no answer"
    names = exercises.names("05")
    for name in names:
        solve(page, name)
    page.evaluate(SAVE)

    page.reload()
    page.wait_for_function(browser.KERNEL_IS_READY)
    cell = go_to(page, f"%%exercise {names[0]}")
    expect(output_of(cell)).to_contain_text(f"{names[0]}: passed")

    browser.open_lesson(page, lab, lesson.with_name(TASKS))
    cell = go_to(page, "aio = workshop.package()")
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-above')")
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    expect(output_of(cell)).to_contain_text("Future: yours; the rest: the course's.")
