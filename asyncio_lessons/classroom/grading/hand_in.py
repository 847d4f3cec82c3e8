"""Find hand-ins, and read the reader's package out of one: nothing is unpacked, nothing is run.

A hand-in is a folder, a zip or a tar that holds ``my_asyncio`` at any depth, or an archive in such
a folder, as learning platforms give it. Only ordinary files of that package are read, up to a size;
links are not followed, so that nothing outside of the hand-in is read.
"""

import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath

from .. import workshop
from ..checking.catalog import names

MOST_BYTES = 200_000  # of one file; the longest module has a tenth
MOST_FILES = 20_000  # looked at in one hand-in
MOST_PACKED = 100_000_000  # bytes of one archive
MOST_UNPACKED = 200_000_000  # bytes that one archive is read to
MOST_DEEP = 8  # folders inside folders
ENDINGS = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tbz2", ".txz")


class Unreadable(Exception):
    """A hand-in that cannot be read; says why in a sentence."""


def hand_ins(places: list[Path]) -> list[tuple[str, Path]]:
    """Return the hand-ins in `places`, each with its name, in order.

    An archive is a hand-in, and so is a folder with ``my_asyncio`` (or ``notebooks/my_asyncio``)
    right in it; in any other folder, each folder and each archive is one. Raises Unreadable for a
    place that does not exist.
    """
    found: list[tuple[str, Path]] = []
    for place in places:
        if not place.exists():
            raise Unreadable(f"There is no file or folder {str(place)!r}.")
        place = place.resolve()
        inside = [] if _is_one(place) else _entries(place)
        one = [(place.name, place)]
        found += [(f"{place.name}/{entry.name}", entry) for entry in inside] or one
    if len(places) == 1 and len(found) > 1:
        found = [(path.name, path) for _, path in found]
    return sorted(dict.fromkeys(found), key=lambda pair: pair[0].casefold())


def _is_one(place: Path) -> bool:
    if place.is_file() or place.name == workshop.NAME:
        return True
    inside = (workshop.NAME, f"notebooks/{workshop.NAME}", "answers")
    return any((place / part).is_dir() for part in inside)


def _entries(place: Path) -> list[Path]:
    try:
        return [
            entry
            for entry in sorted(place.iterdir())
            if not entry.name.startswith((".", "__MACOSX"))
            and (entry.is_dir() or entry.is_symlink() or entry.name.lower().endswith(ENDINGS))
        ]
    except OSError as error:
        raise Unreadable(f"{str(place)!r} cannot be read: {error.strerror}.") from None


def read(place: Path) -> dict[str, str]:
    """Return the texts of the reader's package: "futures.py" or "answers/drive.py" to its text.

    Empty where there is no package in the hand-in; raises Unreadable.
    """
    if place.is_symlink():
        raise Unreadable("It is a link, and not a folder or an archive.")
    try:
        if not place.is_dir():
            return _archive(place)
        texts = _folder(place)
        archives = [p for p in _entries(place) if p.is_file() and not p.is_symlink()]
        return texts or (_archive(archives[0]) if archives else {})
    except Unreadable:
        raise
    except Exception as error:  # an archive may be broken in a hundred ways, and on purpose
        raise Unreadable(f"It cannot be read: {' '.join(str(error).split())[:200]}.") from None


# -- a folder -----------------------------------------------------------------------------------


def _folder(place: Path) -> dict[str, str]:
    readers, top = {}, PurePosixPath(workshop.NAME if place.name == workshop.NAME else "")
    for folder, folders, files in os.walk(place):
        here = top / Path(folder).relative_to(place).as_posix()
        if len(here.parts) >= MOST_DEEP:
            folders.clear()
        readers |= {here / name: _file_reader(Path(folder, name)) for name in files}
        if len(readers) > MOST_FILES:
            raise Unreadable(f"It has more than {MOST_FILES:,} files.")
    return _texts(readers)


def _file_reader(path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        if not stat.S_ISREG(path.lstat().st_mode):
            return b""
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with os.fdopen(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
            return file.read(MOST_BYTES + 1)

    return read


# -- an archive ---------------------------------------------------------------------------------


def _archive(path: Path) -> dict[str, str]:
    if path.stat().st_size > MOST_PACKED:
        raise Unreadable(f"It is an archive of more than {MOST_PACKED // 1_000_000} MB.")
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return _texts(dict(_zipped(archive)))
    with open(path, "rb") as raw, tarfile.open(fileobj=_opened(raw), mode="r|") as archive:
        return _texts(dict(_tarred(archive)))


def _zipped(archive: zipfile.ZipFile) -> Iterator[tuple[PurePosixPath, Callable[[], bytes]]]:
    members = archive.infolist()
    if len(members) > MOST_FILES:
        raise Unreadable(f"It has more than {MOST_FILES:,} files.")
    for member in members:
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind in (0, stat.S_IFREG) and not member.is_dir():
            yield PurePosixPath(member.filename.replace("\\", "/")), _zip_reader(archive, member)


def _zip_reader(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        with archive.open(member) as file:
            return file.read(MOST_BYTES + 1)

    return read


def _tarred(archive: tarfile.TarFile) -> Iterator[tuple[PurePosixPath, Callable[[], bytes]]]:
    """Read a tar from its beginning to its end: no place in it is jumped to."""
    for number, member in enumerate(archive):
        if number > MOST_FILES:
            raise Unreadable(f"It has more than {MOST_FILES:,} files.")
        path = PurePosixPath(member.name)
        if member.isreg() and _inside(path):
            data = archive.extractfile(member).read(MOST_BYTES + 1)
            yield path, lambda data=data: data


class _opened:
    """A tar, unpacked while it is read, up to a number of bytes."""

    def __init__(self, raw) -> None:
        start = raw.read(6)
        raw.seek(0)
        self.file, self.left = raw, MOST_UNPACKED
        if start.startswith(b"\x1f\x8b"):
            import gzip

            self.file = gzip.GzipFile(fileobj=raw)
        elif start.startswith(b"BZh"):
            import bz2

            self.file = bz2.BZ2File(raw)
        elif start.startswith(b"\xfd7zXZ"):
            import lzma

            self.file = lzma.LZMAFile(raw)

    def read(self, size: int) -> bytes:
        data = self.file.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise Unreadable(f"It holds more than {MOST_UNPACKED // 1_000_000} MB when unpacked.")
        return data


# -- what is read of it -------------------------------------------------------------------------


def _inside(path: PurePosixPath) -> tuple[PurePosixPath, str] | None:
    """Return where the package is and the name in it, for a path that is part of one."""
    if path.is_absolute() or ".." in path.parts or len(path.parts) > MOST_DEEP + 2:
        return None
    held = workshop.NAME in path.parts[:-1]  # or the package's own files were packed
    at = path.parts.index(workshop.NAME) + 1 if held else 0
    home, name = PurePosixPath(*path.parts[:at]), "/".join(path.parts[at:])
    return (home, name) if name in _wanted() else None


@cache
def _wanted() -> set[str]:
    modules = {f"{module}.py" for module in workshop.MODULES}
    return modules | {f"answers/{name}.py" for name in names()}


def _texts(readers: dict[PurePosixPath, Callable[[], bytes]]) -> dict[str, str]:
    """Read the package that lies nearest to the top, and of those the first by name."""
    homes: dict[PurePosixPath, dict[str, Callable[[], bytes]]] = {}
    for path, reader in readers.items():
        if place := _inside(path):
            homes.setdefault(place[0], {})[place[1]] = reader
    if not homes:
        return {}
    home = min(homes, key=lambda home: (not home.parts, len(home.parts), str(home)))
    texts = {name: _decoded(reader()) for name, reader in homes[home].items()}
    return {name: text for name, text in texts.items() if text.strip()}


def _decoded(data: bytes) -> str:
    """Return the text, or one that says as a syntax error why there is none."""
    if len(data) > MOST_BYTES:
        return f"This file is longer than {MOST_BYTES:,} bytes"
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return "This file is not text in UTF-8"
