"""A checkout of this repository as a reader has it: a git repository of its own in a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from run_notebooks import ROOT


def git(folder: Path, *arguments: str) -> str:
    """Run git there, as an author who is always the same; return what it prints."""
    who = ["-c", "user.name=author", "-c", "user.email=author@example.org"]
    command = ["git", *who, "-c", "init.defaultBranch=main", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make_repository(folder: Path) -> Path:
    """Make a repository in `folder` with one commit: the files of this checkout as they are now."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    for name in git(ROOT, "ls-files", "-z", "-co", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "the course")
    return folder


def environment_of(checkout: Path, home: Path) -> dict[str, str]:
    """Return variables with which this Python runs that checkout, in a home of its own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(
            ("JUPYTER", "ASYNCIO_LESSONS", "PYTEST", "XDG", "DISPLAY", "WAYLAND")
        )
        and name not in ("BROWSER", "IPYTHONDIR")
    }
    return kept | {"HOME": str(home), "USERPROFILE": str(home), "PYTHONPATH": str(checkout)}


def lend_environment(checkout: Path) -> str:
    """Give a checkout this Python's environment under a name; return it as an argument of make."""
    stamp = checkout / "pyproject.toml"
    for extra in ("course", "test"):
        made = Path(sys.prefix) / extra
        if not made.exists():
            pytest.skip("this Python's environment was not made by make")
        os.utime(stamp, (0, 0))  # older than the stamp: nothing is to be installed
    return f"VENV={sys.prefix}"
