"""Take the pictures of the player in docs/film.md, with the browser of the tests.

python tests/shoot_player.py
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright
from test_browser import find_browser

import asyncio_lessons as aio
from asyncio_lessons.classroom import film, work
from asyncio_lessons.demos.worker_queue import program

DOCS = Path(__file__).resolve().parent.parent / "docs"
STEP = 51  # `main` puts a job, which wakes a worker


def shoot(page: Path) -> None:
    """Write docs/film.png and docs/film-dark.png from a page with a player."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        for scheme, name in (("light", "film.png"), ("dark", "film-dark.png")):
            shown = browser.new_page(viewport={"width": 1100, "height": 760}, color_scheme=scheme)
            shown.goto(page.as_uri())
            player = shown.locator("[data-player][data-step]")
            player.screenshot(path=DOCS / name)
        browser.close()


if __name__ == "__main__":
    title = "Ten jobs, three workers, one thread"
    player = film(program(aio, work), virtual=True, title=title, at=STEP)
    with TemporaryDirectory() as folder:
        page = Path(folder) / "film.html"
        player.save(page)
        shoot(page)
