"""Build the site: the course to read, and JupyterLite to run it in the page (`make site`).

    python website/build.py                     all of it, into _site
    python website/build.py --only read         without JupyterLite, in seconds

A page is made from a notebook, or from a page of docs/, by nbconvert with the template beside this
file: nothing that is read on the site is written for it. The README's words are the front page's.
"""

import argparse
import posixpath
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import nbformat
from jinja2 import Environment, FileSystemLoader
from nbconvert import HTMLExporter
from nbconvert.filters import markdown2html
from pygments.formatters import HtmlFormatter

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "tools"))

import links  # noqa: E402 - the one place that knows the repository's address

TARGET = ROOT / "_site"
ASSETS = ("theme.js", "page.js")
# Links to these leave the site for GitHub; a link to a file of the repository that is a page stays.
LINK = re.compile(r'(<(?:a|img)\b[^>]*?\b(?:href|src)=")([^"#:]+)((?:#[^"]*)?")')


@dataclass
class Page:
    """One page: made of `path`, a file of the repository; `url`, from the site's root."""

    path: Path
    url: str
    title: str
    what: str = ""  # lessons: what is built, as the README says it
    images: list[Path] = field(default_factory=list)

    @property
    def source(self) -> str:
        """The path from the repository's root."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def root(self) -> str:
        """The way from this page to the site's root."""
        return "../" * self.url.count("/")


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = _parser().parse_args(arguments)
    build(options.out, options.lesson)
    if options.only != "read":
        import lite

        lite.build(options.out / "lite")
    print(f"The site is in {options.out}: python -m http.server -d {options.out}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Build the site: the course to read and to run.")
    parser.add_argument("lesson", nargs="*", help="such as 05; all unless given")
    parser.add_argument(
        "--only", choices=["read"], help="read: without JupyterLite, or with what is there of it"
    )
    parser.add_argument("--out", type=Path, default=TARGET, help="the folder, _site unless given")
    return parser


def build(target: Path, only: list[str] | None = None) -> None:
    """Build all that is read, into `target`; only: the numbers of the lessons to take."""
    target.mkdir(parents=True, exist_ok=True)
    for old in target.iterdir():
        if old.name != "lite":
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    lessons, docs = lesson_pages(only), doc_pages()
    for page in [*lessons, *docs]:
        _write(target / page.url, _render(page, lessons, docs))
    for page in lessons:
        _copy(page.path, target / page.source)
    for image in {image for page in [*lessons, *docs] for image in page.images}:
        _copy(image, target / image.relative_to(ROOT))
    for name in ASSETS:
        shutil.copy(HERE / name, target)
    _write(target / "index.html", front_page(lessons, docs))
    _write(target / ".nojekyll", "")  # GitHub Pages is to serve the files as they are
    _make_searchable(target)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _copy(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, to)


def _make_searchable(target: Path) -> None:
    """Make the index of the search, with Pagefind, and the style, which is partly its own."""
    command = [sys.executable, "-m", "pagefind", "--site", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}\nThe index of the search was not made.")
    search = (target / "pagefind" / "pagefind-ui.css").read_text(encoding="utf-8")
    ours = (HERE / "style.css").read_text(encoding="utf-8")  # after the search's, to change it
    _write(target / "style.css", search + code_colours() + ours)


# -- the pages ----------------------------------------------------------------------------------


def lesson_pages(only: list[str] | None = None) -> list[Page]:
    """Return the lessons in their order, the glossary last."""
    built = dict(re.findall(r"^\| \[[^]]*\]\((notebooks/[^)]*)\) \|.*\| (.*) \|$", _readme(), re.M))
    pages = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        if only and not path.name.startswith(tuple(only)):
            continue
        heading = re.search(r"^# (.*)$", nbformat.read(path, 4).cells[0].source, re.M)
        page = Page(path, f"lessons/{path.stem}.html", heading[1] if heading else path.stem)
        page.what = markdown2html(built.get(page.source, "")).replace("<p>", "").replace("</p>", "")
        pages.append(page)
    return pages


def doc_pages() -> list[Page]:
    """Return the pages of docs/."""
    pages = []
    for path in sorted((ROOT / "docs").glob("*.md")):
        heading = re.search(r"^# (.*)$", path.read_text(encoding="utf-8"), re.M)
        pages.append(Page(path, f"docs/{path.stem}.html", heading[1] if heading else path.stem))
    return pages


def page_links(page: Page) -> list[tuple[str, str]]:
    """Return the ways to run a lesson, and to have it: text and address."""
    if page.path.suffix != ".ipynb":
        return []
    stem = page.path.stem
    return [
        ("run in this page", f"{page.root}{run_url(page)}"),
        ("Binder", links.binder(stem)),
        ("Colab", links.colab(stem)),
        ("download", f"{page.root}{page.source}"),
    ]


def run_url(page: Page) -> str:
    """Return the address of the lesson in JupyterLite, from the site's root."""
    return f"lite/lab/index.html?path={page.path.name}"


def _render(page: Page, lessons: list[Page], docs: list[Page]) -> str:
    """Return the page as HTML."""
    at = lessons.index(page) if page in lessons else -1
    about = {
        "title": page.title,
        "description": escape(f"{page.title}: {tagline()}"),
        "root": page.root,
        "url": page.url,
        "source": links.github(page.source),
        "lessons": lessons,
        "docs": docs,
        "links": page_links(page),
        "previous": lessons[at - 1] if at > 0 else None,
        "next": lessons[at + 1] if 0 <= at < len(lessons) - 1 else None,
    }
    body, _ = _exporter().from_notebook_node(_notebook(page), {"page": about})
    head, start, rest = body.partition("<article ")
    text, end, foot = rest.partition("</article>")
    return head + start + _linked(text, page, [*lessons, *docs]) + end + foot


def _linked(text: str, page: Page, pages: list[Page]) -> str:
    return LINK.sub(lambda found: _link(found, page, pages), text)


def _exporter() -> HTMLExporter:
    exporter = HTMLExporter(
        template_name="course", extra_template_basedirs=[str(HERE / "template")]
    )
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    return exporter


def _notebook(page: Page) -> nbformat.NotebookNode:
    if page.path.suffix == ".md":
        cell = nbformat.v4.new_markdown_cell(page.path.read_text(encoding="utf-8"))
        return nbformat.v4.new_notebook(cells=[cell])
    notebook = nbformat.read(page.path, 4)
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            _say_what_is_seen(output)
    return notebook


def _say_what_is_seen(output: nbformat.NotebookNode) -> None:
    """Give a picture the words that the notebook has for it, for those who do not see it."""
    data = output.get("data", {})
    for kind in ("image/png", "image/svg+xml"):
        if kind in data and "text/plain" in data:
            told = output.setdefault("metadata", nbformat.NotebookNode()).setdefault(kind, {})
            told.setdefault("alt", escape(data["text/plain"]))


def _link(found: re.Match, page: Page, pages: list[Page]) -> str:
    """Lead a link to a file of the repository to its page here, or to GitHub."""
    before, to, after = found.groups()
    source = posixpath.normpath(posixpath.join(posixpath.dirname(page.source), to))
    file = ROOT / source
    if not file.exists():
        return found[0]
    for other in pages:
        if other.source == source:
            return f"{before}{page.root}{other.url}{after}"
    if before.startswith("<img"):
        page.images.append(file)
        return f"{before}{page.root}{source}{after}"
    return f"{before}{links.github(source)}{after}"


# -- the front page -----------------------------------------------------------------------------


def front_page(lessons: list[Page], docs: list[Page]) -> str:
    """Return the front page: the README's words, the player, the lessons."""
    page = Page(ROOT / "README.md", "index.html", "asyncio lessons")
    rest = markdown2html(_section("What the course is").partition("\n\n")[2])
    about = {
        "description": tagline(),
        "promise": _section("What the course is").split("\n\n")[0].replace("`", ""),
        "about": _linked(rest, page, [*lessons, *docs]),
        "source": links.github(),
        "first": lessons[0],
        "run": run_url(lessons[0]),
        "lessons": lessons,
        "docs": docs,
        "film": film(),
    }
    for lesson in lessons:
        lesson.what = _linked(lesson.what, page, [*lessons, *docs])
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=False)
    return environment.get_template("front.html.j2").render(page=about)


def film() -> str:
    """Return the player of a program that ends soon: two workers, four jobs."""
    import asyncio_lessons
    from asyncio_lessons.classroom import film as filmed
    from asyncio_lessons.classroom import work
    from asyncio_lessons.demos.worker_queue import program

    title = "Four jobs, two workers, one thread: step through it"
    made = filmed(program(asyncio_lessons, work, 4, 2), virtual=True, title=title)
    return made.html(picture=False)


def tagline() -> str:
    """Return the README's first sentence."""
    return _readme().split("\n\n")[1].partition(". ")[0] + "."


def _section(title: str) -> str:
    return re.search(rf"^## {title}\n\n(.*?)\n\n## ", _readme(), re.M | re.S)[1]


def _readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def code_colours() -> str:
    """Return the colours of code, light and dark."""
    light = HtmlFormatter(style="default").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs('[data-theme="dark"] .highlight')
    plain = ".highlight, [data-theme] .highlight { background: none; }"
    return f"\n/* code */\n{light}\n{dark}\n{plain}\n"


if __name__ == "__main__":
    main()
