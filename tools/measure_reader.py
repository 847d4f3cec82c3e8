"""Measure what one reader needs of a machine: the table in docs/jupyterhub.md.

    python tools/measure_reader.py            print the table
    python tools/measure_reader.py --write    and put it into the page

Each lesson runs in a kernel of its own, every exercise solved. Memory is what is resident of the
kernel and of the processes it starts, looked at ten times a second; processor time is theirs, too.
Below stands JupyterLab's server with one page open. Needs: pip install '.[course,class]'.
"""

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient

from asyncio_lessons.classroom.notebook.face import answer
from asyncio_lessons.classroom.notebook.lessons import LESSONS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "jupyterhub.md"
HEAD = (
    "| | memory at the end, MiB | at the most, MiB | processor, s | all cells, s |\n"
    "|---|---:|---:|---:|---:|\n"
)


class Watch:
    """Look at a process and all that it starts, until `stop`."""

    def __init__(self, pid: int) -> None:
        self.process = psutil.Process(pid)
        self.now = self.most = 0.0
        self.times: dict[int, float] = {}
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def look(self) -> None:
        """Add what is resident now, in MiB, and the processor's seconds so far."""
        total = 0
        for process in [self.process, *self.process.children(recursive=True)]:
            try:
                total += process.memory_info().rss
                spent = process.cpu_times()
                self.times[process.pid] = spent.user + spent.system
            except psutil.Error:
                pass  # it has ended meanwhile
        self.now = total / 2**20
        self.most = max(self.most, self.now)

    def _run(self) -> None:
        while not self.over.wait(0.1):
            self.look()

    def stop(self) -> tuple[float, float, float]:
        """Return MiB at the end, MiB at the most, and seconds of the processor."""
        self.over.set()
        self.thread.join()
        self.look()
        return self.now, self.most, sum(self.times.values())


def lesson(path: Path) -> tuple[float, float, float, float]:
    """Run a notebook with its exercises solved; return what `Watch.stop` does, and seconds."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if found := re.match(r"%%exercise (\S+)", cell.source):
            cell.source = f"%%exercise {found[1]}\n{answer(found[1])}"
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ASYNCIO_LESSONS_WORKSHOP"] = folder
        resources = {"metadata": {"path": str(path.parent)}}
        client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources)
        with client.setup_kernel():
            watch, begin = Watch(client.km.provisioner.pid), time.monotonic()
            for number, cell in enumerate(notebook.cells):
                client.execute_cell(cell, number)
            seconds = time.monotonic() - begin
            return *watch.stop(), seconds


def server() -> tuple[float, float, float, float]:
    """Start JupyterLab, load its page and a notebook; return as `lesson` does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        options = [f"--port={port}", f"--ServerApp.root_dir={ROOT / 'notebooks'}"]
        options += ["--no-browser", "--allow-root", "--IdentityProvider.token=", "--ip=127.0.0.1"]
        environment = {**os.environ, "JUPYTER_CONFIG_DIR": home, "JUPYTER_RUNTIME_DIR": home}
        begin = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            watch = Watch(process.pid)
            for page in ("lab", "api/contents/00_start_here.ipynb"):
                _load(f"http://127.0.0.1:{port}/{page}")
            seconds = time.monotonic() - begin
            return *watch.stop(), seconds
        finally:
            process.terminate()
            process.wait()


def _load(address: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return answer.read() and None
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def table() -> str:
    """Return the table: a line for each lesson, and one for the server."""
    rows = []
    for each in LESSONS:
        path = ROOT / "notebooks" / each.file
        rows.append((path.stem.replace("_", " "), lesson(path)))
        print(rows[-1], file=sys.stderr)
    rows.append(("JupyterLab's server", server()))
    lines = [
        f"| {name} | {now:.0f} | {most:.0f} | {spent:.1f} | {seconds:.0f} |\n"
        for name, (now, most, spent, seconds) in rows
    ]
    return HEAD + "".join(lines)


def main() -> None:
    """Print the table; with --write, put it into the page."""
    parser = argparse.ArgumentParser(description="Measure what one reader needs of a machine.")
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    options = parser.parse_args()
    made = table()
    print(made)
    if options.write:
        text = PAGE.read_text(encoding="utf-8")
        found = re.compile(re.escape(HEAD) + r"(\|.*\n)*")
        PAGE.write_text(found.sub(lambda _: made, text), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
