"""The repository's address stands in pyproject.toml, and what names it follows from there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from checkout import git, lend_environment, make_repository
from run_notebooks import ROOT

from tools import links

# Whatever names a repository of GitHub: OWNER and NAME are the groups.
HOSTS = r"github\.com|mybinder\.org/v2/gh|colab\.research\.google\.com/github|codespaces\.new"
HOSTS += r"|raw\.githubusercontent\.com|githubtocolab\.com|nbviewer\.org/github"
ADDRESS = re.compile(
    rf"(?:{HOSTS})(?:/|%2F)([\w-]+)(?:/|%2F)([\w.-]*\w)|\b([\w-]{1, 39})\.github\.io/([\w.-]*\w)"
)


def files(root: Path) -> list[Path]:
    """The text files of a checkout that are kept in git, or will be."""
    names = git(root, "ls-files", "-z", "-co", "--exclude-standard").split("\0")
    found = [root / name for name in names if name and not name.endswith(".png")]
    return [path for path in found if path.is_file()]


def named(path: Path, owner: str, name: str) -> list[str]:
    """What in a file names this repository, or one of its name that belongs to another owner."""
    text = path.read_text(encoding="utf-8", errors="replace")
    own = {part for part in (f"{owner}/{name}", f"{owner}%2F{name}") if part in text}
    return [
        match[0]
        for match in ADDRESS.finditer(text)
        if (match[1] or match[3], match[2] or match[4]) == (owner, name)
        or (match[2] or match[4]) == name
    ] + sorted(own)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return make_repository(tmp_path)


def test_only_the_pages_made_from_it_name_the_address() -> None:
    owner, name = links.repository().split("/")
    allowed = {ROOT / "pyproject.toml", *links.pages()}
    others = {path: named(path, owner, name) for path in files(ROOT) if path not in allowed}
    assert not {path.name: found for path, found in others.items() if found}


def test_the_pages_name_no_other_repository_as_this_one() -> None:
    name = links.repository().split("/")[1]
    for page in links.pages():
        for match in ADDRESS.finditer(page.read_text(encoding="utf-8")):
            owner, called = match[1] or match[3], match[2] or match[4]
            assert called != name or f"{owner}/{called}" == links.repository(), match[0]


def test_the_readmes_badges_are_what_the_functions_say() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for link in (links.binder(), links.colab(), links.codespaces()):
        assert f"({link})" in readme


@pytest.mark.skipif(not shutil.which("make"), reason="make is not here")
def test_make_links_changes_it_everywhere(checkout: Path) -> None:
    old = links.repository()
    new = "ada/engine.py-course"
    command = ["make", "links", new, *lend_environment(checkout)]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert f"https://github.com/{new}\n" in done.stdout
    assert links.repository(checkout) == new
    for path in files(checkout):
        assert not named(path, *old.split("/")), path.name
    readme = (checkout / "README.md").read_text(encoding="utf-8")
    assert f"({links.binder(root=checkout)})" in readme
    assert new in (checkout / "CITATION.cff").read_text(encoding="utf-8")
    subprocess.run(["make", "links", old, *command[3:]], cwd=checkout, check=True, timeout=60)
    assert git(checkout, "status", "--porcelain") == ""


@pytest.mark.parametrize("wrong", ["asyncio-course", "https://github.com/ada/course", "a/b/c", ""])
def test_what_is_no_address_is_refused(checkout: Path, wrong: str) -> None:
    with pytest.raises(ValueError, match="is not OWNER/NAME"):
        links.set_repository(wrong, checkout)


def test_the_citation_has_the_packages_version() -> None:
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {version[1]}\n" in citation
