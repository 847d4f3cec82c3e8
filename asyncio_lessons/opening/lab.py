"""JupyterLab on the reader's copy: on this machine only, without noise, its address said last."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import webbrowser
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from .lessons import bring, place

PORT = 8888
FIRST = "00_start_here.ipynb"
LOG = ".course/jupyterlab.log"
_PATIENCE = 120  # seconds for the server to listen; a slow machine takes 10


def open_course(folder: Path | None = None, options: list[str] | None = None) -> int:
    """Bring the lessons, start JupyterLab on them and wait for its end; return the exit status.

    folder: the reader's copy (default: `lessons.place()`). options: passed on to JupyterLab.
    """
    folder = (folder or place()).absolute()
    options = options or []
    if find_spec("jupyterlab") is None:
        print("JupyterLab is not installed here. Run: pip install 'asyncio-lessons[course]'")
        return 1
    if not _bring(folder):
        return 1
    trust(folder)
    for name in ("SIGTERM", "SIGHUP"):  # a closed terminal ends JupyterLab as Ctrl-C does
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _interrupt)
    server, log = None, folder / LOG
    try:
        print("JupyterLab is starting.", flush=True)
        with log.open("wb") as output:
            server = subprocess.Popen(
                _command(folder, options),
                env=os.environ | {"JUPYTER_TOKEN": secrets.token_hex(16)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches this program, which asks no question
            )
        address = _address(server)
        if not address:
            last = log.read_text(errors="replace").strip().splitlines()[-5:]
            print("JupyterLab did not start. The last it said:", *last, sep="\n  ")
            return 1
        _tell(address, folder, "--no-browser" not in options)
        return server.wait()
    except KeyboardInterrupt:
        print(f"\nJupyterLab is stopped. What you wrote is in {folder}.", flush=True)
        return 0
    finally:
        _stop(server)


def trust(folder: Path) -> None:
    """Mark the lessons as trusted, so that JupyterLab shows all that is in them."""
    from nbformat import read, sign

    with suppress(Exception):  # a home that cannot be written: Lab then shows the plain pictures
        notary = sign.NotebookNotary()
        with closing(notary.store):
            for path in folder.glob("*.ipynb"):
                notary.sign(read(path, as_version=4))


def _bring(folder: Path) -> bool:
    try:
        for sentence in bring(folder):
            print(sentence)
    except OSError as error:
        print(f"{folder} cannot be written ({error.strerror}); name another: --folder DIR")
        return False
    return True


def _command(folder: Path, options: list[str]) -> list[str]:
    settings = Path(__file__).with_name("settings")  # no question about news and updates
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [
        *(sys.executable, "-m", "jupyterlab", "--no-browser"),
        *("--ip=127.0.0.1", f"--port={PORT}", f"--ServerApp.root_dir={folder}"),
        *(f"--LabApp.app_settings_dir={settings}", *root, *options),
    ]


def _address(server: subprocess.Popen) -> str:
    """Return where the first lesson is once the server listens; "" if it ends before."""
    from jupyter_core.paths import jupyter_runtime_dir

    written = Path(jupyter_runtime_dir()) / f"jpserver-{server.pid}.json"
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(OSError, ValueError):  # not there yet, or not to its end
            found = json.loads(written.read_text())
            if found["port"] != PORT:
                print(f"Port {PORT} is taken: port {found['port']} is used.")
            return f"{found['url']}lab/tree/{FIRST}?token={found['token']}"
        time.sleep(0.1)
    return ""


def _tell(address: str, folder: Path, browser: bool) -> None:
    """Open a browser, if there is one, and say where the course is; the address comes last."""
    print(f"Your work is in {folder}. Ctrl-C here stops JupyterLab.")
    opened = browser and _has_browser() and webbrowser.open(address)
    print("The course opens in your browser:" if opened else "Open this address in a browser:")
    print(address, flush=True)


def _has_browser() -> bool:
    """Tell whether this machine has a browser with windows; one for text cannot show the course."""
    if sys.platform in ("win32", "darwin"):
        return True
    return any(map(os.environ.get, ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME")))


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _stop(server: subprocess.Popen | None) -> None:
    """End the server and its kernels."""
    if server and server.poll() is None:
        with suppress(KeyboardInterrupt):
            server.terminate()
            with suppress(subprocess.TimeoutExpired):
                server.wait(10)
        server.kill()
        server.wait()
