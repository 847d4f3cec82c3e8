"""The notebook's commands: ``%load_ext asyncio_lessons.classroom`` brings them.

``%%timeline`` runs the rest of its cell on a loop of its own and shows the timeline; ``%%film``
shows the player, which steps through the film. IPython cannot await inside a magic, so the cell is
compiled with top-level await here, and run to its end: in place on the course's loop, or on the
reader's where the cell uses `my_asyncio`; in a thread on asyncio's and uvloop's. What the cell
defines stays in the notebook, what it prints lands under it, and what it raises is raised after
the picture is shown.
"""

import argparse
import ast
import dis
import inspect
import shlex
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

from ..filming.loops import LOOPS, loop_factory
from ..filming.recorder import run_filmed
from ..pictures.drawing import CHOICES
from ..pictures.timeline import draw, show
from ..player.page import Player
from . import exercise_magics, interrupts

_VALUE = "__value_of_the_cell__"


def load_ipython_extension(shell: Any) -> None:
    """Add ``%%timeline``, ``%%film``, ``%xray`` and the commands of the exercises."""
    from IPython.core.magic import no_var_expand

    @no_var_expand  # a title may hold $ and {}
    def timeline(line: str, cell: str) -> Any:
        return _filmed(shell, _timeline_options(), line, cell, _show_timeline)

    @no_var_expand
    def film(line: str, cell: str) -> Any:
        return _filmed(shell, _film_options(), line, cell, _show_player, details=True)

    timeline.__doc__ = _timeline_options().format_help()
    shell.register_magic_function(timeline, "cell", "timeline")
    film.__doc__ = _film_options().format_help()
    shell.register_magic_function(film, "cell", "film")
    shell.register_magic_function(lambda line: _xray(shell, line), "line", "xray")
    shell.set_custom_exc((BaseExceptionGroup,), _show_group)
    exercise_magics.load_ipython_extension(shell)
    interrupts.load_ipython_extension(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take our commands away again."""
    for kind, name in (("cell", "timeline"), ("cell", "film"), ("line", "xray")):
        shell.magics_manager.magics[kind].pop(name, None)
    interrupts.unload_ipython_extension(shell)


# -- %%timeline and %%film ------------------------------------------------------------------------


class _Options(argparse.ArgumentParser):
    """Says what is wrong in one sentence, and exits nothing."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog=prog, add_help=False, allow_abbrev=False)
        ours = "lessons: the loop of the package that the cell uses, the course's or yours"
        self.add_argument("--loop", choices=LOOPS, default="lessons", help=ours)
        self.add_argument("--virtual", action="store_true", help="time jumps to the next timer")
        self.add_argument("--title", help="the claim")
        self.add_argument("--note", help="the proof")
        self.add_argument("--save", metavar="NAME", help="keep the film under this name")

    def error(self, message: str) -> NoReturn:
        raise _usage_error(f"{self.prog}: {message}. It takes: {self.format_usage()[7:].strip()}")


def _timeline_options() -> _Options:
    options = _Options("%%timeline")
    options.add_argument("--theme", choices=CHOICES, default="auto")
    options.add_argument("--heartbeat", metavar="TASK", help="draw this task's steps as a pulse")
    return options


def _film_options() -> _Options:
    options = _Options("%%film")
    options.add_argument("--predict", action="store_true", help="ask which task runs next")
    options.add_argument("--at", metavar="STEP", type=int, default=0, help="open at this step")
    return options


def _usage_error(message: str) -> Exception:
    from IPython.core.error import UsageError

    return UsageError(" ".join(message.split()))


def _filmed(
    shell: Any, known: _Options, line: str, cell: str, show_it: Callable, **how: Any
) -> Any:
    """Run a cell, show its film, then raise what it raised; how: options of the recorder."""
    options = _parsed(known, line)
    program = _compiled(shell, cell, known.prog)
    coro = _program(program, shell.user_ns)
    loop = _package_of(program, shell.user_ns) if options.loop == "lessons" else options.loop
    film = run_filmed(coro, loop, options.virtual, name="main", **how)
    value = shell.user_ns.pop(_VALUE, None)
    if options.save:
        shell.user_ns[options.save] = film
    show_it(film, options)
    if film.error is not None:
        raise _from_the_cell(shell, film.error, program.co_filename)
    return value


def _parsed(known: _Options, line: str) -> argparse.Namespace:
    magic = known.prog
    try:
        options = known.parse_args(shlex.split(line))
    except ValueError as error:  # quotes that are not closed
        raise _usage_error(f"{magic}: {str(error).lower()} in: {line.strip()}") from None
    if options.save and not options.save.isidentifier():
        raise _usage_error(f"{magic}: --save needs a name for a variable; got {options.save!r}")
    try:
        loop_factory(options.loop, options.virtual)
    except (ValueError, ModuleNotFoundError) as error:
        raise _usage_error(f"{magic}: {error}") from None
    return options


def _compiled(shell: Any, cell: str, magic: str) -> Any:
    """Compile the cell as the shell would, with top-level await; the last value is kept."""
    source = "\n" + shell.transform_cell(cell)  # the lines count from the magic, as the reader sees
    file = shell.compile.cache(source, shell.execution_count, raw_code=cell)
    try:
        tree = ast.parse(source, file)
        last = tree.body[-1] if tree.body else None
        if isinstance(last, ast.Expr) and not source.rstrip().endswith(";"):
            kept = ast.Assign([ast.Name(_VALUE, ast.Store())], last.value)
            tree.body[-1] = ast.fix_missing_locations(ast.copy_location(kept, last))
        return compile(tree, file, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        raise _usage_error(f"{magic}: line {error.lineno}: {error.msg}: {error.text}") from None


def _program(program: Any, namespace: dict[str, Any]) -> Any:
    """Return the coroutine of a cell, also of one that does not await."""
    if program.co_flags & inspect.CO_COROUTINE:
        return eval(program, namespace)

    async def cell() -> None:
        exec(program, namespace)

    cell.__name__ = "main"
    return cell()


def _package_of(program: Any, namespace: dict[str, Any]) -> ModuleType | str:
    """Return the reader's package if the cell uses it, else "lessons".

    What a cell uses is what it names, and what the notebook's functions and classes name in turn.
    """
    from ..workshop import NAME

    codes, seen = [program], set()
    while codes:
        code = codes.pop()
        codes += filter(inspect.iscode, code.co_consts)
        loads = (i for i in dis.get_instructions(code) if i.opname in ("LOAD_NAME", "LOAD_GLOBAL"))
        names = {load.argval for load in loads} - seen
        seen |= names
        for value in map(namespace.get, names):
            of = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", "")
            if str(of).partition(".")[0] == NAME:
                return sys.modules.get(NAME, "lessons")
            functions = vars(value).values() if inspect.isclass(value) else [value]
            functions = filter(inspect.isfunction, functions)
            codes += [f.__code__ for f in functions if f.__globals__ is namespace]
    return "lessons"


def _show_timeline(film: Any, options: argparse.Namespace) -> None:
    """Show the picture, also where no task is called as --heartbeat says, and then say so."""
    look = {"title": options.title, "note": options.note, "theme": options.theme}
    try:
        picture = draw(film, heartbeat=options.heartbeat, **look)
    except ValueError as error:
        if film.error is None:
            show(draw(film, **look))
            raise _usage_error(f"%%timeline: --heartbeat: {error}") from None
        picture = draw(film, **look)
    show(picture)


def _show_player(film: Any, options: argparse.Namespace) -> None:
    look = {"title": options.title, "note": options.note}
    show(Player(film, predict=options.predict, at=options.at, **look))


def _from_the_cell(shell: Any, error: BaseException, file: str) -> BaseException:
    """Make the traceback begin in the cell: what ran the cell is no news to the reader."""
    start = error.__traceback__
    while start is not None and start.tb_frame.f_code.co_filename != file:
        start = start.tb_next

    def rendered() -> list[str]:
        if start is None:  # such as a deadlock, which the loop itself reports
            return shell.InteractiveTB.get_exception_only(type(error), error)
        return shell.InteractiveTB.structured_traceback(type(error), error, start, tb_offset=0)

    if hasattr(error, "__dict__"):
        error._render_traceback_ = rendered
    return error.with_traceback(start)


def _show_group(shell: Any, kind: type, error: Any, traceback: Any, tb_offset: Any = None) -> Any:
    """Show an exception group as an error of its cell: IPython alone prints it, and forgets it."""
    lines = [f"{kind.__name__}: {error}"]
    for number, inner in enumerate(error.exceptions, 1):
        start = inner.__traceback__
        shown = shell.InteractiveTB.structured_traceback(type(inner), inner, start, tb_offset=0)
        lines += ["", f"{number} of {len(error.exceptions)}:", *shown]
    shell._showtraceback(kind, error, lines)
    return lines


# -- %xray ----------------------------------------------------------------------------------------


def _xray(shell: Any, line: str) -> Any:
    from ..pictures.xray import xray

    if not line.strip():
        raise _usage_error("%xray needs what to look into: a generator, a coroutine or a task")
    return xray(shell.ev(line))
