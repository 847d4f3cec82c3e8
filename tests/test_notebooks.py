"""Each notebook gives the very same file, runs twice in one kernel, and leaves nothing behind.

nbval compares the cells' texts too (`make test` runs it), but neither pictures nor metadata, and it
does not notice an ExceptionGroup that no code caught.
"""

from __future__ import annotations

import base64
import difflib
import io
import json
import re
import subprocess
import sys
import time
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from run_notebooks import (
    NOTEBOOKS,
    ROOT,
    kernel,
    normalise,
    number_of,
    read,
    run_cells,
    warm_up,
    why_pictures_may_differ,
    write,
)

MEAN_PIXEL_DIFFERENCE = 2.0  # of 255, where another machine or matplotlib draws the pictures
PATIENCE = 3.0  # seconds for a thread that is ending to end

PATHS = [pytest.param(path, id=path.stem) for path in sorted(NOTEBOOKS.glob("*.ipynb"))]


@dataclass
class Runs:
    """What one kernel made of one notebook; None is a run that did not come about."""

    committed: bytes
    first: NotebookNode | None = None
    again: NotebookNode | None = None
    left_over: list[str] = field(default_factory=list)
    each_twice: NotebookNode | None = None
    error: str = ""


@pytest.fixture(scope="module", params=PATHS)
def runs(request: pytest.FixtureRequest) -> Runs:
    return run_all_ways(request.param)


def run_all_ways(path: Path) -> Runs:
    """In one kernel: run it, run it again, look for what it left, run each cell twice in a row."""
    warm_up()
    runs = Runs(path.read_bytes())
    notebook = normalise(read(path), number_of(path))
    with kernel(path.parent) as client:
        before = look(client)
        try:
            runs.first = run(client, notebook)
            runs.again = run(client, notebook)
            runs.left_over = left_over(client, before)
            runs.each_twice = run(client, notebook, times=2)
        except CellExecutionError as error:
            runs.error = re.sub(r"\x1b\[[\d;]*m", "", f"a cell failed\n{error}")  # no colours
    return runs


def run(client: NotebookClient, notebook: NotebookNode, times: int = 1) -> NotebookNode:
    """A copy of the notebook, run, each cell so many times in a row."""
    notebook = deepcopy(notebook)
    notebook.cells = [deepcopy(cell) for cell in notebook.cells for _ in range(times)]
    run_cells(client, notebook.cells)
    return notebook


def test_running_it_gives_the_same_file(runs: Runs) -> None:
    new = runs.first or pytest.fail(runs.error)
    if why_pictures_may_differ():
        new = with_pictures_of(read(io.StringIO(runs.committed.decode())), new)
    if write(new) != runs.committed:
        what = changes(runs.committed, write(new))
        pytest.fail(f"not the committed file (to renew it: make notebooks)\n{what}")


def test_it_runs_twice_in_one_kernel_with_the_same_outputs(runs: Runs) -> None:
    again = runs.again or pytest.fail(runs.error)
    once, again = (write(without_history(notebook)) for notebook in (runs.first, again))
    if once != again:
        pytest.fail(f"the second run in one kernel is another\n{changes(once, again)}")


def test_nothing_outlives_it(runs: Runs) -> None:
    if not runs.again:
        pytest.fail(runs.error)
    assert runs.left_over == []


def test_each_cell_runs_twice_in_a_row(runs: Runs) -> None:
    if not runs.each_twice:
        pytest.fail(runs.error)


@pytest.mark.parametrize(
    ("name", "theme"), [("worker_queue.png", "light"), ("worker_queue-dark.png", "dark")]
)
def test_the_readmes_picture_is_what_the_demo_draws(tmp_path: Path, name: str, theme: str) -> None:
    picture, demo = tmp_path / "picture.png", "asyncio_lessons.demos.worker_queue"
    command = [sys.executable, "-m", demo, "--plot", str(picture), "--theme", theme]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    committed = (ROOT / ".github" / name).read_bytes()
    if why_pictures_may_differ():
        assert look_alike(*map(base64.b64encode, (committed, picture.read_bytes())))
    else:
        assert picture.read_bytes() == committed, "make notebooks"


def without_history(notebook: NotebookNode) -> NotebookNode:
    """A copy in which no cell and no output knows what ran before it."""
    notebook = deepcopy(notebook)
    for cell in notebook.cells:
        if "%load_ext" in cell.source:  # IPython's own remark, the second time
            cell.outputs = [out for out in cell.outputs if "already loaded" not in str(out)]
        for counted in [cell, *cell.get("outputs", [])]:
            if "execution_count" in counted:
                counted.execution_count = None
    return notebook


def changes(old: bytes, new: bytes) -> str:
    """The first lines that differ, shortened: a picture is one very long line."""
    texts = (text.decode().splitlines() for text in (old, new))
    lines = list(difflib.unified_diff(*texts, "before", "now", n=1, lineterm=""))[:60]
    return "\n".join(line if len(line) < 160 else f"{line[:120]} ... {len(line)}" for line in lines)


def with_pictures_of(committed: NotebookNode, new: NotebookNode) -> NotebookNode:
    """A copy of `new` with the committed pictures in it wherever its own look the same."""
    new = deepcopy(new)
    for cells in zip(committed.cells, new.cells, strict=False):
        for old, fresh in zip(*(cell.get("outputs", []) for cell in cells), strict=False):
            pictures = [output.get("data", {}).get("image/png") for output in (old, fresh)]
            if all(pictures) and look_alike(*pictures):
                fresh.data["image/png"] = pictures[0]
    return new


def look_alike(one: str | bytes, other: str | bytes) -> bool:
    """Say whether two PNG files in base64 have the same size and, as a mean, the same pixels."""
    import numpy
    from PIL import Image

    files = (io.BytesIO(base64.b64decode(text)) for text in (one, other))
    pixels = [numpy.asarray(Image.open(file).convert("RGB"), dtype=float) for file in files]
    same_size = pixels[0].shape == pixels[1].shape
    return same_size and bool(abs(pixels[0] - pixels[1]).mean() <= MEAN_PIXEL_DIFFERENCE)


def look(client: NotebookClient) -> list[str]:
    """What is alive in the client's kernel; asking leaves no trace in its names and counts."""
    cell = new_code_cell('exec("from tests.alive import tell; tell()", {})')
    run_cells(client, [cell], counted=False)
    return json.loads(cell.outputs[0].text)


def left_over(client: NotebookClient, before: list[str]) -> list[str]:
    """What is alive now and was not `before`, after a little patience."""
    deadline = time.monotonic() + PATIENCE
    while (left := Counter(look(client)) - Counter(before)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return sorted(left.elements())
