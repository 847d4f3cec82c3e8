"""Where things are not as usual: an interrupted cell, no network, no `localhost`, a read-only disk.

The machine is changed for one process only, in namespaces of its own (`unshare`): what cannot be
had there is skipped with the reason.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from copy import deepcopy
from pathlib import Path

import pytest
from checkout import Running, git, lend_environment, make_repository
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell
from run_notebooks import NOTEBOOKS, ROOT, kernel, normalise, number_of, read, run_cells

LESSONS = [pytest.param(path, id=path.stem) for path in sorted(NOTEBOOKS.glob("[0-8]*.ipynb"))]
WITH_SOCKETS = ["01_wait", "08_sockets", "11_asyncio", "12_echo_reverse"]
# What `changed` does to the machine, besides cutting the network: commands of a shell.
NO_LOCALHOST = "mount --bind /dev/null /etc/hosts"
PORT_TAKEN = f"{{ {sys.executable} -m http.server --bind 127.0.0.1 6789 & sleep 1; }}"


def changed(machine: str, command: list[str]) -> list[str]:
    """Return the command as one that runs on this machine, changed, and without network."""
    if not all(map(shutil.which, ("unshare", "ip", "mount"))):
        pytest.skip("unshare, ip and mount are not here")
    unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    unshare += [] if os.geteuid() == 0 else ["--map-root-user"]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("this user cannot make namespaces")
    script = f'ip link set lo up && {machine} && "$@"'
    return [*unshare, "sh", "-c", script, "sh", *command]


def test_lessons_with_sockets_give_the_committed_outputs_there() -> None:
    """Without network and the name localhost, and where another program has the server's port."""
    paths = [str(NOTEBOOKS / f"{name}.ipynb") for name in WITH_SOCKETS]
    command = [sys.executable, str(ROOT / "tests" / "run_notebooks.py"), "--check", *paths]
    command = changed(f"{NO_LOCALHOST} && {PORT_TAKEN}", command)
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("unchanged") == len(paths)


@pytest.mark.parametrize(
    ("machine", "ask", "refused"),
    [
        (NO_LOCALHOST, "socket.getaddrinfo('localhost', 80)", "gaierror"),
        (PORT_TAKEN, "socket.create_server(('127.0.0.1', 6789))", "in use"),
        ("true", "socket.create_connection(('192.0.2.1', 80), 5)", "unreachable"),
    ],
    ids=["localhost", "port", "network"],
)
def test_the_machine_is_changed_as_said(machine: str, ask: str, refused: str) -> None:
    command = changed(machine, [sys.executable, "-c", f"import socket; {ask}"])
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert refused in done.stderr


def test_the_server_says_that_its_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        command = [sys.executable, "-m", "asyncio_lessons", "serve", "--port", port]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert port in done.stderr
    assert "Traceback" not in done.stderr


# -- a disk and a home --------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("make"), reason="make is not here")
def test_a_checkout_that_cannot_be_written_opens_in_the_readers_home(tmp_path: Path) -> None:
    """The disk is read-only; the home has a space and letters beyond ASCII."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    checkout = make_repository(folder)
    home = tmp_path / "Zoë Łukasiewicz"
    home.mkdir()
    make = ["make", "lab", *lend_environment(checkout)]
    machine = f"mount --bind -o ro '{checkout}' '{checkout}' && cd '{checkout}'"
    lab = Running(checkout, changed(machine, make), HOME=str(home))
    lab.wait_for_address()
    lab.stop()
    assert f"Your work is in {home / 'my_course'}." in lab.said
    assert (home / "my_course" / "00_start_here.ipynb").exists()
    assert not (checkout / "my_course").exists()
    assert git(checkout, "status", "--porcelain") == ""


def test_an_answer_passes_in_a_home_with_spaces_and_other_letters(tmp_path: Path) -> None:
    home = tmp_path / "Zoë's käse 日本" / "my_course"
    home.mkdir(parents=True)
    with kernel(home) as client:
        solved = (
            "import os\nos.environ.pop('ASYNCIO_LESSONS_WORKSHOP', None)\n"
            "%load_ext asyncio_lessons.classroom\n"
            "from asyncio_lessons.classroom import exercises, workshop\n"
            "code = exercises.solution('future-await').partition('\\n')[2]\n"
            "print(exercises.check('future-await', code).status)\n"
            "aio = workshop.package()"
        )
        cells = [new_code_cell(solved), new_code_cell("print(aio.run(aio.sleep(0, 'well')))")]
        run_cells(client, cells)
    assert cells[0].outputs[0].text.startswith("passed\nFuture: yours"), cells[0].outputs
    assert cells[1].outputs[0].text == "well\n"
    assert (home / "my_asyncio" / "futures.py").exists()


# -- an interrupt -------------------------------------------------------------------------------

ENDLESS = {
    "our loop": "import asyncio_lessons as aio\naio.run(aio.sleep(600))",
    "our loop, computing": "async def main():\n    while True: await aio.sleep(0)\naio.run(main())",
    "a film": "%%timeline\nimport asyncio_lessons as aio\nawait aio.sleep(600)",
    "a film on asyncio": "%%timeline --loop asyncio\nimport asyncio\nawait asyncio.sleep(600)",
    "an await of the kernel": "import asyncio\nawait asyncio.sleep(600)",
    "plain Python": "while True:\n    pass",
    "a socket": "import socket\nsocket.create_server(('127.0.0.1', 0)).accept()",
    "an answer": "%%exercise first-reply\ndef reply(message):\n    while True:\n        pass",
}
STILL_WORKS = """\
%%timeline --virtual
async def main():
    await aio.gather(aio.sleep(1), aio.sleep(2))
    return "all is well"

print(await main())"""


def test_after_an_interrupt_the_kernel_works(tmp_path: Path) -> None:
    with kernel(tmp_path) as client:
        setup = "%load_ext asyncio_lessons.classroom\nimport asyncio_lessons as aio"
        run_cells(client, [new_code_cell(setup)])
        for what, source in ENDLESS.items():
            assert interrupted(client, new_code_cell(source), after=0.4) < 15, what
            cell = new_code_cell(STILL_WORKS)
            run_cells(client, [cell])
            assert cell.outputs[0].text == "all is well\n", what
            assert len(cell.outputs) == 2, what  # and the picture


# In the kernel: the next cell is interrupted after so many seconds, if it takes so long. What an
# interrupt does before or after a cell's own code is ipykernel's affair.
INTERRUPT = """
import signal
from IPython import get_ipython

def arm(cell):
    if "seconds" not in cell.raw_cell.partition(" = ")[0]:  # not the cell that says how long
        signal.setitimer(signal.ITIMER_REAL, seconds)

def disarm(*_):
    signal.setitimer(signal.ITIMER_REAL, 0)

def interrupt(number, frame):
    signal.getsignal(signal.SIGINT)(signal.SIGINT, frame)

signal.signal(signal.SIGALRM, interrupt)
get_ipython().events.register("pre_run_cell", arm)
get_ipython().events.register("post_execute", disarm)
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", LESSONS)
def test_a_lesson_runs_after_each_of_its_cells_was_interrupted(path: Path) -> None:
    """Run it, run it with an interrupt in each cell at another moment, and run it again."""
    notebook = normalise(read(path), number_of(path))
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    with kernel(path.parent) as client:
        run_cells(client, deepcopy(cells))
        arm = f"interrupts = {{'seconds': 0}}\nexec({INTERRUPT!r}, interrupts)"
        run_cells(client, [new_code_cell(arm)])
        for number, cell in enumerate(deepcopy(cells)):
            seconds = 0.0005 + 0.002 * (number % 12)
            run_cells(client, [new_code_cell(f"interrupts['seconds'] = {seconds}")])
            with suppress(CellExecutionError):
                run_cells(client, [cell])
            run_cells(client, [new_code_cell("interrupts['seconds'] = 0")])
        run_cells(client, deepcopy(cells))  # meets what the interrupted cells left pending
        run_cells(client, [new_code_cell("import gc; gc.collect()")])
        again = deepcopy(cells)
        run_cells(client, again)
    assert list(map(shown, again)) == list(map(shown, cells))


def shown(cell) -> str:
    """The text that a cell shows."""
    return "".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
        if "already loaded" not in output.get("text", "")
    )


def interrupted(client, cell, after: float) -> float:
    """Run a cell, interrupt it after so many seconds; return the seconds until it stopped."""
    group = os.getpgid(client.km.provisioner.process.pid)  # as Jupyter's own button does
    timer = threading.Timer(after, os.killpg, (group, signal.SIGINT))
    started = time.monotonic()
    timer.start()
    with suppress(CellExecutionError):
        run_cells(client, [cell])
    timer.join()
    return time.monotonic() - started
