"""The built wheel in a Python without the checkout: all that `python -m` offers works there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import bare_python, build_wheel
from run_notebooks import NOTEBOOKS

from asyncio_lessons.__main__ import PROGRAMS
from asyncio_lessons.classroom import exercises
from tools import release


class Installed:
    """An environment with the wheel, and a folder to be in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "elsewhere"
        self.folder.mkdir()
        self.python = bare_python(folder / "bare", build_wheel(folder / "wheels"))
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        self.environment = kept | {"HOME": str(folder), "COLUMNS": "100"}

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run ``python -m asyncio_lessons`` with those arguments."""
        command = [self.python, "-m", "asyncio_lessons", *arguments]
        options = {"cwd": self.folder, "env": self.environment, "capture_output": True}
        return subprocess.run(command, text=True, timeout=60, **options)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("installed"))


def test_without_arguments_it_lists_what_one_can_do(installed: Installed) -> None:
    done = installed.run()
    assert done.returncode == 0
    listed = re.findall(r"^    (\w+)(?: |$)", done.stdout, re.MULTILINE)
    assert listed == ["open", "update", "check", *PROGRAMS]


def test_it_has_a_version(installed: Installed) -> None:
    version = installed.run("--version").stdout.strip()
    assert release.problems(f"v{version}")[:-1] == []  # the last: not yet released


def test_the_lessons_are_in_it(installed: Installed) -> None:
    done = installed.run("update")
    assert done.returncode == 0, done.stderr
    copied = {path.name: path.read_bytes() for path in installed.folder.glob("my_course/*.ipynb")}
    assert copied == {path.name: path.read_bytes() for path in NOTEBOOKS.glob("*.ipynb")}


def test_an_answer_is_checked(installed: Installed) -> None:
    answer = installed.folder / "answer.py"
    answer.write_text(exercises.solution("first-reply").partition("\n")[2])
    done = installed.run("check", "first-reply", "answer.py")
    assert (done.returncode, done.stdout.splitlines()[0].split(".")[0]) == (
        0,
        "first-reply: passed",
    )
    answer.write_text("def reply(message):\n    return message\n")
    done = installed.run("check", "first-reply", "answer.py")
    assert done.returncode == 1
    assert "first-reply: not yet" in done.stdout
    done = installed.run("check", "first-replay", "answer.py")
    assert done.returncode == 2
    assert "There is no exercise 'first-replay'" in done.stderr
    done = installed.run("check", "first-reply", "nowhere.py")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)


def test_the_worker_queue_runs(installed: Installed) -> None:
    done = installed.run("worker_queue", "--jobs", "3")
    assert done.returncode == 0, done.stderr
    assert "3 jobs in " in done.stdout


def test_the_server_serves_and_the_client_sends(installed: Installed) -> None:
    command = [installed.python, "-m", "asyncio_lessons", "serve", "--port", "0"]
    options = {"cwd": installed.folder, "env": installed.environment, "text": True}
    with subprocess.Popen(command, stdout=subprocess.PIPE, **options) as server:
        try:
            port = re.search(r":(\d+)", server.stdout.readline())[1]
            sent = installed.run("send", "--port", port, "Hello Server!")
        finally:
            server.terminate()
    assert "!revreS olleH" in sent.stdout


def test_the_film_command_tells_how_it_is_called(installed: Installed) -> None:
    assert "-o" in installed.run("film", "--help").stdout


def test_open_says_what_is_missing_where_jupyterlab_is(tmp_path: Path, capsys, monkeypatch) -> None:
    from asyncio_lessons.opening import lab

    monkeypatch.setattr(lab, "find_spec", lambda name: None)
    assert lab.open_course(tmp_path / "my_course") == 1
    assert capsys.readouterr().out == (
        "JupyterLab is not installed here. Run: pip install 'asyncio-lessons[course]'\n"
    )


def test_a_release_needs_the_same_version_everywhere() -> None:
    assert len(release.problems("v99.0")) >= 3


def test_commands_say_what_they_did_not_understand() -> None:
    command = [sys.executable, "-m", "asyncio_lessons", "update", "--nonsense"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "not understood: --nonsense" in done.stderr
