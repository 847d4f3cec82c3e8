"""The notebook's commands: what stays, what is shown, and how errors read."""

from __future__ import annotations

import asyncio
import re
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from asyncio_lessons.classroom import Film


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Any:
    patch = pytest.MonkeyPatch()
    patch.setenv("ASYNCIO_LESSONS_WORKSHOP", str(tmp_path_factory.mktemp("workshop")))
    patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
    # No history: its database would stay open for the tests that follow.
    config = Config(HistoryManager={"enabled": False})
    shell = InteractiveShell.instance(colors="nocolor", config=config)
    shell.run_line_magic("load_ext", "asyncio_lessons.classroom")
    shell.run_cell("import asyncio, asyncio_lessons as aio")
    yield shell
    InteractiveShell.clear_instance()
    patch.undo()


class Shown:
    """What a cell left: its pictures, its text, the value of its last line, its error."""

    def __init__(self, shell: Any, cell: str) -> None:
        with capture_output() as captured:
            self.result = shell.run_cell(cell)
        self.text = re.sub("\x1b\\[[0-9;]*m", "", captured.stdout + captured.stderr)
        self.pictures = [output for output in captured.outputs if "image/png" in output.data]
        self.players = [o.data for o in captured.outputs if "data-player" in str(o.data)]
        self.value = self.result.result
        self.error = self.result.error_in_exec


LOOPS = ["lessons", "asyncio", "uvloop"]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_cell_runs_on_its_loop_and_its_names_stay(shell: Any, loop: str) -> None:
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    library = "aio" if loop == "lessons" else "asyncio"
    shown = Shown(
        shell,
        f"%%timeline --loop {loop} --save film --title 'A $title$ {{x}}'\n"
        "async def sleeper(n):\n"
        f"    await {library}.sleep(n / 1000)\n"
        "    return n\n"
        f"found = await {library}.gather(sleeper(1), sleeper(2))\n"
        "print('printed')\n"
        "found",
    )
    assert shown.error is None, shown.text
    assert "printed" in shown.text and shown.value == [1, 2] and len(shown.pictures) == 1
    assert shell.user_ns["found"] == [1, 2] and callable(shell.user_ns["sleeper"])
    film = shell.user_ns["film"]
    assert isinstance(film, Film) and film.loop == loop
    assert [task.name for task in film.tasks] == ["main", "sleeper 1", "sleeper 2"]
    text = shown.pictures[0].data["text/plain"]
    assert text.startswith("A $title$ {x}\n")
    assert [e.text for e in film.events if e.kind == "wait"][0] == "gather(sleeper(1), sleeper(2))"
    assert "__value_of_the_cell__" not in shell.user_ns


@pytest.mark.parametrize("loop", ["lessons", "asyncio"])
def test_virtual_time_jumps(shell: Any, loop: str) -> None:
    library = "aio" if loop == "lessons" else "asyncio"
    shown = Shown(
        shell, f"%%timeline --virtual --loop {loop} --save film\nawait {library}.sleep(3600)"
    )
    assert shown.error is None and shell.user_ns["film"].duration == 3600
    assert "3.6e+03 s" in shown.pictures[0].data["text/plain"]


@pytest.fixture(scope="module")
def my_asyncio(shell: Any) -> Any:
    """The reader's own package, which the first exercise that passes makes."""
    from asyncio_lessons.classroom import exercises, workshop
    from asyncio_lessons.classroom.notebook.face import answer

    exercises.check("drive", answer("drive"))
    yield workshop.package(say=False)
    workshop._forget()


@pytest.mark.parametrize("magic", ["timeline", "film"])
@pytest.mark.parametrize(
    ("before", "cell"),
    [
        ("from asyncio_lessons.classroom import workshop", "await mine.gather(mine.sleep(1))"),
        ("from my_asyncio import gather, sleep", "await gather(sleep(1))"),
        ("async def deep():\n    await mine.gather(mine.sleep(1))", "await deep()"),
        (
            "class Nap:\n    async def take(self):\n        await mine.sleep(1)",
            "await Nap().take()",
        ),
        ("queue = mine.Queue(1)", "queue.put_nowait(1)\nawait queue.get()"),
    ],
    ids=["module", "functions", "a function of the notebook", "a class", "an object"],
)
def test_a_cell_of_the_readers_package_runs_on_the_readers_loop(
    shell: Any, my_asyncio: Any, magic: str, before: str, cell: str
) -> None:
    shell.user_ns["mine"] = my_asyncio
    shell.run_cell(before)
    shown = Shown(shell, f"%%{magic} --virtual --save film\n{cell}")
    assert shown.error is None, shown.text
    assert shell.user_ns["film"].loop == "my_asyncio"
    shown = Shown(shell, f"%%{magic} --virtual --save film\nawait aio.sleep(1)")
    assert shown.error is None and shell.user_ns["film"].loop == "lessons"


def test_a_cell_without_await_runs_too(shell: Any) -> None:
    shown = Shown(shell, "%%timeline\nx = 1\nx + 1;")
    assert shown.error is None and shown.value is None and shell.user_ns["x"] == 1
    assert shown.pictures


def test_an_error_is_raised_after_the_picture_and_starts_in_the_cell(shell: Any) -> None:
    shown = Shown(
        shell,
        "%%timeline --virtual\n"
        "async def bad():\n    await aio.sleep(1)\n    raise ValueError('no')\n"
        "await bad()",
    )
    assert isinstance(shown.error, ValueError) and len(shown.pictures) == 1
    assert "ValueError: no" in shown.text and "await bad()" in shown.text
    assert "classroom" not in shown.text and "run_cell_magic" not in shown.text
    assert shown.pictures[0].data["text/plain"].count("!") == 2  # the task, and the key


def test_an_exception_group_is_an_error_of_its_cell(shell: Any) -> None:
    shown = Shown(
        shell,
        "%%timeline --virtual\n"
        "async def fails(n):\n    await aio.sleep(n)\n    raise OSError(n)\n"
        "async with aio.TaskGroup() as group:\n    group.create_task(fails(1), name='one')\n",
    )
    assert isinstance(shown.error, ExceptionGroup) and shown.pictures
    assert "1 of 1:" in shown.text and "OSError: 1" in shown.text
    assert "classroom" not in shown.text


def test_a_deadlock_names_the_waiting_task(shell: Any) -> None:
    shown = Shown(shell, "%%timeline --virtual\nawait aio.get_running_loop().create_future()")
    assert isinstance(shown.error, aio_deadlock()) and shown.pictures
    assert "main waits at line 2" in shown.text and "File" not in shown.text


def aio_deadlock() -> type:
    import asyncio_lessons

    return asyncio_lessons.Deadlock


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("--loop trio\npass", "invalid choice: 'trio'"),
        ("--loop uvloop --virtual\npass", "virtual time works with lessons and asyncio"),
        ("--titel x\npass", "unrecognized arguments: --titel x. It takes: %%timeline [--loop"),
        ("--title 'x\npass", "no closing quotation in: --title 'x"),
        ("--save 3\npass", "--save needs a name for a variable; got '3'"),
        ("--theme blue\npass", "invalid choice: 'blue'"),
        ("\nx = = 1", "line 2: invalid syntax"),
        ("--heartbeat hart\npass", "no task is called 'hart'; the film has: main"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(shell: Any, cell: str, said: str) -> None:
    shown = Shown(shell, f"%%timeline {cell}")
    assert type(shown.error).__name__ == "UsageError"
    assert said in shown.text and "Traceback" not in shown.text


def test_uvloop_missing(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "uvloop", None)
    assert (
        "uvloop is not installed: %pip install uvloop"
        in Shown(shell, "%%timeline --loop uvloop\n1").text
    )


def test_nested_use(shell: Any) -> None:
    shell.run_cell("from asyncio_lessons.classroom import timeline")
    shown = Shown(shell, "%%timeline\nwith timeline():\n    pass")
    assert "this loop is being filmed already: end the outer timeline()" in str(shown.error)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no way to press Ctrl-C here")
@pytest.mark.parametrize("body", ["await aio.sleep(99)", "while True: pass"])
def test_an_interrupt_reaches_the_cell_and_the_shell_goes_on(shell: Any, body: str) -> None:
    main = threading.main_thread().ident
    threading.Timer(0.5, signal.pthread_kill, [main, signal.SIGINT]).start()
    shown = Shown(shell, f"%%timeline\n{body}")
    assert isinstance(shown.error, KeyboardInterrupt) and shown.pictures
    assert "classroom" not in shown.text
    assert Shown(shell, "%%timeline\nawait aio.sleep(0)").error is None


def test_shell_syntax_works_inside(shell: Any) -> None:
    shown = Shown(shell, "%%timeline\n%xmode Plain\nawait aio.sleep(0)\n%xmode Context")
    assert shown.error is None and "Exception reporting mode" in shown.text


def test_the_running_loop_is_filmed_by_the_context_manager(shell: Any) -> None:
    cell = (
        "from asyncio_lessons.classroom import timeline\n"
        "async def nap(n):\n    await asyncio.sleep(n / 1000)\n"
        "with timeline('Around await') as around:\n"
        "    task = asyncio.create_task(nap(5), name='napper')\n"
        "    await nap(1)\n"
        "    await task\n"
    )

    async def notebook() -> Any:
        return await shell.run_cell_async(cell, transformed_cell=cell)

    with capture_output() as captured:
        result = asyncio.run(notebook())
    assert result.error_in_exec is None
    assert len([o for o in captured.outputs if "image/png" in o.data]) == 1
    film = shell.user_ns["around"].film
    assert [task.name for task in film.tasks] == ["main", "napper"]
    assert [e.text for e in film.events if e.kind == "wait" and e.task == 0] == ["nap(1)", "napper"]


def test_xray_as_a_command(shell: Any) -> None:
    shown = Shown(shell, "def g():\n    yield 1\nvalue = g()\n%xray value")
    assert str(shown.value).startswith("generator g(): created")
    assert "needs what to look into" in Shown(shell, "%xray").text


def test_the_exercises_commands_come_along(shell: Any) -> None:
    assert "timeline" in shell.magics_manager.magics["cell"]
    assert "exercise" in shell.magics_manager.magics["cell"]


def test_it_can_be_unloaded(shell: Any) -> None:
    shell.run_line_magic("unload_ext", "asyncio_lessons.classroom")
    assert "timeline" not in shell.magics_manager.magics["cell"]
    shell.run_line_magic("load_ext", "asyncio_lessons.classroom")
    assert "timeline" in shell.magics_manager.magics["cell"]


def test_a_notebook_in_a_thread_prints_into_its_cell(tmp_path: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    source = [
        "%load_ext asyncio_lessons.classroom\nimport asyncio",
        "%%timeline --loop asyncio --title 'In a thread'\n"
        "print('here')\nawait asyncio.sleep(0.001)\n1 + 1",
    ]
    cells = [nbformat.v4.new_code_cell(text) for text in source]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": tmp_path}}).execute()
    printed, picture, value = notebook.cells[1].outputs
    assert printed.text == "here\n" and value.data["text/plain"] == "2"
    assert picture.data["text/plain"] == "In a thread\non asyncio, in real time: main"
    assert picture.metadata["image/png"]["width"] == 1008


def test_a_cell_is_filmed_for_the_player(shell: Any) -> None:
    options = '--virtual --title "A $t {x}" --at 4 --predict --save kept'
    shown = Shown(shell, f"%%film {options}\nawait aio.sleep(1)\nprint('printed')\n7")
    assert shown.value == 7 and "printed" in shown.text
    (player,) = shown.players
    assert player["text/plain"].startswith("A $t {x}: ")
    assert '"predict":true,"at":4' in player["text/html"]
    kept = shell.user_ns["kept"]
    printed = kept.scene(len(kept.steps) - 1).printed
    assert [line["text"] for line in printed] == ["printed"]


def test_a_cell_that_fails_shows_the_player_first(shell: Any) -> None:
    shown = Shown(shell, "%%film\nraise ValueError('boom')")
    assert isinstance(shown.error, ValueError) and len(shown.players) == 1
    shown = Shown(shell, "%%film --loop trio\n1")
    assert "%%film: argument --loop: invalid choice: 'trio'" in shown.text
    shown = Shown(shell, "%%film --theme dark\n1")  # the player follows the page
    assert "%%film: unrecognized arguments: --theme dark" in shown.text
