"""Film a program that knows nothing of it: ``python -m asyncio_lessons.film program.py``.

The program runs as ``python program.py`` would run it. Each event loop that it starts, by
`asyncio.run`, a `Runner` or `run_until_complete`, is filmed from its first task on.
"""

import argparse
import asyncio
import contextlib
import runpy
import sys
import tempfile
import traceback
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import asyncio_lessons

from ..filming.film import Film
from ..filming.loops import loop_factory
from ..filming.perfetto import trace
from ..filming.recorder import Recorder
from .page import Player, page_of

MOST_FILMS = 10  # of one program: a page with more is of no use


class _Options(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _options() -> argparse.ArgumentParser:
    parser = _Options(
        prog="python -m asyncio_lessons.film",
        usage="%(prog)s (program.py | -m module) [options] [--] [arguments of the program]",
        description="Run an asyncio program as it is, film it, and show the film as a page. "
        "What comes after -- is the program's, also what looks like an option of ours.",
        allow_abbrev=False,
    )
    parser.add_argument("-m", dest="module", metavar="MODULE", help="run a module as a program")
    parser.add_argument("-o", dest="page", metavar="FILM.html", help="write the page here")
    parser.add_argument("--perfetto", metavar="OUT.json", help="write a trace for ui.perfetto.dev")
    parser.add_argument("--virtual", action="store_true", help="time jumps to the next timer")
    parser.add_argument("--title", help="the title of the page (default: the program's name)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Film the program that the command line names; return the program's exit status."""
    parser = _options()
    ours, program = _split(sys.argv[1:] if arguments is None else arguments)
    options = parser.parse_args(ours)
    if options.module is not None:
        program.insert(0, options.module)
    _check(parser, options, program)
    name = options.module or Path(program[0]).name
    with _films_of_new_loops(options.virtual) as studio:
        status = _run(options.module, program)
    films = [film for film in studio.films() if film.tasks][:MOST_FILMS]
    if not films:
        print(f"film: {name} started no event loop, so there is nothing to show", file=sys.stderr)
        return status or 1
    _write(options, films, options.title or name)
    return status


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return our options, which may stand before and after the program's name, and the program."""
    ours: list[str] = []
    program: list[str] = []
    left = list(arguments)
    while left:
        word = left.pop(0)
        named = bool(program) or "-m" in ours
        if word == "--":
            return ours, program + left
        if word.split("=")[0] in ("-o", "--perfetto", "--title") or (word == "-m" and not named):
            ours += [word, *left[: "=" not in word]]
            left = left[int("=" not in word) :]
        elif word == "--virtual" or (word.startswith("-") and not named):
            ours.append(word)
        else:
            program.append(word)
    return ours, program


def _check(parser: Any, options: argparse.Namespace, program: list[str]) -> None:
    if not program:
        parser.error("which program? Write its file, or -m and its module")
    if options.module is None and not Path(program[0]).is_file():
        parser.error(f"there is no file {program[0]}")
    if options.page is not None and not options.page.endswith((".html", ".htm")):
        parser.error(f"the page's file must end in .html; got {options.page}")
    for file in filter(None, (options.page, options.perfetto)):
        if not Path(file).absolute().parent.is_dir():
            parser.error(f"there is no folder {Path(file).absolute().parent} to write {file} to")


# -- running it -----------------------------------------------------------------------------------


def _run(module: str | None, program: list[str]) -> int:
    """Run a program as Python would, and return its exit status; its errors are printed."""
    sys.argv = list(program)
    try:
        if module is not None:
            sys.path[0] = str(Path.cwd())
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        else:
            sys.path[0] = str(Path(program[0]).resolve().parent)
            runpy.run_path(program[0], run_name="__main__")
    except SystemExit as exit_:
        if exit_.code is None or isinstance(exit_.code, int):
            return exit_.code or 0
        print(exit_.code, file=sys.stderr)
        return 1
    except BaseException as error:
        _print_error(error, module)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _print_error(error: BaseException, module: str | None) -> None:
    """Print a traceback as the program alone would have: without what ran it."""
    start = error.__traceback__
    while start is not None and _is_ours(start.tb_frame.f_code.co_filename):
        start = start.tb_next
    if start is None and isinstance(error, ImportError) and module is not None:
        print(f"film: {error}", file=sys.stderr)
        return
    traceback.print_exception(type(error), error, start)


def _is_ours(file: str) -> bool:
    return file == __file__ or "runpy" in file


class _Studio:
    """Films each event loop once, from before its first task."""

    def __init__(self) -> None:
        self._recorders: dict[int, Recorder] = {}
        self._loops: list[Any] = []  # kept, so that each id stays its own
        self._errors: dict[int, BaseException] = {}

    def film(self, loop: Any) -> Any:
        """Begin to film a loop, unless it is filmed already; return it."""
        if id(loop) not in self._recorders:
            self._loops.append(loop)
            recorder = Recorder(loop, details=True, name="main")
            self._recorders[id(loop)] = recorder.start()
        return loop

    def until_complete(self, original: Callable) -> Callable:
        """Wrap `run_until_complete` of a loop."""

        def run_until_complete(loop: Any, future: Any) -> Any:
            self.film(loop)
            try:
                return original(loop, future)
            except BaseException as error:
                error.__traceback__ = error.__traceback__.tb_next  # a traceback does not show us
                self._errors[id(loop)] = error
                raise

        return run_until_complete

    def forever(self, original: Callable) -> Callable:
        """Wrap `run_forever` of a loop."""
        return lambda loop: original(self.film(loop))

    def set_up(self, original: Callable) -> Callable:
        """Wrap what makes the loop of a runner."""

        def made(runner: Any) -> Any:
            result = original(runner)
            self.film(runner._loop)
            return result

        return made

    def films(self) -> Iterator[Film]:
        """End all films and yield them, in the order in which their loops were made."""
        for key, recorder in self._recorders.items():
            film = recorder.stop()
            film.error = self._errors.get(key)
            yield film


@contextlib.contextmanager
def _films_of_new_loops(virtual: bool) -> Iterator[_Studio]:
    """Film the loops that are made inside the block; virtual: those that asyncio chooses."""
    studio = _Studio()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_virtual_time(virtual))
        for package, set_up in ((asyncio, "_lazy_init"), (asyncio_lessons, "get_loop")):
            loop = getattr(package, "SelectorEventLoop", None) or package.EventLoop
            for kind, name, wrap in (
                (loop, "run_until_complete", studio.until_complete),
                (loop, "run_forever", studio.forever),
                (package.Runner, set_up, studio.set_up),  # also of loops that are not asyncio's
            ):
                owner = next(base for base in kind.__mro__ if name in vars(base))
                stack.enter_context(_patched(owner, name, wrap(getattr(owner, name))))
        yield studio


@contextlib.contextmanager
def _patched(owner: type, name: str, function: Callable) -> Iterator[None]:
    original = getattr(owner, name)
    setattr(owner, name, function)
    try:
        yield
    finally:
        setattr(owner, name, original)


@contextlib.contextmanager
def _virtual_time(wanted: bool) -> Iterator[None]:
    """Make loops on virtual time, where the program leaves the choice of the loop to asyncio."""
    if not wanted:
        yield
        return
    make, made = asyncio.events.new_event_loop, loop_factory("asyncio", virtual=True)
    clock = asyncio_lessons.VirtualClock
    asyncio.events.new_event_loop = asyncio.new_event_loop = made
    init = asyncio_lessons.EventLoop.__init__

    def with_virtual_clock(loop: Any, *arguments: Any, **options: Any) -> None:
        init(loop, *arguments, **{"clock": clock(), **options})

    try:
        with _patched(asyncio_lessons.EventLoop, "__init__", with_virtual_clock):
            yield
    finally:
        asyncio.events.new_event_loop = asyncio.new_event_loop = make


# -- what comes of it -----------------------------------------------------------------------------


def _write(options: argparse.Namespace, films: list[Film], name: str) -> None:
    if options.perfetto is not None:
        longest = max(films, key=lambda film: len(film.events))
        longest.title = longest.title or name
        trace(longest, options.perfetto)
        print(f"film: wrote {options.perfetto}: open it at https://ui.perfetto.dev")
        if options.page is None:
            return
    players = []
    for number, film in enumerate(films, 1):
        title = name if len(films) == 1 else f"{name}, loop {number} of {len(films)}"
        players.append(Player(film, title=title, note=_note(film)))
    page = options.page or str(Path(tempfile.mkdtemp(prefix="film-")) / "film.html")
    Path(page).write_text(page_of(players, name), encoding="utf-8")
    steps = ", ".join(f"{len(film.steps) - 1} steps of {len(film.tasks)} tasks" for film in films)
    print(f"film: wrote {page}: {steps}")
    if options.page is None and not webbrowser.open(Path(page).resolve().as_uri()):
        print("film: no browser opened here; open that file in one")


def _note(film: Film) -> str | None:
    if film.truncated:
        return "The recording stopped at its limit; the program continued."
    return None
