"""Say whether a version can be released: `python tools/release.py v0.1.0`."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def problems(tag: str, root: Path = ROOT) -> list[str]:
    """Return a sentence for each place whose version is not that of the tag."""
    wanted = tag.removeprefix("v")
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = re.search(r"^version: (.*)$", _text(root / "CITATION.cff"), re.MULTILINE)
    news = re.search(r"^## (\S+?)(,.*)?$", _text(root / "CHANGELOG.md"), re.MULTILINE)
    found = {"pyproject.toml": project["version"], "CITATION.cff": citation and citation[1]}
    found["the newest part of CHANGELOG.md"] = news and news[1]
    said = [
        f"{place} has {has}, the tag {wanted}." for place, has in found.items() if has != wanted
    ]
    if news and news[2] and "not yet released" in news[2]:
        said.append("CHANGELOG.md says that this version is not yet released: write the date.")
    return said


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


if __name__ == "__main__":
    found = problems(sys.argv[1])
    print(*(found or [f"{sys.argv[1]} is ready."]), sep="\n")
    sys.exit(bool(found))
