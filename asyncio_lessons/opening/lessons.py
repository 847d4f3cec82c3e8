"""The reader's own copy of the lessons: made once, brought up to date, never overwritten.

The reader opens, runs and solves the copy, so that the course's own files stay as they came and git
has nothing to say about them. In the copy's folder, `.course` holds each lesson as it was last
brought: the difference to it is what the reader wrote.
"""

import json
import os
import re
from pathlib import Path

FOLDER = "my_course"
_PACKAGE = Path(__file__).resolve().parents[1]
_BROUGHT = ".course"
_KEPT = "kept"


def shipped() -> Path:
    """Return the folder of the course's own lessons: in the package, or beside it in a checkout."""
    inside = _PACKAGE / "notebooks"
    return inside if inside.is_dir() else _PACKAGE.parent / "notebooks"


def place() -> Path:
    """Return the folder of the reader's copy: in the checkout, else in the current folder.

    Where that cannot be written, it is in the reader's home.
    """
    checkout = _PACKAGE.parent
    home = checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()
    found = home / FOLDER if (home / FOLDER).exists() else home
    return (home if os.access(found, os.W_OK) else Path.home()) / FOLDER


def bring(folder: Path, source: Path | None = None) -> list[str]:
    """Bring the newest lessons into the reader's folder; return sentences on what was done.

    A lesson without changes of the reader is replaced. Into any other the reader's answers and
    added cells are moved, and the file as it was is kept in ``kept/``.

    Raises OSError where the folder cannot be written.
    """
    course = {path.name: path for path in sorted((source or shipped()).glob("[0-9]*.ipynb"))}
    if not (folder / _BROUGHT).is_dir():
        said = [f"The lessons are copied to {folder}, for you to write in."]
    else:
        said = []
    for name, path in course.items():
        new = path.read_text(encoding="utf-8")
        if new != _read(folder / _BROUGHT / name) or not (folder / name).exists():
            said += _bring_one(folder, name, new)
    return said + _take_away(folder, course)


def _bring_one(folder: Path, name: str, new: str) -> list[str]:
    mine, said = _read(folder / name), []
    base = _read(folder / _BROUGHT / name)
    base = new if _sources(base) is None else base  # a copy that was made by hand
    text = _merge(base, mine, new) if mine else new
    if mine and _sources(text) != _sources(new) and text != mine:
        said = [f"{name} is newer; your answers are in it. As you left it: {_keep(folder, name)}"]
    elif mine and _sources(mine) is None:
        said = [f"{name} could not be read, and is new. As it was: {_keep(folder, name)}"]
    _write(folder / name, text)
    _write(folder / _BROUGHT / name, new)
    return said


def _take_away(folder: Path, course: dict[str, Path]) -> list[str]:
    """Remove the lessons that the course no longer has; one that the reader changed stays."""
    said = []
    for brought in sorted((folder / _BROUGHT).glob("*.ipynb")):
        if brought.name not in course:
            mine = _read(folder / brought.name)
            if mine and _sources(mine) != _sources(_read(brought)):
                said.append(f"{brought.name} is no longer in the course; yours stays.")
            else:
                (folder / brought.name).unlink(missing_ok=True)
            brought.unlink()
    return said


# -- one lesson in three versions ---------------------------------------------------------------


def _merge(base: str, mine: str, new: str) -> str:
    """Put what the reader changed since `base` into `new`; `new` itself if `mine` is broken.

    A cell that only the reader changed stays the reader's, and so does every answer to an exercise.
    A cell that both changed is the course's. A cell the reader added follows the one it followed.
    """
    was, has = _sources(base), _sources(mine)
    if has is None or has == was:
        return new
    if base == new:
        return mine
    lesson, written = json.loads(new), _cells(mine)
    cells = {_key(cell): cell for cell in lesson["cells"]}
    order, before = list(cells), None
    for key, cell in written.items():
        if key in cells:
            only_mine = was.get(key) == _source(cells[key]) or key.startswith("%%exercise")
            if has[key] != was.get(key) and only_mine:
                cells[key] = cell | {"id": cells[key]["id"]}
        elif key not in was:
            cells[key] = cell
            order.insert(order.index(before) + 1 if before else 0, key)
        if key in cells:
            before = key
    lesson["cells"] = [cells[key] for key in order]
    return json.dumps(lesson, indent=1, ensure_ascii=False) + "\n"


def _cells(text: str) -> dict[str, dict]:
    return {_key(cell): cell for cell in json.loads(text)["cells"]}


def _sources(text: str) -> dict[str, str] | None:
    """Return the text of each cell, or None if this is no notebook."""
    try:
        return {key: _source(cell) for key, cell in _cells(text).items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _key(cell: dict) -> str:
    """Return what names a cell in every version: its exercise, or its id."""
    exercise = re.match(r"%%exercise +\S+", _source(cell))
    return exercise[0] if exercise else cell["id"]


def _source(cell: dict) -> str:
    return "".join(cell["source"])


# -- files --------------------------------------------------------------------------------------


def _keep(folder: Path, name: str) -> str:
    """Copy the reader's file as it is to a name that is free; return that name."""
    stem, number = Path(name).stem, 1
    while (copy := folder / _KEPT / f"{stem}.{number}.ipynb").exists():
        number += 1
    copy.parent.mkdir(exist_ok=True)
    copy.write_bytes((folder / name).read_bytes())
    return f"{_KEPT}/{copy.name}"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8", newline="\n")
    os.replace(new, path)  # an interrupted update leaves the old file or the new one
