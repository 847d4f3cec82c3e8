"""A lesson in Jupyter Notebook 7, in a real browser, from top to bottom.

Slow, as one more browser: `make slow`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import test_browser as browser
from playwright.sync_api import Page

from asyncio_lessons.opening.lessons import bring

page = browser.page  # its fixture, with the `lab` below

pytestmark = [pytest.mark.slow, pytest.mark.timeout(6 * browser.PATIENCE)]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[browser.Lab]:
    """Notebook 7 on a reader's copy."""
    bring(tmp_path / "my_course")
    with browser.running_lab(tmp_path / "my_course", tmp_path, module="notebook") as server:
        yield server


@pytest.mark.parametrize("lesson", ["00_start_here", "05_futures", "13_worker_queue"])
def test_a_lesson_runs_from_top_to_bottom(page: Page, lab: browser.Lab, lesson: str) -> None:
    page.goto(f"{lab.url}/notebooks/{lesson}.ipynb?token={lab.token}")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.wait_for_function(browser.KERNEL_IS_READY)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(browser.KERNEL_IS_READY)
    cells = page.evaluate(browser.CODE_CELLS)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert not [out for cell in cells for out in cell["outputs"] if out["output_type"] == "error"]
