"""The lessons' commands: %%exercise, %hint, %solution, %predict, %progress, %workshop."""

from collections.abc import Callable
from functools import wraps
from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """Add the commands to the notebook; ``%load_ext asyncio_lessons.classroom`` calls this."""
    from .. import workshop  # now: the reader's package belongs where the notebook starts

    workshop.folder()
    shell.register_magic_function(_polite(exercise), "cell", "exercise")
    for command in (hint, solution, predict, progress, workshop_command):
        name = command.__name__.removesuffix("_command")
        shell.register_magic_function(_polite(command), "line", name)


def exercise(line: str, cell: str) -> None:
    """%%exercise NAME: run the rest of the cell, and check what it does."""
    from ..checking.engine import check
    from .progress import note

    # The line of the magic is the cell's first: so that the line numbers are those of the cell.
    report = check(line.strip(), f"\n{cell}")
    note(report)
    _display(report)


def hint(line: str) -> None:
    """%hint NAME: one more of three hints. %hint NAME 2: the first two."""
    from . import face

    name, _, steps = line.strip().partition(" ")
    print(face.hint(name, int(steps) if steps.strip().isdigit() else None))


def solution(line: str) -> None:
    """%solution NAME: the cell that solves the exercise, ready to paste."""
    from . import face

    print(face.solution(line.strip()))


def predict(line: str) -> None:
    """%predict NAME: a question, answered by a click. %predict NAME b: answer b."""
    from .predict import ask

    match line.split():
        case [name]:
            _display(ask(name))
            _begin_the_next_output_empty()
        case [name, letter]:
            _display(ask(name, letter))
        case _:
            print("Write %predict and a name; to answer b: %predict, the name, and b.")


def _begin_the_next_output_empty() -> None:
    """Let the next cell's output begin with nothing: JupyterLab shows how a folded output begins.

    So the answer is not read beside the fold, also where scripts are cut.
    """
    from IPython import get_ipython
    from IPython.display import display

    def begin(_: Any) -> None:
        shell.events.unregister("pre_run_cell", begin)
        display({"text/html": "", "text/plain": ""}, raw=True)

    if shell := get_ipython():
        shell.events.register("pre_run_cell", begin)


def progress(line: str) -> None:
    """%progress: how far you are, and what comes next. %progress 05: that lesson only."""
    from .progress import progress

    _display(progress(line.strip() or None))


def workshop_command(line: str) -> None:
    """%workshop: whose code runs. %workshop check · %workshop restore MODULE · %workshop pack."""
    from .. import workshop

    match line.split():
        case []:
            _display(workshop.status())
        case ["check"]:
            from ..checking.engine import check_again

            print(check_again())
        case ["restore", module]:
            print(workshop.restore(module))
        case ["pack"]:
            print(workshop.pack())
        case _:
            print(
                "Write %workshop, %workshop check, %workshop pack, or %workshop restore futures "
                "(a module, or all)."
            )


def _polite(command: Callable[..., None]) -> Callable[..., None]:
    """Answer a name that does not exist with a sentence, so that "Run All" continues."""
    from ..checking.catalog import UnknownName

    @wraps(command)
    def polite(*args: str) -> None:
        try:
            command(*args)
        except UnknownName as unknown:
            print(unknown)

    return polite


def _display(shown: Any) -> None:
    from IPython.display import display

    display(shown)
