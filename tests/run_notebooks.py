"""Run notebooks in place and write them in the one form this repository keeps (`make notebooks`).

    python tests/run_notebooks.py                               every notebook
    python tests/run_notebooks.py notebooks/05_futures.ipynb    this one
    python tests/run_notebooks.py --check                       write nothing, say what would change

An author writes sources, in JupyterLab or with a script. Everything else in the file is made here:
outputs, execution counts, metadata, and the ids of cells that have none which means something.
A notebook in which a cell fails is not written.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
CELL_TIMEOUT = 60  # seconds, as `--nbval-cell-timeout` in pyproject.toml

# A kernel reports its exact Python, JupyterLab adds versions of its own: none is the lesson's.
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}
CELL_METADATA = ("tags", "jupyter")  # what an author may set on a cell; the rest is editors' memory
# What a user's shell may set that would change an output.
UNWANTED_ENVIRONMENT = (
    "PYTHONASYNCIODEBUG",
    "PYTHONWARNINGS",
    "PYTHONSTARTUP",
    "MPLBACKEND",
    "MATPLOTLIBRC",
)
# Where the user's own settings of IPython and the reader's own package lie: not those, here.
USERS_FOLDERS = ("IPYTHONDIR", "ASYNCIO_LESSONS_WORKSHOP")


def number_of(path: Path) -> str:
    """The two digits a notebook's file name begins with."""
    return path.name[:2]


def is_meaningful(cell_id: str, number: str) -> bool:
    """Say whether an id reads like `05-why-callbacks-wait`: the lesson's number, then words."""
    words = rf"{number}(-[a-z0-9]+)*-[a-z]{{2,}}(-[a-z0-9]+)*"
    return len(cell_id) <= 64 and re.fullmatch(words, cell_id) is not None


def read(file: object) -> NotebookNode:
    """Read a notebook (a path or an open file) as format 4.5, the first with ids on cells."""
    notebook = nbformat.read(file, as_version=4)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def write(notebook: NotebookNode) -> bytes:
    """The notebook as the bytes of its file; equal notebooks give equal bytes."""
    return (nbformat.writes(notebook).rstrip("\n") + "\n").encode()


def normalise(notebook: NotebookNode, number: str) -> NotebookNode:
    """Bring metadata and cell ids to the one form, in place; sources and outputs stay."""
    notebook.metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    taken: set[str] = set()
    heading = "opening"
    for cell in notebook.cells:
        kept = {key: cell.metadata[key] for key in CELL_METADATA if cell.metadata.get(key)}
        cell.metadata = nbformat.from_dict(kept)
        heading = _heading(cell) or heading
        if not is_meaningful(cell.get("id", ""), number) or cell.id in taken:
            cell.id = _free(f"{number}-{heading}", taken)
        taken.add(cell.id)
    _fold_what_is_predicted(notebook.cells)
    return notebook


def _fold_what_is_predicted(cells: list[NotebookNode]) -> None:
    """Fold the output of the cell below each prediction: JupyterLab unfolds it when it is run."""
    for asked, below in pairwise(cells):
        if asked.cell_type == below.cell_type == "code" and asked.source.startswith("%predict "):
            below.metadata["jupyter"] = nbformat.from_dict({"outputs_hidden": True})


def _heading(cell: NotebookNode) -> str:
    """The first heading of a Markdown cell as words with hyphens, or nothing."""
    found = cell.cell_type == "markdown" and re.search(r"^#+ (.*)", cell.source, re.MULTILINE)
    if not found:
        return ""
    words = re.findall(r"[a-z0-9]+", found[1].lower())
    while words and words[0].isdigit():
        words = words[1:]
    return "-".join(words)[:48].strip("-")


def _free(stem: str, taken: set[str]) -> str:
    """`stem`, or `stem-2`, `stem-3`, ...: the first that no cell has."""
    names = [stem] + [f"{stem}-{count}" for count in range(2, len(taken) + 3)]
    return next(name for name in names if name not in taken)


@contextmanager
def kernel(folder: Path) -> Iterator[NotebookClient]:
    """A fresh kernel in `folder`, as JupyterLab starts it, but free of the user's own settings."""
    client = NotebookClient(
        nbformat.v4.new_notebook(),
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        coalesce_streams=True,
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as settings:
        with client.setup_kernel(env=_environment(settings)):
            yield client


def _environment(settings: str) -> dict[str, str]:
    """This process's environment without what could change an output; the package is this one."""
    kept = {name: value for name, value in os.environ.items() if name not in UNWANTED_ENVIRONMENT}
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return kept | dict.fromkeys(USERS_FOLDERS, settings) | {"PYTHONPATH": path}


def run_cells(client: NotebookClient, cells: list[NotebookNode], *, counted: bool = True) -> None:
    """Run `cells` one after the other in the client's kernel; the outputs land in them.

    Raises CellExecutionError when one fails.
    """
    client.nb.cells = cells
    for index, cell in enumerate(cells):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            client.execute_cell(cell, index, store_history=counted)


def warm_up() -> None:
    """Let matplotlib look for fonts now: it would say so in the first cell that draws."""
    import matplotlib.font_manager  # noqa: F401


def why_pictures_may_differ() -> str:
    """Say why pictures drawn here may differ in their bytes from the committed ones, if so."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return "the committed ones were drawn on Linux, x86-64"
    pins = re.findall(r'"(matplotlib|pillow)==([^"]+)"', (ROOT / "pyproject.toml").read_text())
    others = [f"{name} is {version(name)}, not {pin}" for name, pin in pins if version(name) != pin]
    return " and ".join(others)


def renewed(path: Path) -> bytes:
    """Run the notebook at `path` in a fresh kernel and return what its file should hold.

    Raises CellExecutionError when a cell fails.
    """
    notebook = normalise(read(path), number_of(path))
    with kernel(path.parent) as client:
        run_cells(client, notebook.cells)
    return write(notebook)


def main(arguments: list[str] | None = None) -> int:
    """Renew (or with `--check` compare) the notebooks named; return the exit status."""
    parser = argparse.ArgumentParser(description="Run notebooks in place, in one exact form.")
    parser.add_argument("paths", nargs="*", type=Path, help="default: all of the course")
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a change")
    options = parser.parse_args(arguments)
    warm_up()
    paths = options.paths or sorted(NOTEBOOKS.glob("*.ipynb"))
    failures = sum(not _renew(path.resolve(), check=options.check) for path in paths)
    return int(failures > 0)


def _renew(path: Path, *, check: bool) -> bool:
    """Renew one file and say what happened; tell whether all is well."""
    try:
        new = renewed(path)
    except CellExecutionError as error:
        print(f"{path.name}: a cell failed, the file stays as it was\n{error}")
        return False
    same = new == path.read_bytes()
    if not check and not same:
        path.write_bytes(new)
    print(f"{path.name}: {'unchanged' if same else 'would change' if check else 'renewed'}")
    return same or not check


if __name__ == "__main__":
    sys.exit(main())
