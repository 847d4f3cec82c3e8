"""The whole site in a real browser, with every other host out of reach: read, and run in the page.

`make site-test` builds the site and runs these. What was measured is written to build/site.json,
and what was seen to build/site-*.png.
"""

from __future__ import annotations

import functools
import json
import statistics
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, TimeoutError, sync_playwright
from run_notebooks import NOTEBOOKS, ROOT, read
from test_browser import find_browser

from asyncio_lessons.classroom.checking.catalog import find, names
from asyncio_lessons.classroom.notebook import environment, face

pytestmark = pytest.mark.site

SITE, WORK = ROOT / "_site", ROOT / "build"
LESSONS = sorted(path.stem for path in NOTEBOOKS.glob("[01]*.ipynb"))
NOT_HERE = ("01", "08", "11", "12")  # they need sockets, threads or processes
RUN = [lesson for lesson in LESSONS if not lesson.startswith(NOT_HERE)]
SOLVED = ("02", "05", "07", "13")
PATIENCE = 90_000  # milliseconds
KERNEL_IS_IDLE = """() => {
  const widget = window.jupyterapp?.shell.currentWidget;
  return widget?.sessionContext?.isReady && widget.sessionContext.session?.kernel?.status == "idle";
}"""
# The texts that stand out too little from their ground: contrast below 4.5, as the WCAG counts it.
FAINT = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => colour.map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const mix = ([r, g, b, a = 1], under) => [r, g, b].map((v, i) => v * a + under[i] * (1 - a));
  const ground = (element) => element
    ? mix(parts(getComputedStyle(element).backgroundColor), ground(element.parentElement))
    : [255, 255, 255];
  const contrast = (element, style) => {
    const under = ground(element), [r, g, b, a = 1] = parts(style.color);
    const two = [light(mix([r, g, b, a * style.opacity], under)), light(under)];
    return (Math.max(...two) + 0.05) / (Math.min(...two) + 0.05);
  };
  const texts = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.data.trim(), element = walk.currentNode.parentElement;
    const seen = element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    if (seen && !element.closest("svg") && /\\w/.test(text))
      texts.push([text, contrast(element, getComputedStyle(element))]);
  }
  for (const input of document.querySelectorAll("input[placeholder]"))
    texts.push([input.placeholder, contrast(input, getComputedStyle(input, "::placeholder"))]);
  return { read: texts.length, faint: texts.filter(([, ratio]) => ratio < 4.5) };
}"""
CLIPPED = """() => [...document.querySelectorAll("button, .links a, .start a, h1")]
  .filter((element) => element.clientWidth && element.scrollWidth > element.clientWidth)
  .map((element) => element.textContent)"""
PICTURES = """() => [...document.querySelectorAll(".jp-OutputArea-output img")]
  .filter((picture) => picture.checkVisibility())
  .map((picture) => [picture.naturalWidth, Math.round(picture.getBoundingClientRect().width)])"""
CELLS = "() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells"
# Each answer to an exercise: the answer, what must be said of it, what is said, and its seconds.
JUDGE = """
import json, time
from asyncio_lessons.classroom.checking import engine, graft
from asyncio_lessons.classroom.checking.catalog import find
from asyncio_lessons.classroom.notebook import environment, face

exercise, solution = find({name!r}), face.answer({name!r})
answers = [("solution", solution, "passed")]
answers += [("right", graft.merge(solution, code), "passed") for code in exercise.right]
answers += [("wrong", wrong.cell(solution), wrong.says) for wrong in exercise.wrong]
judged = []
for kind, code, wanted in answers:
    start = time.perf_counter()
    report = engine.check(exercise.name, code, keep=False)
    said = "passed" if report.status == "passed" else report.sentence
    judged.append((kind + ": " + code, wanted, said, time.perf_counter() - start))
print(json.dumps(judged))
"""
FIGURES: dict = {}


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and says nothing."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address():
    """The site, served on this machine."""
    assert (SITE / "lite").is_dir(), "there is no site in _site: make site"
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    """One browser; each test has a profile of its own in it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, address):
    """Open a page of the site in a new profile; at the end no other host may have been asked."""
    foreign, broken, contexts = [], [], []

    def open_page(path: str, width: int = 1280, height: int = 900, scheme: str = "light") -> Page:
        size = {"width": width, "height": height}
        context = browser.new_context(viewport=size, color_scheme=scheme)
        contexts.append(context)
        context.route(lambda url: not url.startswith((address, "data:", "blob:")), refuse)
        page = context.new_page()
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.goto(f"{address}/{path}")
        return page

    def refuse(route) -> None:
        foreign.append(route.request.url)
        route.abort()

    yield open_page
    for context in contexts:
        context.close()
    assert not foreign
    assert not broken


@pytest.fixture(scope="module", autouse=True)
def figures():
    """Write down what was measured."""
    yield
    for name, folder in (("megabytes", SITE), ("megabytes of JupyterLite", SITE / "lite")):
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
        FIGURES[name] = round(sum(sizes) / 1e6, 1)
    sizes = [path.stat().st_size for path in (SITE / "lessons").glob("[01]*.html")]
    FIGURES["kilobytes of a lesson to read"] = [min(sizes) // 1000, max(sizes) // 1000]
    WORK.mkdir(exist_ok=True)
    (WORK / "site.json").write_text(json.dumps(FIGURES, indent=1))


# -- to read --------------------------------------------------------------------------------------


def test_the_front_page_shows_the_player_moving(visit):
    """All in one screen: the claim, the way to lesson 00, the player, which moves by itself."""
    page = visit("index.html")
    player = page.locator("[data-player]")
    page.wait_for_function("+document.querySelector('[data-player]').dataset.step >= 2")
    page.screenshot(path=WORK / "site-front.png")
    assert not page.evaluate(CLIPPED)
    for seen in (page.locator("h1"), page.get_by_text("Start lesson 00"), player):
        box = seen.bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 900, box
    page.get_by_text("Start lesson 00").click()
    page.wait_for_url("**/lessons/00_start_here.html")
    assert page.locator("h1").inner_text().startswith("00")


def test_the_player_of_the_front_page_stands_still_once_it_is_touched(visit):
    """A reader who presses pause keeps the step."""
    page = visit("index.html")
    page.wait_for_function("+document.querySelector('[data-player]').dataset.step >= 1")
    page.locator("[data-player] button.play").click()
    step = page.locator("[data-player]").get_attribute("data-step")
    page.wait_for_timeout(2500)
    assert page.locator("[data-player]").get_attribute("data-step") == step


def test_the_front_page_is_seen_on_a_phone_and_in_the_dark(visit):
    """Nothing moves sideways, no text is faint, and the player moves."""
    page = visit("index.html", width=390, height=844, scheme="dark")
    page.wait_for_function("+document.querySelector('[data-player]').dataset.step >= 2")
    page.screenshot(path=WORK / "site-front-phone.png", full_page=True)
    _is_readable(page)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_is_read_on_a_phone_and_in_the_dark(visit, lesson):
    """At 390 px nothing moves sideways; the ground is dark, the text light; scripts have run."""
    page = visit(f"lessons/{lesson}.html", width=390, height=844, scheme="dark")
    page.wait_for_load_state("networkidle")
    _is_readable(page)
    for natural, shown in page.evaluate(PICTURES):  # moved sideways, not shrunk
        assert shown >= min(natural, 680)
    ground, ink = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    assert max(_rgb(ground)) < 60 and min(_rgb(ink)) > 200
    players = page.locator("[data-player]")
    for index in range(players.count()):
        assert int(players.nth(index).get_attribute("data-steps")) > 1
    page.screenshot(path=WORK / f"site-{lesson}-phone.png", full_page=True)
    assert page.locator("[data-player][data-dark]").count() == players.count()
    page.get_by_label("light or dark").click()
    page.wait_for_function("!document.querySelector('[data-dark]')")  # the players follow
    assert min(_rgb(page.evaluate("getComputedStyle(document.body).backgroundColor"))) > 200
    _is_readable(page)
    page.reload()
    assert min(_rgb(page.evaluate("getComputedStyle(document.body).backgroundColor"))) > 200


def _is_readable(page: Page) -> None:
    """Look for text that is cut or faint, and for a page wider than a phone."""
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert not page.evaluate(CLIPPED)
    texts = page.evaluate(FAINT)
    assert texts["read"] > 50 and not texts["faint"]


def _rgb(colour: str) -> list[int]:
    return [int(part) for part in colour.strip("rgb()").split(",")]


def test_the_lessons_are_read_in_their_order(visit):
    """From 00 with the link at the end of each page."""
    page = visit("lessons/00_start_here.html")
    seen = []
    while page.locator("a[rel=next]").count():
        seen.append(page.url.rpartition("/")[2].removesuffix(".html"))
        page.locator("a[rel=next]").click()
        page.wait_for_load_state()
    assert seen == LESSONS


def test_the_search_finds_a_lesson(visit):
    """By a word of its text; the result leads there."""
    page = visit("lessons/00_start_here.html")
    page.get_by_placeholder("Search the lessons").fill("delegation")
    result = page.locator("#search a[href*='03_delegation.html']").first
    result.click()
    page.wait_for_url("**/lessons/03_delegation.html*")
    assert page.locator("h1").inner_text().startswith("03")


# -- to run ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", RUN)
def test_a_lesson_runs_in_the_page(visit, lesson):
    """Run All: no error, and each text is the committed one; lesson 00 says where it runs."""
    page = visit(f"lite/lab/index.html?path={lesson}.ipynb")
    figures = FIGURES.setdefault("seconds", {}).setdefault(lesson, {})
    start = time.monotonic()
    _wait_for_kernel(page)
    figures["until the first cell runs"] = round(time.monotonic() - start, 1)
    start = time.monotonic()
    _run_all(page)
    figures["run all"] = round(time.monotonic() - start, 1)
    page.screenshot(path=WORK / f"site-{lesson}-run.png")
    expected = {c.id: _said(c) for c in read(NOTEBOOKS / f"{lesson}.ipynb").cells if "outputs" in c}
    expected["00-environment-check"] = [("stream", environment.IN_A_WEB_PAGE + "\n")]
    for cell in page.evaluate(CELLS):
        if cell["cell_type"] == "code":
            assert cell["execution_count"], cell["id"]
            assert _said(cell) == expected[cell["id"]], cell["id"]


@pytest.mark.parametrize("lesson", [each for each in RUN if each.startswith(SOLVED)])
def test_an_exercise_is_solved_by_keyboard_and_stays_solved(visit, lesson):
    """Typed into its cell, run with Shift+Enter, saved; after a reload all of it is still there."""
    name = next(n for n in names() if find(n).lesson.startswith(lesson[:2]))
    page = visit(f"lite/lab/index.html?path={lesson}.ipynb")
    _wait_for_kernel(page)
    _run_all(page)
    index = next(
        i
        for i, cell in enumerate(page.evaluate(CELLS))
        if "".join(cell["source"]).startswith(f"%%exercise {name}\n")
    )
    page.evaluate(
        """index => { const notebook = window.jupyterapp.shell.currentWidget.content;
        notebook.activeCellIndex = index;
        notebook.activate();
        return notebook.scrollToItem(index); }""",
        index,
    )
    page.keyboard.press("Enter")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(face.solution(name))
    page.keyboard.press("Shift+Enter")
    page.wait_for_function(
        """([index, name]) => JSON.stringify(
            window.jupyterapp.shell.currentWidget.content.model.toJSON().cells[index].outputs
        ).includes(name + ": passed")""",
        arg=[index, name],
        timeout=PATIENCE,
    )
    page.screenshot(path=WORK / f"site-{lesson}-solved.png")
    page.keyboard.press("Control+s")
    page.wait_for_timeout(2000)
    page.reload()
    _wait_for_kernel(page)
    assert f"{name}: passed" in json.dumps(page.evaluate(CELLS)[index]["outputs"])
    assert _in_kernel(page, f"workshop.has_passed({name!r})") == "True"
    assert _in_kernel(page, "workshop.package().__name__").endswith("my_asyncio")


@pytest.mark.timeout(1200)
def test_every_answer_is_judged_in_the_page_as_on_a_machine(visit):
    """The solution and the right answers pass; each wrong one is refused by its sentence."""
    page = visit("lite/lab/index.html?path=00_start_here.ipynb")
    _wait_for_kernel(page)
    answers, others = [], []
    for name in [name for lesson in RUN for name in names(lesson[:2])]:
        judged = json.loads(_run_in_kernel(page, JUDGE.format(name=name)))
        assert len(judged) >= 6, name
        answers += judged
        others += [(name, *answer) for answer in judged if answer[1] not in answer[2]]
    FIGURES["answers judged"] = len(answers)
    FIGURES["seconds for an answer, median"] = round(statistics.median(x[3] for x in answers), 2)
    assert others == []


def test_code_without_end_is_ended_in_the_page(visit):
    """And so is a recursion; the kernel lives."""
    page = visit("lite/lab/index.html?path=04_coroutines.ipynb")
    _wait_for_kernel(page)
    check = "__import__('asyncio_lessons.classroom.exercises').classroom.exercises.check"
    for body, says in (
        ("while True: pass", "did not come to an end within 4 seconds"),
        ("return drive(coro)", "calls itself without end"),
    ):
        code = f"def drive(coro):\n    {body}\n"
        assert says in _in_kernel(page, f"str({check}('drive', {code!r}))")
    assert _in_kernel(page, "1 + 1") == "2"


def _wait_for_kernel(page: Page) -> None:
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=PATIENCE)
    page.wait_for_function(KERNEL_IS_IDLE, timeout=PATIENCE)


def _run_all(page: Page) -> None:
    page.set_default_timeout(PATIENCE)
    page.evaluate(
        """() => { window.ran = false;
        window.jupyterapp.commands.execute("notebook:run-all-cells")
            .then(() => { window.ran = true; }); }"""
    )
    try:
        page.wait_for_function("window.ran", timeout=PATIENCE)
    except TimeoutError:
        ran = [cell for cell in page.evaluate(CELLS) if cell.get("execution_count")]
        pytest.fail(f"the cell after {ran[-1]['id'] if ran else 'the start'} does not end")


def _in_kernel(page: Page, expression: str) -> str:
    """Have the kernel evaluate an expression; return what it is, as text."""
    code = f"from asyncio_lessons.classroom import workshop\nprint({expression})"
    return _run_in_kernel(page, code)


def _run_in_kernel(page: Page, code: str) -> str:
    """Have the kernel run code; return what it prints, or its error."""
    return page.evaluate(
        """async code => {
        const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
        const future = kernel.requestExecute({ code });
        let said = "";
        future.onIOPub = ({ content }) => { said += content.text ?? content.evalue ?? ""; };
        await future.done;
        return said.trim(); }""",
        code,
    )


def _said(cell: dict) -> list:
    """What a cell's outputs say as text, streams joined."""
    said: list = []
    for output in cell["outputs"]:
        kind, text = output["output_type"], output.get("text", "")
        if kind == "error":
            said.append(("error", f"{output['ename']}: {output['evalue']}"))
        elif kind == "stream" and said and said[-1][0] == "stream":
            said[-1] = ("stream", said[-1][1] + "".join(text))
        elif kind == "stream":
            said.append(("stream", "".join(text)))
        else:
            said.append(("data", "".join(output["data"].get("text/plain", ""))))
    return said
