"""What GitHub Codespaces and VS Code read: the container's file, and the command it runs."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from checkout import environment_of, git, lend_environment, make_repository
from run_notebooks import ROOT


@pytest.fixture
def container() -> dict:
    return json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))


@pytest.mark.skipif(not shutil.which("make"), reason="make is not here")
def test_the_containers_command_makes_what_it_opens(container: dict, tmp_path: Path) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    checkout = make_repository(folder)
    command = [*container["postCreateCommand"].split(), *lend_environment(checkout)]
    environment = environment_of(checkout, tmp_path)
    subprocess.run(command, cwd=checkout, env=environment, check=True, timeout=60)
    for name in container["customizations"]["codespaces"]["openFiles"]:
        assert (checkout / name).read_bytes() == (
            checkout / "notebooks" / Path(name).name
        ).read_bytes()
    assert git(checkout, "status", "--porcelain") == ""


def test_the_containers_python_is_one_the_course_supports(container: dict) -> None:
    name, _, version = container["image"].rpartition(":")
    assert name == "mcr.microsoft.com/devcontainers/python"
    assert (3, 11) <= tuple(map(int, version.split("."))) <= (3, 14)
    assert container["customizations"]["vscode"]["settings"] == {
        "python.defaultInterpreterPath": "${containerWorkspaceFolder}/.venv/bin/python"
    }


def test_no_lesson_asks_for_a_part_of_jupyterlabs_page() -> None:
    """No widget and no script that calls JupyterLab: an output is a picture, text or plain HTML."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        assert "widgets" not in notebook["metadata"], path.name
        for cell in notebook["cells"]:
            for output in cell.get("outputs", []):
                kinds = set(output.get("data", {}))
                assert not {kind for kind in kinds if "widget" in kind or "bokeh" in kind}
                assert "jupyterapp" not in json.dumps(output), cell["id"]
