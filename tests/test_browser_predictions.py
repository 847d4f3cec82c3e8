"""In a real browser: a reader predicts by a click, reads why, and is counted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import test_browser as browser
from nbformat.v4 import new_code_cell
from playwright.sync_api import Locator, Page, expect
from run_notebooks import NOTEBOOKS, read, write

from asyncio_lessons.classroom import predictions

lab, page = browser.lab, browser.page  # its fixtures, on the folder of the `lesson` below

LESSON, NAME = "02_generators.ipynb", "foo-called"
ASKED = predictions.find(NAME)
WRONG = next(letter for letter, answer in ASKED.answers.items() if not answer.right)
PROGRESS = "%progress 02"
# Lab draws only the cells in view: this brings one there and makes it the active one.
GO_TO = """async source => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    const cells = notebook.model.toJSON().cells;
    const index = cells.findIndex(cell => [cell.source].flat().join("").includes(source));
    notebook.activeCellIndex = index;
    await notebook.scrollToItem(index, "center");
    return index;
}"""
ACTIVE = ".jp-Notebook .jp-Cell.jp-mod-active"
HTML = f"[data-predict='{NAME}']"


@pytest.fixture
def lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lesson as it is committed, untrusted, with one more cell for the progress."""
    monkeypatch.delenv("ASYNCIO_LESSONS_WORKSHOP", raising=False)
    folder = tmp_path / "course" / "notebooks"
    folder.mkdir(parents=True)
    notebook = read(NOTEBOOKS / LESSON)
    notebook.cells.append(new_code_cell(PROGRESS, id="02-progress"))
    (folder / LESSON).write_bytes(write(notebook))
    return folder / LESSON


def go_to(page: Page, source: str) -> Locator:
    page.evaluate(GO_TO, source)
    return page.locator(ACTIVE)


def run(page: Page, source: str) -> Locator:
    cell = go_to(page, source)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell')")
    page.wait_for_function(browser.KERNEL_IS_READY)
    return cell


def reason_of(box: Locator, letter: str) -> Locator:
    return box.locator(f"details:nth-of-type({ord(letter) - ord('a') + 1}) > div")


def below(page: Page) -> Locator:
    """The cell that is predicted, drawn."""
    return go_to(page, "gen = foo()\nprint(inspect")


@pytest.mark.timeout(6 * browser.PATIENCE)
def test_a_reader_predicts_in_jupyterlab(page: Page, lab: browser.Lab, lesson: Path) -> None:
    expect.set_options(timeout=browser.PATIENCE * 1000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    browser.open_lesson(page, lab, lesson)

    # As the file came, untrusted: scripts are cut, and each answer still has its reason.
    box = go_to(page, f"%predict {NAME}").locator(".jp-RenderedHTMLCommon").first
    expect(box).to_contain_text("Predict.")
    expect(reason_of(box, WRONG)).to_be_hidden()
    box.locator("summary").nth(ord(WRONG) - ord("a")).click()
    expect(reason_of(box, WRONG)).to_be_visible()
    folded = below(page).locator(".jp-Cell-outputWrapper")
    expect(folded.locator(".jp-OutputPlaceholder")).to_be_visible()
    assert ASKED.shows not in folded.inner_text()

    # Live: the answer is given by keyboard, kept, and counted.
    run(page, "%load_ext")
    run(page, "import inspect")
    box = run(page, f"%predict {NAME}").locator(HTML)
    expect(box.locator("[data-note]")).to_have_text("Click your answer. Then run the cell below.")
    box.locator("summary").nth(ord(WRONG) - ord("a")).focus()
    page.keyboard.press("Enter")
    expect(reason_of(box, WRONG)).to_be_visible()
    expect(box.locator("[data-note]")).to_contain_text("Your first answer: ")
    cells = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")
    for key in ("b", "d", "d"):  # which add and delete cells, elsewhere in the notebook
        page.keyboard.press(key)
    assert cells == page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets.length"
    )
    run(page, "def foo():")
    run(page, "gen = foo()\nprint(inspect")
    expect(below(page).locator(".jp-OutputArea-output")).to_contain_text(ASKED.shows)
    progress = run(page, PROGRESS)
    expect(progress.locator("[data-made]")).to_have_text(
        f"1 of {len(predictions.names('02'))} predicted"
    )
    assert not errors


@pytest.mark.timeout(2 * browser.PATIENCE)
def test_a_page_without_a_kernel_covers_the_output(page: Page, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--output-dir", str(tmp_path)]
    subprocess.run([*command, str(NOTEBOOKS / LESSON)], check=True, capture_output=True)
    page.goto((tmp_path / LESSON).with_suffix(".html").as_uri())
    box, output = page.locator(HTML), page.locator("pre", has_text=ASKED.shows)
    expect(output).to_be_hidden()
    box.locator("summary").first.click()
    expect(output).to_be_visible()
    page.reload()
    expect(output).to_be_visible()
    expect(box.locator("[data-note]")).to_contain_text("Your first answer: ")
