"""A browser opens JupyterLab, runs the last lesson with "Run All", and the picture is there."""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Error, Locator, Page, sync_playwright
from run_notebooks import NOTEBOOKS, read, write

from asyncio_lessons import create_task, gather, sleep
from asyncio_lessons.classroom import draw, record

LESSON = NOTEBOOKS / "13_worker_queue.ipynb"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 90  # seconds for a server, a page or a whole notebook; a slow machine takes 30

# Lab must not ask or tell the reader anything over the page that is looked at.
QUIET = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}
}


@dataclass
class Lab:
    """A JupyterLab server of this test's own."""

    url: str
    token: str
    log: Path


def find_browser() -> str:
    """The path of a Chromium or Chrome; skips the test where there is none, but fails in CI."""
    named = os.environ.get("BROWSER_PATH")
    found = named or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found:
        return found
    reason = "no Chromium or Chrome on the PATH; install one, or name it in BROWSER_PATH"
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    """A copy of the last lesson without outputs: what is seen later was drawn by this run."""
    if not LESSON.exists():
        pytest.fail(f"{LESSON.name} is not there")
    notebook = read(LESSON)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    folder = tmp_path / "course" / "notebooks"
    folder.mkdir(parents=True)
    (folder / LESSON.name).write_bytes(write(notebook))
    return folder / LESSON.name


@pytest.fixture
def lab(lesson: Path, tmp_path: Path) -> Iterator[Lab]:
    """JupyterLab on the lesson's folder, with settings, workspaces and data of its own."""
    with running_lab(lesson.parent.parent, tmp_path) as lab:
        yield lab


@contextlib.contextmanager
def running_lab(
    root: Path, folder: Path, python: str | Path = sys.executable, module: str = "jupyterlab"
) -> Iterator[Lab]:
    """JupyterLab of that Python on `root` (or Notebook 7); what it writes goes to `folder`."""
    find_browser()
    log, token = folder / "lab.log", secrets.token_hex(16)
    with log.open("wb") as output:
        server = subprocess.Popen(
            [str(python), "-m", module, *lab_arguments(root, token, folder, module)],
            cwd=root,
            env=os.environ | lab_folders(folder),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Lab(url_of(server, folder / "runtime_dir", log), token, log)
        finally:
            server.terminate()
            server.wait(PATIENCE)


def lab_folders(folder: Path) -> dict[str, str]:
    """Environment variables that keep JupyterLab out of the user's own settings."""
    (folder / "overrides").mkdir()
    (folder / "overrides" / "overrides.json").write_text(json.dumps(QUIET))
    kinds = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    folders = {f"JUPYTER_{kind}": str(folder / kind.lower()) for kind in kinds}
    for kind in ("SETTINGS_DIR", "WORKSPACES_DIR"):
        folders[f"JUPYTERLAB_{kind}"] = str(folder / kind.lower())
    return folders | {"IPYTHONDIR": str(folder / "ipython")}


def lab_arguments(root: Path, token: str, folder: Path, module: str) -> list[str]:
    name = {"jupyterlab": "LabApp", "notebook": "JupyterNotebookApp"}[module]
    options = {
        "ip": "127.0.0.1",
        "ServerApp.root_dir": root,
        "IdentityProvider.token": token,
        f"{name}.app_settings_dir": folder / "overrides",
        f"{name}.expose_app_in_browser": True,
        "LabApp.extension_manager": "readonly",
    }
    return ["--no-browser", "--allow-root"] + [
        f"--{name}={value}" for name, value in options.items()
    ]


def url_of(server: subprocess.Popen, runtime: Path, log: Path) -> str:
    """Wait until the server has written down where it listens: it takes a port that is free."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(ValueError):  # not yet written to its end
                return json.loads(file.read_text())["url"].rstrip("/")
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=find_browser(), args=arguments)
        page = browser.new_page(viewport={"width": 1280, "height": 1600})
        page.set_default_timeout(PATIENCE * 1000)
        yield page
        browser.close()


KERNEL_IS_READY = """() => {
    const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
    return context?.isReady && context.session?.kernel?.status === "idle";
}"""
# Lab draws only the cells in view; the notebook's model has the outputs of all.
CODE_CELLS = """() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells
    .filter(cell => cell.cell_type === "code")"""


def open_lesson(page: Page, lab: Lab, lesson: Path) -> None:
    """Open the notebook and wait for its kernel: before that, "Run All" would ask which one."""
    page.goto(f"{lab.url}/lab/tree/notebooks/{lesson.name}?reset&token={lab.token}")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.wait_for_function(KERNEL_IS_READY)


def has_picture(cell: dict) -> bool:
    return any("image/png" in output.get("data", {}) for output in cell["outputs"])


def pixels(picture: Locator) -> Image.Image:
    return Image.open(io.BytesIO(picture.screenshot())).convert("RGB")


def wait_for_color(picture: Locator, color: str) -> None:
    """Wait until the corner of the picture has this colour."""
    deadline = time.monotonic() + PATIENCE / 3
    while (seen := "#{:02x}{:02x}{:02x}".format(*pixels(picture).getpixel((3, 3)))) != color:
        assert time.monotonic() < deadline, f"the ground stays {seen}; {color} was expected"
        time.sleep(0.1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_svg_and_png_look_the_same(page: Page, scheme: str) -> None:
    async def main() -> None:
        await gather(*(create_task(sleep(n / 4), name=f"task {n}") for n in range(5)))

    film = record(main(), virtual=True)
    chosen = draw(film, title="A claim", note="Its proof", theme=scheme)
    page.emulate_media(color_scheme=scheme)
    page.set_content(
        f"<body style='margin:0'>{draw(film, title='A claim', note='Its proof').html()}"
    )
    shown = pixels(page.locator("img"))
    png = Image.open(io.BytesIO(chosen.png(dpi=96))).convert("RGB").resize(shown.size)
    apart = ImageStat.Stat(ImageChops.difference(shown, png)).mean
    assert max(apart) < 4, apart  # of 255: fonts and edges, but no stroke elsewhere
    other = {"light": "dark", "dark": "light"}[scheme]
    page.emulate_media(color_scheme=other)
    assert max(ImageStat.Stat(ImageChops.difference(pixels(page.locator("img")), png)).mean) > 60


@pytest.mark.timeout(4 * PATIENCE)
def test_run_all_draws_the_timeline(page: Page, lab: Lab, lesson: Path) -> None:
    open_lesson(page, lab, lesson)
    assert not any(map(has_picture, page.evaluate(CODE_CELLS)))
    try:
        page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_function(KERNEL_IS_READY)
    except Error as error:
        pytest.fail(f"{error}\n{lab.log.read_text()[-3000:]}")
    cells = page.evaluate(CODE_CELLS)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert not [out for cell in cells for out in cell["outputs"] if out["output_type"] == "error"]
    assert any(map(has_picture, cells))
    picture = page.locator(".jp-OutputArea-output img").first
    picture.scroll_into_view_if_needed()
    assert picture.evaluate("image => image.complete && image.naturalWidth") >= 600
    for theme, ground in (("JupyterLab Dark", "#12161c"), ("JupyterLab Light", "#ffffff")):
        page.evaluate(
            "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
        )
        wait_for_color(picture, ground)
