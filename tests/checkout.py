"""A checkout of this repository as a reader has it: a git repository of its own in a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
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


def lend_environment(checkout: Path) -> list[str]:
    """Lend a checkout this Python's environment; return what to add to a command of make.

    Nothing is installed in it: make finds no Python that could.
    """
    if not (Path(sys.prefix) / "course").exists():
        pytest.skip("this Python's environment was not made by make")
    os.utime(checkout / "pyproject.toml", (0, 0))  # older than the environment
    return [f"VENV={sys.prefix}", "PYTHONS=false"]


def build_wheel(folder: Path) -> Path:
    """Build the package's wheel from this checkout, without network, and return its path."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--disable-pip-version-check", "-w", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("asyncio_lessons-*.whl"))


def bare_python(folder: Path, *wheels: Path) -> Path:
    """Make an environment that has links to this one's packages, but not ours; return its Python.

    wheels: what to install in it.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    show = "import sysconfig; print(sysconfig.get_path('purelib'))"
    inside = Path(subprocess.check_output([python, "-c", show], text=True).strip())
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if "asyncio_lessons" not in package.name:
            try:
                (inside / package.name).symlink_to(package)
            except OSError:
                pytest.skip("this machine makes no links")
    for wheel in wheels:
        install = [python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel]
        subprocess.run(install, check=True, capture_output=True, timeout=120)
    return python
