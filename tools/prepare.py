"""Make the environment of the course, and say in plain lines what happens; `make` calls it.

    python3 tools/prepare.py .venv course lab    folder, what for (an extra of pyproject.toml), goal

An environment that was left half made is made again from the start. Where one exists that is only
older than pyproject.toml and there is no network, `make lab` opens the course with that one.
"""

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

EVERY = 5  # seconds between two lines of progress
HALF_MADE = "half-made"  # stands in a new environment until everything is installed
NO_NETWORK = re.compile(r"NewConnectionError|NameResolutionError|Retrying|from versions: none")


class Stop(Exception):
    """What ends the preparation: one sentence for the reader."""


def main(folder: Path, extra: str, goal: str) -> int:
    """Prepare `folder` for the extra `extra`; return the exit status."""
    again = f"make {goal}"
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    try:
        is_new = (folder / HALF_MADE).exists() or not runs(python, "import pip")
        if is_new:
            make(folder, python)
        try:
            install(python, extra)
        except Stop as problem:
            if is_new or extra != "course":
                raise
            print(f"{problem}\nThe course opens with what was installed before.", flush=True)
            return 0
        runs(python, "import matplotlib.font_manager")  # looks for fonts once; a cell would say so
        (folder / HALF_MADE).unlink(missing_ok=True)
        for stamp in {"course", extra}:
            (folder / stamp).touch()
        print("The environment is ready.", flush=True)
    except Stop as problem:
        print(f"{problem} To begin again: {again}", flush=True)
        return 1
    except KeyboardInterrupt:
        print(f"\nStopped. Nothing is broken; to begin again: {again}", flush=True)
        return 130
    return 0


def make(folder: Path, python: Path) -> None:
    """Make an empty environment; it counts as half made until packages are in it."""
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"Making an environment in {folder} with Python {version}. About a minute, once.")
    try:
        run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)], "")
        (folder / HALF_MADE).touch()
        run([str(python), "-m", "ensurepip", "--default-pip"], "")
    except OSError as error:
        how = "Name a folder outside: make VENV=/path/to/folder."
        raise Stop(f"{folder} cannot be written ({error.strerror}). {how}") from None
    except subprocess.CalledProcessError as error:
        if not runs(Path(sys.executable), "import venv, ensurepip"):
            how = "Install its venv module (Debian, Ubuntu: sudo apt install python3-venv)."
            raise Stop(f"{sys.executable} cannot make environments. {how}") from None
        raise Stop(f"The environment could not be made: {last_line(error.output)}") from None


def install(python: Path, extra: str) -> None:
    """Install the package from this checkout, with everything the extra asks for."""
    print("Installing what the course needs.", flush=True)
    wanted = f".[{','.join(dict.fromkeys(['course', extra]))}]"
    options = ["--disable-pip-version-check", "--no-input", "--progress-bar=off"]
    try:
        run([str(python), "-m", "pip", "install", *options, "--editable", wanted], "pip")
    except subprocess.CalledProcessError as error:
        if NO_NETWORK.search(error.output):
            raise Stop("The packages could not be fetched: is there a network?") from None
        raise Stop(f"pip could not install the packages: {last_line(error.output)}") from None


def run(command: list[str], what: str) -> None:
    """Run a command in silence, with a line of progress every few seconds.

    Raises CalledProcessError with all it said.
    """
    said: list[str] = []
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        text=True,
        errors="replace",
    )
    listener = threading.Thread(target=lambda: said.extend(process.stdout), daemon=True)
    started = time.monotonic()
    listener.start()
    try:
        while listener.is_alive():
            listener.join(EVERY)
            if listener.is_alive() and what:
                print(f"  {time.monotonic() - started:3.0f} s: {progress(said)}", flush=True)
        status = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if status:
        raise subprocess.CalledProcessError(status, command, "".join(said))


def progress(said: list[str]) -> str:
    """Say in a few words how far pip is, from what it has said."""
    if said and NO_NETWORK.search(said[-1]):
        return "the package index does not answer; pip tries again"
    for line in reversed(said):
        if line.startswith("Installing collected packages:"):
            return f"{line.count(',') + 1} packages are being installed"
    found = [re.match(r"Collecting ([\w.-]+)", line) for line in said]
    names = [match[1] for match in found if match]
    return f"{len(names)} packages found, the last is {names[-1]}" if names else "pip is starting"


def last_line(output: str) -> str:
    """Return what matters most of a long output: its last error, or its last line."""
    lines = output.strip().splitlines() or ["it did not say why"]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines)[-1].removeprefix("ERROR: ")


def runs(python: Path, code: str) -> bool:
    """Tell whether that Python runs the code."""
    try:
        return subprocess.run([str(python), "-c", code], capture_output=True).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:4]))
