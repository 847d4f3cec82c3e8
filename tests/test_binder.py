"""What Binder makes of this repository, without Docker: its Dockerfile and its environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import test_browser as browser
from checkout import git, make_repository
from playwright.sync_api import Page
from run_notebooks import ROOT

from tools import links

page = browser.page  # its fixture, with the `lab` below

BINDER = ROOT / "binder"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="repo2docker needs a Unix")


def requirements() -> dict[str, str]:
    """What Binder installs: name to the whole line."""
    lines = (BINDER / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return {re.split(r"[ =<>;]", line)[0]: line for line in lines if line[:1] not in ("", "#")}


@pytest.fixture(scope="module")
def dockerfile() -> str:
    """The Dockerfile of this checkout, made as mybinder.org makes it; Docker is not needed."""
    user = ["--user-id", "1000", "--user-name", "jovyan"]
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", *user, str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stderr + done.stdout


def position(text: str, pattern: str) -> int:
    found = re.search(pattern, text, re.MULTILINE)
    assert found, f"no {pattern!r} in the Dockerfile:\n{text[-3000:]}"
    return found.start()


def test_the_dockerfile_installs_before_it_copies_and_then_prepares(dockerfile: str) -> None:
    places = [
        position(dockerfile, pattern)
        for pattern in (
            r"^COPY .*environment-2epy-2d3-2e13-2d",  # the Python of binder/runtime.txt
            r"^COPY .* src/binder/requirements\.txt ",
            r'^RUN \$\{KERNEL_PYTHON_PREFIX\}/bin/pip install .* -r "binder/requirements\.txt"',
            r"^COPY --chown=1000:1000 src/ \$\{REPO_DIR\}/",  # new lessons do not install again
            r"^RUN \./binder/postBuild",
        )
    ]
    assert places == sorted(places)
    user = re.findall(r"^USER (.+)$", dockerfile, re.MULTILINE)
    assert user[-1] == "${NB_USER}"


def test_no_requirement_is_a_path_and_jupyterlab_is_binders_own() -> None:
    assert all(re.fullmatch(r"[\w-]+==[\d.]+( +#.*)?", line) for line in requirements().values())
    assert not {"jupyterlab", "ipykernel", "notebook"} & requirements().keys()


def test_binder_installs_all_that_the_lessons_import() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["optional-dependencies"]["lessons"]
    runtime = (BINDER / "runtime.txt").read_text().strip()
    needed = [line for line in wanted if "'3.14'" not in line or "<" in line.split(";")[1]]
    assert runtime == "python-3.13"
    assert {re.split(r"[ =<>;]", line)[0] for line in needed} <= requirements().keys()


def test_post_build_can_be_run_and_makes_what_the_link_opens() -> None:
    script = BINDER / "postBuild"
    assert git(ROOT, "ls-files", "--stage", "binder/postBuild").startswith("100755 ")
    assert "python -m asyncio_lessons update" in script.read_text(encoding="utf-8")
    assert links.binder().endswith("?urlpath=lab/tree/my_course/00_start_here.ipynb")


# -- the environment itself: slow, and it needs the network -------------------------------------


def binders_own() -> list[str]:
    """What Binder's base has, in the versions that repo2docker locks."""
    folder = Path(find_spec("repo2docker").origin).parent / "buildpacks" / "conda"
    lock = (folder / "environment.py-3.13-linux-64.lock").read_text(encoding="utf-8")
    names = ("jupyterlab", "ipykernel", "ipython", "notebook", "jupyter_server", "ipywidgets")
    found = {name: re.search(rf"/{name}-([\d.]+)-[^/]+$", lock, re.MULTILINE) for name in names}
    return [f"{name}=={match[1]}" for name, match in found.items()]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the environment Binder would have, prepared by its own postBuild."""
    python = shutil.which("python3.13")
    if not python or subprocess.run([python, "-c", ""], capture_output=True).returncode:
        pytest.skip("Binder's Python, python3.13, is not on the PATH")
    folder = make_repository(tmp_path_factory.mktemp("jovyan"))
    environment = folder.parent / f"{folder.name}-environment"
    subprocess.run([python, "-m", "venv", str(environment)], check=True)
    pip = [environment / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check"]
    for what in (binders_own(), ["-r", str(folder / "binder" / "requirements.txt")]):
        subprocess.run([*pip, *what], check=True, timeout=600)
    run(folder, "sh", "binder/postBuild")
    return folder


def run(folder: Path, *command: str) -> str:
    """Run a command in the checkout, in Binder's environment; return what it prints."""
    environment = folder.parent / f"{folder.name}-environment"
    path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command,
        cwd=folder,
        env=kept | {"PATH": path, "HOME": str(folder.parent)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_notebook_passes_in_binders_environment(built: Path) -> None:
    versions = run(built, "pip", "list", "--format=freeze")
    for line in [*binders_own(), *(line.split()[0] for line in requirements().values())]:
        assert line.lower().replace("_", "-") in versions.lower().replace("_", "-")
    said = run(built, "python", "tests/run_notebooks.py", "--check")
    assert said.count("unchanged") == len(list((built / "notebooks").glob("*.ipynb"))), said
    assert git(built, "status", "--porcelain") == ""


@pytest.fixture
def lab(built: Path, tmp_path: Path) -> Iterator[browser.Lab]:
    """Binder's JupyterLab on the checkout."""
    environment = built.parent / f"{built.name}-environment"
    with browser.running_lab(built, tmp_path, environment / "bin" / "python") as lab:
        yield lab


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_link_opens_a_lesson_in_binders_jupyterlab_and_it_runs(page: Page, lab) -> None:
    path = links.binder().partition("urlpath=")[2]
    page.goto(f"{lab.url}/{path}?token={lab.token}")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.wait_for_function(browser.KERNEL_IS_READY)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(browser.KERNEL_IS_READY)
    cells = page.evaluate(browser.CODE_CELLS)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert not [out for cell in cells for out in cell["outputs"] if out["output_type"] == "error"]
