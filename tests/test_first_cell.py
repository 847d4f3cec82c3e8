"""The first cell of each lesson loads the course, or says in one line how to get it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from checkout import bare_python, build_wheel
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from run_notebooks import NOTEBOOKS

FIRST_CELL = """\
try:
    %load_ext asyncio_lessons.classroom
except ModuleNotFoundError:
    print("Run this once, then this cell again: %pip install 'asyncio-lessons[lessons]'")"""
LESSONS = [pytest.param(path, id=path.stem) for path in sorted(NOTEBOOKS.glob("[0-8]*.ipynb"))]


@pytest.mark.parametrize("path", LESSONS)
def test_every_lesson_begins_with_it(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    first, *rest = [cell for cell in cells if cell.cell_type == "code"]
    assert first.source == FIRST_CELL
    assert first.outputs == []
    assert not [cell.id for cell in rest if "%load_ext" in cell.source]


@pytest.fixture
def bare_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NotebookClient]:
    """A kernel without the package, in another folder; its pip finds our wheel, and no network."""
    build_wheel(tmp_path / "wheels")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    spec, elsewhere = tmp_path / "jupyter" / "kernels" / "bare", tmp_path / "content"
    spec.mkdir(parents=True)
    elsewhere.mkdir()
    python = bare_python(tmp_path / "bare")
    command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": command, "display_name": "bare"}))
    options = {"kernel_name": "bare", "timeout": 60, "allow_errors": False}
    client = NotebookClient(new_notebook(), resources={"metadata": {"path": elsewhere}}, **options)
    with client.setup_kernel():
        yield client


def run(client: NotebookClient, source: str) -> str:
    """Run a cell and return what it printed; raises CellExecutionError where it fails."""
    cell = new_code_cell(source)
    client.nb.cells = [cell]
    client.execute_cell(cell, 0)
    return "".join(output.get("text", "") for output in cell.outputs)


def test_without_the_package_it_says_the_one_line_that_gets_it(bare_kernel) -> None:
    said = run(bare_kernel, FIRST_CELL)
    (sentence,) = said.splitlines()
    install = re.search(r"%pip install .*", sentence)[0]
    assert "Successfully installed asyncio-lessons" in run(bare_kernel, install)
    assert run(bare_kernel, FIRST_CELL) == ""
    check = "from asyncio_lessons.classroom import environment; print(environment.check())"
    assert run(bare_kernel, check) == "Everything the course needs is here.\n"
    assert "mine" in run(bare_kernel, "%%timeline --virtual\nprint('mine')")
