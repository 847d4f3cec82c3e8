"""The address of this repository, and everything that is made from it.

    python tools/links.py               say it
    python tools/links.py OWNER/NAME    set it, here and in the pages that name it (`make links`)
    python tools/links.py --hub ADDRESS say the link that brings the lessons to a JupyterHub

It stands in pyproject.toml, under `[project.urls]`. The pages in `PAGES` name it because a page on
GitHub cannot compute: they are rewritten from there. All other code asks the functions below.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "CITATION.cff", "docs/**/*.md")
FIRST = "00_start_here"


def repository(root: Path = ROOT) -> str:
    """Return "OWNER/NAME", from pyproject.toml."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"].removeprefix("https://github.com/")


def github(path: str = "", root: Path = ROOT) -> str:
    """Return the address of the repository, or of a file in it."""
    return f"https://github.com/{repository(root)}" + (f"/blob/main/{path}" if path else "")


def site(root: Path = ROOT) -> str:
    """Return where GitHub Pages publishes the site."""
    owner, name = repository(root).split("/")
    return f"https://{owner}.github.io/{name}/"


def binder(lesson: str = FIRST, root: Path = ROOT) -> str:
    """Return the link that opens a lesson on Binder, in the reader's copy that Binder makes."""
    path = f"lab/tree/my_course/{lesson}.ipynb"
    return f"https://mybinder.org/v2/gh/{repository(root)}/main?urlpath={path}"


def colab(lesson: str = FIRST, root: Path = ROOT) -> str:
    """Return the link that opens a lesson in Google Colab."""
    path = f"blob/main/notebooks/{lesson}.ipynb"
    return f"https://colab.research.google.com/github/{repository(root)}/{path}"


def codespaces(root: Path = ROOT) -> str:
    """Return the link that opens the repository in GitHub Codespaces."""
    return f"https://codespaces.new/{repository(root)}"


def download(lesson: str = FIRST, root: Path = ROOT) -> str:
    """Return the address of a lesson's file."""
    return f"https://raw.githubusercontent.com/{repository(root)}/main/notebooks/{lesson}.ipynb"


def hub(address: str, lesson: str = FIRST, root: Path = ROOT) -> str:
    """Return the nbgitpuller link that brings the lessons to a JupyterHub and opens one."""
    home = "asyncio-lessons"  # the folder in the reader's home, whatever the repository's name
    return (
        f"{address.rstrip('/')}/hub/user-redirect/git-pull?repo={github(root=root)}&branch=main"
        f"&targetPath={home}&urlpath=lab/tree/{home}/notebooks/{lesson}.ipynb"
    )


def pages(root: Path = ROOT) -> list[Path]:
    """Return the files that are rewritten when the address changes."""
    return sorted(path for pattern in PAGES for path in root.glob(pattern))


def set_repository(new: str, root: Path = ROOT) -> list[str]:
    """Set the address in pyproject.toml and in the pages; return the names of the files changed.

    Raises ValueError where `new` is not OWNER/NAME.
    """
    if not re.fullmatch(r"[\w-]+/[\w.-]+", new):
        raise ValueError(f"{new!r} is not OWNER/NAME, for example: make links ada/asyncio-course")
    old_site, old, changed = site(root), repository(root), []
    for path in [root / "pyproject.toml", *pages(root)]:
        before = path.read_text(encoding="utf-8")
        owner, name = new.split("/")
        after = before.replace(old_site, f"https://{owner}.github.io/{name}/")
        after = re.sub(rf"(?<=/){re.escape(old)}(?![\w-])", new, after)
        if after != before:
            path.write_text(after, encoding="utf-8", newline="\n")
            changed.append(path.relative_to(root).as_posix())
    return changed


def main(arguments: list[str]) -> int:
    """Say the address, or set it; return the exit status."""
    if arguments[:1] == ["--hub"] and len(arguments) == 2:
        print(hub(arguments[1]))
        return 0
    try:
        changed = set_repository(arguments[0]) if arguments else []
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(github(), *(f"  changed: {name}" for name in changed), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
