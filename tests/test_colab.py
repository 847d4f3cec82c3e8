"""Every lesson in a kernel like Google Colab's: its versions, another folder, one install line.

Slow, and it needs the network: `make slow`. The versions are those that Colab published for August
2026 (its repository googlecolab/backend-info, the file pip-freeze.txt).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from checkout import build_wheel
from run_notebooks import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

COLAB = """
ipykernel==6.17.1 ipython==7.34.0 jupyter_client==7.4.9 tornado==6.5.7 traitlets==5.7.1
pyzmq==26.2.1 matplotlib==3.10.0 pillow==11.3.0 numpy==2.1.3 nest-asyncio==1.6.0
websockets==15.0.1 nbclient==0.10.4 nbformat==5.11.1 setuptools
""".split()


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with Colab's packages and none of ours."""
    if not (3, 11) <= sys.version_info < (3, 14):
        pytest.skip("Colab's IPython is not for this Python")
    folder = tmp_path_factory.mktemp("colab")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *COLAB], check=True, timeout=600)
    return python


def test_every_lesson_runs_after_one_install_line(python: Path, tmp_path: Path) -> None:
    build_wheel(tmp_path / "wheels")
    content, wanted = tmp_path / "content", tmp_path / "lessons"
    content.mkdir()
    wanted.mkdir()
    lessons = sorted((ROOT / "notebooks").glob("[0-8]*.ipynb"))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "wheels")}
    for number, path in enumerate(lessons):
        notebook = nbformat.read(path, as_version=4)
        if number == 0:  # what the first cell of the first lesson says is what the reader does
            first = next(cell for cell in notebook.cells if cell.cell_type == "code")
            install = re.search(r"%pip install [^\"]*", first.source)[0]
            notebook.cells[:0] = [nbformat.v4.new_code_cell(install)]
        nbformat.write(notebook, content / path.name)
        command = [python, "-m", "jupyter", "execute", "--inplace", path.name]
        options = {"cwd": content, "env": environment, "capture_output": True, "text": True}
        done = subprocess.run(command, timeout=300, **options)
        assert done.returncode == 0, f"{path.name}\n{done.stderr[-3000:]}"
        assert printed(content / path.name)[number == 0 :] == printed(path), path.name


def printed(path: Path) -> list[str]:
    """The text that each code cell shows."""
    cells = nbformat.read(path, as_version=4).cells
    return [
        "".join(
            output.get("text", "") + output.get("data", {}).get("text/plain", "")
            for output in cell.outputs
        )
        for cell in cells
        if cell.cell_type == "code"
    ]
