"""Thirty made-up hand-ins, honest and hostile, each with the points it must get."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from asyncio_lessons.classroom import workshop
from asyncio_lessons.classroom.checking.catalog import find, names
from asyncio_lessons.classroom.checking.graft import MARK
from asyncio_lessons.classroom.notebook import face

REPLY = "def reply(message):\n"


def solved(home: Path, exercises: list[str]) -> Path:
    """Write the package of a reader who has solved these exercises; return its folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASYNCIO_LESSONS_WORKSHOP", str(home))
        for name in exercises:
            workshop.join(find(name), face.answer(name))
    return home / "my_asyncio"


class Class:
    """A folder of hand-ins, and the points that each must get."""

    def __init__(self, folder: Path, lessons: list[str]) -> None:
        self.folder = folder
        self.points: dict[str, int] = {}
        self.exercises = [name for name in names() if find(name).lesson in lessons]
        self.all = len(self.exercises)
        self.right = solved(folder.parent / "right", self.exercises)
        folder.mkdir()
        self.honest()
        self.tricky()
        self.hostile()
        self.archives()

    def add(self, name: str, points: int, inside: str = "my_asyncio") -> Path:
        """Add a copy of the right package under this name; return it, to be changed."""
        self.points[name] = points
        return Path(shutil.copytree(self.right, self.folder / name / inside))

    def reply(self, name: str, body: str, points: int | None = None, before: str = "") -> None:
        """Add a hand-in whose answer to the first exercise has this body; all else is right."""
        package = self.add(name, self.all - 1 if points is None else points)
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        (package / "answers" / "first-reply.py").write_text(f"{before}{REPLY}{lines}", "utf-8")

    # -- who means well -------------------------------------------------------------------------

    def honest(self) -> None:
        self.add("all right", self.all)
        self.add("all right, in notebooks", self.all, "notebooks/my_asyncio")
        self.add("all right, in a checkout", self.all, "course/notebooks/my_asyncio")
        solved(self.folder / "three of them", self.exercises[:3])
        self.points["three of them"] = 3
        self.points["nothing"] = 0
        (self.folder / "nothing").mkdir()
        self.reply("one is wrong", "return message")
        self.reply("one is a stub", "...")
        self.reply("one has a typo", "return mesage[::-1]")
        self.reply("another way, and trials", "return bytes(reversed(message))", self.all)
        path = self.folder / "another way, and trials/my_asyncio/answers/first-reply.py"
        path.write_text(path.read_text() + "\nimport sys\nprint(reply(b'ab'), sys.version)\n")

    def tricky(self) -> None:
        """Edited by hand, or damaged: what stands in the module counts."""
        text = (self.right / "coroutines.py").read_text("utf-8")
        package = self.add("edited by hand, and wrong", self.all - 1)
        wrong = text.replace("return stop.value", "return None", 1)
        assert wrong != text
        (package / "coroutines.py").write_text(wrong, "utf-8")
        package = self.add("a module is broken", self.all)  # the cells that passed stand in
        (package / "coroutines.py").write_text("def (", "utf-8")
        package = self.add("without the answers' folder", self.all)
        cells = [name for name in self.exercises if not find(name).module]
        self.points["without the answers' folder"] -= len(cells)
        shutil.rmtree(package / "answers")
        package = self.add("the marks are taken out", self.all)
        lines = [line for line in text.splitlines(True) if not line.strip().startswith(MARK)]
        (package / "coroutines.py").write_text("".join(lines), "utf-8")

    # -- who does not ---------------------------------------------------------------------------

    def hostile(self) -> None:
        victim = str(self.folder.parent / "victim.txt")
        self.reply("an endless loop", "while True: pass")
        self.reply("sleeps for ever", "import time\ntime.sleep(1e6)")
        self.reply("fills the memory", "held = []\nwhile True: held.append(bytearray(10**7))")
        self.reply("a fork bomb", "import os\nwhile True: os.fork()")
        self.reply("kills its parents", "import os\nos.kill(os.getppid(), 9)\nos.kill(-1, 9)")
        self.reply("deletes a file", f"import os\nos.remove({victim!r})\nreturn message[::-1]")
        self.reply("writes outside", f"open({victim!r}, 'w').write('mine')\nreturn message[::-1]")
        self.reply("prints passes", "print('{\"end\": true}')\nimport os\nos._exit(0)")
        forged = "".join(f'{{"number": {n}, "row": {{"holds": true}}}}\\n' for n in range(3))
        forge = f"import os\nfor fd in range(3, 20):\n    try: os.write(fd, b'{forged}')\n"
        self.reply("writes to the pipe", f"{forge}    except OSError: pass\nos._exit(0)")
        patch = "import sys\nm = sys.modules['asyncio_lessons.classroom.exercises.start_here']\n"
        self.reply("exchanges the check", f"{patch}m.same = lambda *_: None\nreturn message")
        climb = "(n for n in ()).gi_frame.f_back.f_globals['__builtins__']"
        self.reply("climbs the frames", f"x = {climb}\nreturn message")
        self.reply("a flood of output", "while True: print('x' * 10**6)")
        package = self.add("code in a module", self.all)  # what is no definition is never run
        module = package / "coroutines.py"
        text = module.read_text("utf-8")
        module.write_text(f"import os\nos.remove({victim!r})\n{text}", "utf-8")
        (package / "__init__.py").write_text("import os\nos._exit(0)\n", "utf-8")

    def archives(self) -> None:
        files = {p.relative_to(self.right.parent): p for p in self.right.rglob("*") if p.is_file()}
        self.points["all right.zip"] = self.points["on a platform"] = self.all
        (self.folder / "on a platform").mkdir()
        for place in ("all right.zip", "on a platform/hand-in.zip"):
            with zipfile.ZipFile(self.folder / place, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, path in files.items():
                    archive.write(path, f"somewhere/{name.as_posix()}")
                archive.writestr("../../escaped.txt", "mine")
        self.points["climbs out.tar.gz"] = self.all - 1
        with tarfile.open(self.folder / "climbs out.tar.gz", "w:gz") as archive:
            for name, path in files.items():
                if path.name == "first-reply.py":
                    link = tarfile.TarInfo(name.as_posix())
                    link.type, link.linkname = tarfile.SYMTYPE, str(path)  # a right answer, outside
                    archive.addfile(link)
                else:
                    archive.add(path, name.as_posix())
            archive.addfile(_member("/my_asyncio/../escaped.txt"), io.BytesIO(b"mine"))
        self.points["a bomb.zip"] = self.points["no archive.zip"] = 0
        with zipfile.ZipFile(self.folder / "a bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("my_asyncio/coroutines.py", b"#" * 300_000_000)
        (self.folder / "no archive.zip").write_bytes(b"PK\x03\x04 and nothing more")
        self.points["a link to another"] = 0
        os.symlink(self.folder / "all right", self.folder / "a link to another")
        package = self.add("links and pipes inside", self.all - 2)
        for name, make in {"first-reply": _link, "drive": os.mkfifo}.items():
            make(_removed(package / "answers" / f"{name}.py"))
        module = _removed(package / "coroutines.py")
        os.symlink(self.right / "coroutines.py", module)


def _member(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = 4
    return member


def _removed(path: Path) -> Path:
    path.unlink()
    return path


def _link(path: Path) -> None:
    os.symlink("/etc/hostname", path)
