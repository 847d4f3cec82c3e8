"""A browser steps through films: every panel shows the scene that was recorded, both ways.

One browser serves all tests; a page of its own shows each film, and JupyterLab shows three.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from test_browser import find_browser

import asyncio_lessons as aio
from asyncio_lessons.classroom import Film, film, record, work
from asyncio_lessons.classroom.player.words import seconds

STATES = {
    "ready": "ready",
    "running": "runs",
    "waiting": "waits for",
    "created": "not started",
    "interrupted": "interrupted",
    "done": "done",
    "cancelled": "cancelled",
    "failed": "failed",
}
ENDS = ("done", "cancelled", "failed")
SIGNS = {"created": "·", "interrupted": "·", "done": "✓", "cancelled": "✕", "failed": "!"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking", "--disable-dev-shm-usage"]
        yield playwright.chromium.launch(executable_path=find_browser(), args=arguments)


class Shown:
    """A page with one player, which notes every complaint and every request."""

    def __init__(self, browser: Browser, html: str, folder: Path, width: int = 1116) -> None:
        self.page: Page = browser.new_page(viewport={"width": width, "height": 900})
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda said: self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        file = folder / "film.html"
        file.write_text(html, encoding="utf-8")
        self.page.goto(file.as_uri())
        self.page.wait_for_selector("[data-player][data-step]")
        self.page.evaluate(READ)

    def walk(self, steps: list[int]) -> list[dict]:
        """What the panels say after each of these steps; each is reached from the one before."""
        return self.page.evaluate("(steps) => window.walk(steps)", steps)

    def press(self, *keys: str) -> None:
        self.page.focus("[data-player]")
        for key in keys:
            self.page.keyboard.press(key)

    def close(self) -> None:
        self.page.close()
        assert not self.complaints
        assert [
            url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))
        ] == []


# Steps by one are keys, others are the slider. A list is read row by row, with the task it names.
READ = """() => {
    const root = document.querySelector("[data-player]");
    const text = (node) => node.textContent.replace(/\\s+/g, " ").trim();
    const read = (panel) => {
        const body = panel.lastElementChild;
        if (body.getAttribute("role") != "list") return text(body);
        return [...body.children].map((row) => [row.dataset.task ?? null,
            panel.dataset.panel == "tasks" ? [...row.children].map(text) : text(row)]);
    };
    const source = () => ({
        file: text(root.querySelector("[data-panel=source] h4 span")),
        at: root.querySelector(".ln.cur .n")?.textContent ?? null,
        badges: [...root.querySelectorAll("[data-panel=source] .ln")].flatMap((line) =>
            [...line.querySelectorAll("[data-task]")].map(
                (mark) => [+line.firstChild.textContent, +mark.dataset.task])),
    });
    window.seen = () => {
        const found = { step: +root.dataset.step };
        for (const panel of root.querySelectorAll("[data-panel]"))
            found[panel.dataset.panel] = read(panel);
        found.source = source();
        found.timeline = root.querySelector("svg[role=img]").innerHTML.replace(/lmf\\w+/g, "");
        return found;
    };
    window.walk = (steps) => steps.map((n) => {
        const way = n - root.dataset.step;
        if (Math.abs(way) == 1) {
            const key = way > 0 ? "ArrowRight" : "ArrowLeft";
            root.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        } else {
            const slider = root.querySelector("input");
            slider.value = n;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
        }
        return window.seen();
    });
}"""


# -- films ----------------------------------------------------------------------------------------


def a_program(library: Any) -> Any:
    """Timers, late ones too, wake-ups, callbacks, prints, a failure and a cancellation."""

    async def worker(name: str, jobs: Any) -> None:
        while True:
            n = await jobs.get()
            work(0.03)
            print(name, "did", n)
            jobs.task_done()

    async def failing(after: float) -> None:
        await library.sleep(after)
        raise ValueError("no <b>bread</b> & no `butter`")

    async def main() -> str:
        loop = library.get_running_loop()
        jobs = library.Queue()
        workers = [library.create_task(worker(f"w{i}", jobs), name="w") for i in (1, 2)]
        loop.call_later(0.01, print, "called")
        for n in range(3):
            jobs.put_nowait(n)
            await library.sleep(0.02)
        loop.call_soon(print, "soon")
        await jobs.join()
        for task in workers:
            task.cancel()
        await library.gather(*workers, return_exceptions=True)
        task = library.create_task(failing(0.01), name="failing")
        try:
            await task
        except ValueError:
            await library.sleep(0)
        return "done"

    return main()


async def talk() -> None:
    """A server and a client: sockets for the selector to listen to."""

    async def serve(reader: Any, writer: Any) -> None:
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\n")
        assert await reader.read() == b"HELLO\n"
        writer.close()


def a_film(kind: str) -> Film:
    if kind == "lessons":
        return record(a_program(aio), virtual=True, details=True)
    if kind == "asyncio":
        return record(a_program(asyncio), loop="asyncio", virtual=True, details=True)
    if kind == "sockets":
        return record(talk(), loop="asyncio", details=True)
    pytest.importorskip("uvloop")
    return record(a_program(asyncio), loop="uvloop", details=True)


# -- what a scene must look like ------------------------------------------------------------------


def expected(film: Film, number: int) -> dict[str, Any]:
    """The text of each panel, from the scene that was recorded."""
    scene = film.scene(number)
    name = [task.name for task in film.tasks]

    def row(task: int | None, *parts: str) -> list:
        return [None if task is None else str(task), " ".join(" ".join(parts).split())]

    def named(task: int | None) -> str:
        return "" if task is None else name[task]

    running = scene.running
    seen: dict[str, Any] = {"step": number}
    if running is None:
        seen["running"] = [row(None, "no task: the loop itself")]
    else:
        task = running.get("task")
        seen["running"] = [row(task, running.get("callback") or named(task))]
    seen["ready"] = [
        row(e["task"], f"{place}.", e["label"], e["reason"])
        for place, e in enumerate(scene.ready, 1)
    ] or [row(None, "empty")]
    seen["timers"] = [
        row(
            t["task"],
            seconds(t["when"]),
            f"due, {seconds(t['late'])} late" if t["late"] else _wait(t["when"] - scene.time),
            t["label"].removesuffix(f" of {named(t['task'])}"),
            named(t["task"]),
        )
        for t in scene.timers
    ] or [row(None, "none")]
    seen["selector"] = [
        row(s["task"], s["label"], s["events"], named(s["task"])) for s in scene.selector or ()
    ] or [row(None, "nothing")]
    seen["printed"] = [
        row(line["task"], line["text"], named(line["task"])) for line in scene.printed[-60:]
    ] or [row(None, "nothing yet")]
    seen["tasks"] = [
        [str(index), [named(index), state_of(task), *calls_and_locals(film, task)]]
        for index, task in enumerate(scene.tasks)
        if task is not None
    ]
    return seen


def _wait(left: float) -> str:
    return f"in {seconds(round(left, 9))}" if left > 0 else "due now"


def state_of(task: dict) -> str:
    state = task["state"]
    more = {"waiting": task["waits"], "done": task["result"]}.get(state)
    more = task["error"] if state in ("cancelled", "failed") else more
    on = task["on"] if state == "waiting" and task["on"] != task["waits"] else None
    parts = (STATES[state], more, on)
    return SIGNS.get(state, "") + " ".join(" ".join(filter(None, parts)).split())


def calls_and_locals(film: Film, task: dict) -> tuple[str, str]:
    """The chain of calls, and what the innermost of the program's own frames holds."""
    frames = task["frames"]
    sources = [film.sources[frame["code"]] for frame in frames]
    calls = " › ".join(
        f"{source['function']}:{frame['line']}"
        for source, frame in zip(sources, frames, strict=True)
    )
    own = [f for f, source in zip(frames, sources, strict=True) if not source["library"]]
    frame = own[-1] if own else frames[0] if frames else {"locals": []}
    held = (
        f"{'•' * bool(changed)}{name}={text}"
        for name, text, changed in frame["locals"]
        if name != text
    )
    return calls, " ".join(" ".join(held).split())


def badges(film: Film, number: int, file: str) -> set[tuple[int, int]]:
    """(line, task) of every frame of a live task in one file."""
    return {
        (frame["line"], index)
        for index, task in enumerate(film.scene(number).tasks)
        if task is not None and task["state"] not in ENDS
        for frame in task["frames"]
        if film.sources[frame["code"]]["file"] == file
    }


@pytest.mark.parametrize("kind", ["lessons", "asyncio", "sockets", "uvloop"])
def test_every_step_shows_the_recorded_scene_both_ways(
    browser: Browser, kind: str, tmp_path: Path
) -> None:
    filmed = a_film(kind)
    player = film(filmed, title="A <i>title</i> & more")
    shown = Shown(browser, player.page(), tmp_path)
    last = len(filmed.steps) - 1
    forward = shown.walk(list(range(1, last + 1)))
    back = shown.walk(list(range(last - 1, -1, -1)))
    order = list(range(last + 1))
    random.Random(1).shuffle(order)
    sought = shown.walk(order)
    assert {len(found) for found in forward} == {10}
    assert [found["step"] for found in forward] == list(range(1, last + 1))
    by_step = [back[-1], *forward]
    assert back[::-1] == by_step[:-1]
    assert [sought[order.index(n)] for n in range(last + 1)] == by_step
    for number, found in enumerate(by_step):
        wanted = expected(filmed, number)
        assert {key: found[key] for key in wanted} == wanted, filmed.steps[number]
        assert found["sentence"] == re.sub(r"\s+", " ", player.sentences[number])
        place = found["source"]
        if place["file"]:
            marks = {tuple(mark) for mark in place["badges"]}
            assert marks == badges(filmed, number, place["file"]), number
            assert len(marks) == len(place["badges"])
    shown.close()
