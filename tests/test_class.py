"""What a teacher uses besides the grader: pages, the files of a JupyterHub, packing a hand-in."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
import yaml
from hand_ins import solved

from asyncio_lessons.classroom import workshop
from asyncio_lessons.classroom.grading import hand_in
from asyncio_lessons.classroom.notebook.lessons import LESSONS
from tools.links import hub


def test_the_teachers_page_has_the_minutes_of_each_lesson(root: Path) -> None:
    page = (root / "docs" / "teaching.md").read_text("utf-8")
    rows = re.findall(
        r"^\| \[(\d\d)\]\(\.\./notebooks/(\S+)\) \| (\d+) \| .+ \| .+ \|$", page, re.M
    )
    assert rows == [(each.number, each.file, str(each.minutes)) for each in LESSONS]


def test_the_hubs_page_has_measured_every_lesson_and_the_link(root: Path) -> None:
    page = (root / "docs" / "jupyterhub.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d\d) [\w ]+ \| (\d+) \| (\d+) \| [\d.]+ \| \d+ \|$", page, re.M)
    assert [number for number, _, _ in rows] == [each.number for each in LESSONS]
    assert all(30 < int(end) <= int(most) < 512 for _, end, most in rows), "512 MB is said to do"
    assert f"<{hub('https://hub.example.org', root=root)}>" in page


def test_zero_to_jupyterhubs_values_are_those_of_the_page(root: Path) -> None:
    """Checked by hand against the chart's own schema; here, that names and figures agree."""
    values = yaml.safe_load((root / "class" / "z2jh.yaml").read_text("utf-8"))
    assert set(values) == {"singleuser", "cull"}
    server = values["singleuser"]
    assert server["memory"] == {"guarantee": "512M", "limit": "1G"}
    page = (root / "docs" / "jupyterhub.md").read_text("utf-8")
    assert f"{server['image']['name']}:{server['image']['tag']}" in page
    assert (
        "asyncio_lessons update --folder"
        in server["lifecycleHooks"]["postStart"]["exec"]["command"][-1]
    )


@pytest.mark.skipif(not shutil.which("sh"), reason="no shell here")
def test_the_littlest_jupyterhub_gets_the_course_and_limits(root: Path, tmp_path: Path) -> None:
    """The script runs with stand-ins for the hub's programs, which note how they are called."""
    calls = tmp_path / "calls"
    for program in ("python", "tljh-config"):
        path = tmp_path / program
        path.write_text(f'#!/bin/sh\necho {program} "$@" >> {calls}\n')
        path.chmod(0o755)
    script = (root / "class" / "tljh.sh").read_text("utf-8")
    script = script.replace("/opt/tljh/user/bin/python", "python").replace(
        '$(dirname "$0")/..', str(root)
    )
    command = ["sh", "-c", script, "tljh.sh", "2G"]
    subprocess.run(command, check=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, timeout=30)
    assert calls.read_text().splitlines() == [
        "python -m pip install .[course]",
        "tljh-config set limits.memory 2G",
        "tljh-config set limits.cpu 2",
        "tljh-config set services.cull.timeout 3600",
        "tljh-config reload",
    ]


def test_a_packed_package_is_a_hand_in(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("ASYNCIO_LESSONS_WORKSHOP", str(tmp_path))
    assert workshop.pack().startswith("There is no my_asyncio/ yet")
    package = solved(tmp_path, ["first-reply", "drive"])
    said = workshop.pack()
    assert said.startswith("my_asyncio.zip is beside your lessons, with 2 answers in it")
    with zipfile.ZipFile(tmp_path / "my_asyncio.zip") as archive:
        assert "my_asyncio/answers/drive.py" in archive.namelist()
    texts = hand_in.read(tmp_path / "my_asyncio.zip")
    assert texts == hand_in.read(package)
    assert {"coroutines.py", "answers/first-reply.py", "answers/drive.py"} <= set(texts)
