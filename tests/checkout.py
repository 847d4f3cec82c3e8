"""A checkout of this repository as a reader has it: a git repository of its own in a folder."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from run_notebooks import ROOT

PATIENCE = 90  # seconds; a slow machine takes 15
ADDRESS = r"http://127\.0\.0\.1:(\d+)/lab/tree/00_start_here\.ipynb\?token=\w+"


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


class Running:
    """A command in a checkout, as in a terminal: what it has said so far, and Ctrl-C."""

    def __init__(self, checkout: Path, command: list[str], **environment: str) -> None:
        home = checkout.parent / "home"
        home.mkdir(exist_ok=True)
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            command,
            cwd=checkout,
            env=environment_of(checkout, home) | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        self.lines.extend(line.rstrip("\n") for line in iter(self.process.stdout.readline, ""))

    @property
    def said(self) -> str:
        """What it has said so far."""
        return "\n".join(self.lines)

    def wait_for(self, pattern: str, patience: float = PATIENCE) -> re.Match:
        """Wait until a whole line matches the pattern; return the match."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            for line in self.lines:
                if found := re.fullmatch(pattern, line):
                    return found
            if ended and not self._reader.is_alive():
                break
            time.sleep(0.05)
        pytest.fail(f"no line {pattern!r} came:\n{self.said}")

    def wait_for_address(self, patience: float = PATIENCE) -> re.Match:
        """Wait for the address of the course; its first group is the port."""
        found = self.wait_for(ADDRESS, patience)
        assert self.lines[-1] == found[0], "the address is not the last line"
        return found

    def wait(self) -> int:
        """Wait for the end; return the exit status."""
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        self.process.stdout.close()
        return self.process.returncode

    def stop(self) -> int:
        """Send what Ctrl-C sends to every program of the terminal, and wait for the end."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)
        return self.wait()


def without_network(command: list[str]) -> list[str]:
    """Return the command as one that runs without network, but for this machine's own address."""
    if not (shutil.which("unshare") and shutil.which("ip")):
        pytest.skip("unshare and ip are not here: the network cannot be cut")
    cut = ["unshare", "--net"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    if subprocess.run([*cut, "ip", "link", "set", "lo", "up"], capture_output=True).returncode:
        pytest.skip("this user cannot cut the network")
    return [*cut, "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command]
