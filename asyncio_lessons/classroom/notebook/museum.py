"""The museum: old forms of asyncio that books and answers still show, and what became of them.

`EXHIBITS` is the one table. Each old form is a small program; `says` runs it on this Python, each
in a process of its own, because some of them change the process for good. What the table expects
is held against that by a test, on every Python there is.

    museum.table()          the exhibits, a column for each Python
    museum.surprises()      where this Python does not do what its column says: none
"""

import subprocess
import sys
from collections.abc import Iterable
from typing import NamedTuple

WORKS, WARNS = "works", "warns"  # else it raises, and the table has the name of the exception
MARKS = {WORKS: "✓", WARNS: "!"}
COLUMNS = ("3.6", "3.8", "3.10", "3.11", "3.12", "3.13", "3.14")


class Exhibit(NamedTuple):
    """One old form.

    old: as one finds it; code: a program that tries it; modern: what to write instead;
    history: pairs of a Python version and what it says from then on, oldest first.
    """

    old: str
    code: str
    modern: str
    history: tuple[tuple[str, str], ...]

    def expected(self, version: str) -> str:
        """Return what Python `version`, such as "3.12", says: works, warns or an exception."""
        past = [says for since, says in self.history if _number(since) <= _number(version)]
        return past[-1]


EXHIBITS = (
    Exhibit(
        "asyncio.async(main())",
        "asyncio.async(main())",
        "asyncio.create_task(main())",
        (("3.4", WORKS), ("3.5", WARNS), ("3.7", "SyntaxError")),
    ),
    Exhibit(
        "@asyncio.coroutine",
        "@asyncio.coroutine\ndef old():\n    yield",
        "async def",
        (("3.4", WORKS), ("3.8", WARNS), ("3.11", "AttributeError")),
    ),
    Exhibit(
        "yield from asyncio.sleep(0)",
        "def old():\n    yield from asyncio.sleep(0)\nset_loop()\nnext(old())",
        "await asyncio.sleep(0)",
        (("3.4", WORKS), ("3.7", "TypeError")),
    ),
    Exhibit(
        "loop.run_until_complete(generator())",
        "def old():\n    yield\nset_loop().run_until_complete(old())",
        "async def, and asyncio.run(main())",
        (("3.4", WORKS), ("3.12", "TypeError")),
    ),
    Exhibit(
        "await asyncio.wait([main(), main()])",
        "async def old():\n    await asyncio.wait([main(), main()])\n"
        "set_loop().run_until_complete(old())",
        "await asyncio.gather(main(), main()), or a TaskGroup",
        (("3.5", WORKS), ("3.9", WARNS), ("3.11", "TypeError")),
    ),
    Exhibit(
        "asyncio.Queue(loop=loop)",
        "asyncio.Queue(loop=set_loop())",
        "asyncio.Queue()",
        (("3.4", WORKS), ("3.8", WARNS), ("3.10", "TypeError")),
    ),
    Exhibit(
        "with await lock:",
        "async def old():\n    with await asyncio.Lock():\n        pass\n"
        "set_loop().run_until_complete(old())",
        "async with lock:",
        (("3.5", WORKS), ("3.7", WARNS), ("3.9", "TypeError")),
    ),
    Exhibit(
        "asyncio.Task.all_tasks()",
        "asyncio.Task.all_tasks(set_loop())",
        "asyncio.all_tasks()",
        (("3.4", WORKS), ("3.7", WARNS), ("3.9", "AttributeError")),
    ),
    Exhibit(
        "except Exception: (to catch a cancellation)",
        "try:\n    raise asyncio.CancelledError\nexcept Exception:\n    pass",
        "except asyncio.CancelledError:",
        (("3.4", WORKS), ("3.8", "CancelledError")),
    ),
    Exhibit(
        "asyncio.get_event_loop() with no loop running",
        "asyncio.get_event_loop()",
        "asyncio.run(main()); inside it asyncio.get_running_loop()",
        (("3.4", WORKS), ("3.12", WARNS), ("3.14", "RuntimeError")),
    ),
    Exhibit(
        "asyncio.set_event_loop_policy(...)",
        "asyncio.set_event_loop_policy(None)",
        "asyncio.Runner(loop_factory=...)",
        (("3.4", WORKS), ("3.14", WARNS)),
    ),
    Exhibit(
        "asyncio.iscoroutinefunction(main)",
        "asyncio.iscoroutinefunction(main)",
        "inspect.iscoroutinefunction(main)",
        (("3.4", WORKS), ("3.14", WARNS)),
    ),
    Exhibit(
        "loop.run_until_complete(main()); loop.close()",
        "loop = asyncio.new_event_loop()\nloop.run_until_complete(main())\nloop.close()",
        "asyncio.run(main())",
        (("3.4", WORKS),),
    ),
    Exhibit(
        "except asyncio.TimeoutError:",
        "try:\n    raise asyncio.TimeoutError\nexcept asyncio.TimeoutError:\n    pass",
        "except TimeoutError: (the same class since 3.11)",
        (("3.4", WORKS),),
    ),
)

# Runs in a process of its own, on any Python from 3.6 on.
_CHILD = """
import sys, warnings
warnings.simplefilter("error", DeprecationWarning)
warnings.simplefilter("error", PendingDeprecationWarning)
import asyncio

async def main():
    return 1

def set_loop():
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop

try:
    exec(sys.argv[1])
except BaseException as error:
    print("warns" if isinstance(error, Warning) else type(error).__name__)
else:
    print("works")
"""


def this_python() -> str:
    """Return the version of this Python as the table has it: "3.12"."""
    return "{}.{}".format(*sys.version_info)


def says(exhibits: Iterable[Exhibit], python: str = sys.executable) -> list[str]:
    """Run the old forms, at the same time, and return what each says: works, warns or an exception.

    python: the interpreter to run them with.
    """
    command = [python, "-I", "-c", _CHILD]
    running = [
        subprocess.Popen(
            [*command, each.code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for each in exhibits
    ]
    return [process.communicate()[0].strip() for process in running]


def surprises() -> list[str]:
    """Return a sentence for each old form that does on this Python what the table does not say."""
    version = this_python()
    return [
        f"{exhibit.old}: {said}, and the table says {exhibit.expected(version)} for {version}"
        for exhibit, said in zip(EXHIBITS, says(EXHIBITS), strict=True)
        if said != exhibit.expected(version)
    ]


class Table:
    """The exhibits as a table: text, or Markdown where the notebook can show it."""

    def __init__(self, columns: tuple[str, ...] = COLUMNS) -> None:
        head = ("the old form", *columns, "raises", "today")
        rows = [_row(exhibit, [exhibit.expected(each) for each in columns]) for exhibit in EXHIBITS]
        self.rows = [head, *rows]
        self.legend = ", ".join([f"{mark} {word}" for word, mark in MARKS.items()] + ["✕ raises"])

    def __repr__(self) -> str:
        widths = [max(map(len, column)) for column in zip(*self.rows, strict=True)]
        lines = (
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
            for row in self.rows
        )
        return "\n".join([*(line.rstrip() for line in lines), self.legend])

    def _repr_markdown_(self) -> str:
        head, *rows = self.rows
        quoted = [(f"`{old}`", *rest) for old, *rest in rows]
        lines = [head, ["---"] * len(head), *quoted]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"{table}\n\n{self.legend}"


def _row(exhibit: Exhibit, says: list[str]) -> tuple[str, ...]:
    raised = "" if says[-1] in MARKS else says[-1]
    return (exhibit.old, *(MARKS.get(each, "✕") for each in says), raised, exhibit.modern)


def table() -> Table:
    """Return the table of the museum, to be shown."""
    return Table()


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
