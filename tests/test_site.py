"""The site as files: what a page holds, where its links lead, that nothing is kept twice.

The whole of it, in a browser, is looked at by `make site-test`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from run_notebooks import NOTEBOOKS, ROOT, read

sys.path.insert(0, str(ROOT / "website"))

import build  # noqa: E402
from tools import links  # noqa: E402


class Links(HTMLParser):
    """The addresses, the ids and the text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list) -> None:
        found = dict(attrs)
        self.ids.add(found.get("id") or "")
        self.targets += [found[key] for key in ("href", "src") if found.get(key)]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site of two lessons and all of docs/, without JupyterLite."""
    target = tmp_path_factory.mktemp("site")
    build.build(target, ["02", "10"])
    return target


def test_every_lesson_has_a_page_in_order():
    """And the README says of each what it builds."""
    pages = build.lesson_pages()
    assert [page.path for page in pages] == sorted(NOTEBOOKS.glob("*.ipynb"))
    assert all(page.what for page in pages if page.path.name < "14")


def test_a_page_holds_the_lesson(site):
    """Its text, its code, its outputs, and the way on."""
    page = (site / "lessons" / "02_generators.html").read_text(encoding="utf-8")
    lesson = read(NOTEBOOKS / "02_generators.ipynb")
    assert all(f'id="cell-id={cell.id}"' in page for cell in lesson.cells)
    assert 'href="../lessons/10_queues.html" rel="next"' in page
    assert 'rel="prev"' not in page


def test_beside_a_lesson_stand_the_ways_to_run_it(site):
    """In this page, on Binder, in Colab, and the file itself, which is there."""
    targets = Links(site / "lessons" / "10_queues.html").targets
    assert "../lite/lab/index.html?path=10_queues.ipynb" in targets
    assert links.binder("10_queues") in targets and links.colab("10_queues") in targets
    assert "../notebooks/10_queues.ipynb" in targets
    original = (NOTEBOOKS / "10_queues.ipynb").read_bytes()
    assert (site / "notebooks" / "10_queues.ipynb").read_bytes() == original


def test_every_link_leads_somewhere(site):
    """To a file of the site, JupyterLite apart, or to a file of the repository on GitHub."""
    blob = links.github("") + "/blob/main/"
    for path in site.rglob("*.html"):
        page = Links(path)
        for target in page.targets:
            parts = urlsplit(target)
            if target.startswith(blob):
                assert (ROOT / target.removeprefix(blob).partition("#")[0]).exists(), target
            elif not parts.scheme and parts.path and "lite/" not in parts.path:
                assert (path.parent / parts.path).exists(), f"{path.name}: {target}"


def test_the_front_page_says_what_this_is(site):
    """In the README's words, with the player, and the way to the first lesson."""
    page = (site / "index.html").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    heading = re.search("<h1>(.*?)</h1>", page)[1]
    assert heading in readme and "Start lesson" in page
    assert "<div data-player>" in page and page.count("<script>(") == 1


def test_nothing_that_is_read_is_kept_twice():
    """No sentence of the lessons or the README stands in the files the site is made from."""
    ours = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "website").rglob("*")
        if path.suffix in {".py", ".j2", ".js", ".css"}
    )
    texts = [(ROOT / "README.md").read_text(encoding="utf-8")]
    texts += [cell.source for path in NOTEBOOKS.glob("*.ipynb") for cell in read(path).cells]
    sentences = {s.strip() for text in texts for s in re.split(r"[.\n]", text) if len(s) > 40}
    assert len(sentences) > 1000
    assert not [sentence for sentence in sentences if sentence in ours]


def test_no_page_asks_another_host(site):
    """What a page loads comes from the site; only links that are clicked lead away."""
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        loaded = re.findall(
            r'<(?:script|img|link|iframe)\b[^>]*(?:src|href)="(https?:[^"]*)"', text
        )
        assert not loaded, f"{path.name}: {loaded}"


def test_a_picture_says_what_it_shows(site):
    """No picture of a lesson is without words."""
    page = (site / "lessons" / "10_queues.html").read_text(encoding="utf-8")
    pictures = re.findall(r"<img\b[^>]*>", page)
    assert pictures
    for picture in pictures:
        assert re.search(r'alt="[^"]{20,}"', picture), picture[:300]
        assert "No description" not in picture


FETCH = "import lite; from pathlib import Path; lite.DOWNLOADS = Path({folder!r}); lite._pyodide()"


@pytest.mark.parametrize(
    ("npm", "says"),
    [
        ("", "npm is missing; it fetches Pyodide. Install it, and try again.\n"),
        (
            "echo npm error code ENOTFOUND >&2; exit 1",
            "npm error code ENOTFOUND\nPyodide could not be fetched. Is there a network?\n",
        ),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="the made-up npm is a shell script")
def test_a_build_that_cannot_fetch_pyodide_fails_with_a_sentence(npm, says, tmp_path):
    """Where npm is missing, and where it cannot reach its registry; no traceback."""
    if npm:
        (tmp_path / "npm").write_text(f"#!/bin/sh\n{npm}\n")
        (tmp_path / "npm").chmod(0o755)
    command = [sys.executable, "-c", FETCH.format(folder=str(tmp_path / "downloads"))]
    environment = os.environ | {"PATH": str(tmp_path), "PYTHONPATH": str(ROOT / "website")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, says)
