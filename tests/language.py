"""The words this project does not use."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from run_notebooks import ROOT

# Old-fashioned, vague about who acts, or filler. Beside each: what to write.
INSTEAD = {
    r"nought": "zero",
    r"seldom": "rarely",
    r"whoever|whomever": "name the actor: the caller, the loop, the task",
    r"somebody|someone": "name the actor: the caller, the loop, the task",
    r"nobody|no one": "no task, no caller",
    r"goes on|go on with|goes on with|went on|going on with": "resumes, continues",
    r"hears|hear of|heard of": "is told, is woken, gets",
    r"dear": "expensive",
    r"for so long": "for that time",
    r"simply": "leave it out",
    r"just(?!-started)": "only, or leave it out",  # Python itself says "a just-started generator"
}
FORBIDDEN = re.compile(rf"\b(?:{'|'.join(INSTEAD)})\b", re.IGNORECASE)
KINDS = {".py", ".md", ".ipynb", ".js", ".css", ".html", ".toml", ".yml", ".txt", ""}
EXEMPT = {"tests/language.py", "LICENSE", "LICENSE-CC-BY-4.0.txt"}


def files() -> list[Path]:
    """Every file with text that a reader may see: what git knows, and what is new."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [ROOT / name for name in listed.stdout.splitlines()]
    return [path for path in paths if path.is_file() and path.suffix in KINDS]


def found_in(path: Path) -> Iterator[str]:
    """Yield the forbidden words of a file, each with its place: of a notebook, in its sources."""
    for place, text in _texts(path):
        for number, line in enumerate(text.splitlines(), 1):
            for found in FORBIDDEN.finditer(line):
                yield f"{place}{number}: {found[0]!r} in: {line.strip()[:90]}"


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        yield "line ", text
        return
    for cell in json.loads(text)["cells"]:
        yield f"{cell['id']}, line ", "".join(cell["source"])
