"""What one can do with the course from a terminal: ``python -m asyncio_lessons`` lists it."""

import argparse
import runpy
import sys
from pathlib import Path

PROGRAMS = {  # name: module, what it begins with, what it does
    "film": (
        "asyncio_lessons.film",
        [],
        "film an asyncio program as a page: film program.py -o film.html",
    ),
    "serve": (
        "asyncio_lessons.demos.echo_reverse",
        ["serve"],
        "serve the echo-reverse protocol of lesson 12",
    ),
    "send": (
        "asyncio_lessons.demos.echo_reverse",
        ["send"],
        'send a message to that server: send "Hello Server!"',
    ),
    "worker_queue": (
        "asyncio_lessons.demos.worker_queue",
        [],
        "run the worker queue of lesson 13, and draw it: --plot FILE.png",
    ),
}


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for; return the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in PROGRAMS:
        return _run(*PROGRAMS[arguments[0]][:2], arguments[1:])
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if "do" not in options:
        parser.print_help()
        return 0
    if rest and options.do is not _open:
        parser.error(f"not understood: {' '.join(rest)}")
    options.rest = rest
    return options.do(options)


def _parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m asyncio_lessons",
        description="A course in which you build asyncio yourself.",
    )
    top.add_argument("--version", action="version", version=_version())
    commands = top.add_subparsers(title="commands", metavar="COMMAND")
    for name, do, text in (
        ("open", _open, "open the course in JupyterLab; other options go to JupyterLab"),
        ("update", _update, "bring the newest lessons into your copy; your answers stay"),
        ("check", _check, "check an answer to an exercise: check futures answer.py"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(do=do)
        if do is _check:
            command.add_argument("exercise", help="its name, as in %%%%exercise NAME")
            command.add_argument("file", type=Path, help="a Python file with your code")
        else:
            command.add_argument("--folder", type=Path, metavar="DIR", help="where your copy is")
    for name, (_, _, text) in PROGRAMS.items():
        commands.add_parser(name, help=text)
    return top


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("asyncio-lessons")
    except PackageNotFoundError:
        return "not installed"


def _run(module: str, start: list[str], arguments: list[str]) -> int:
    """Run a program of the course as ``python -m`` does."""
    sys.argv = [module, *start, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    return 0


def _open(options: argparse.Namespace) -> int:
    from .opening.lab import open_course

    return open_course(options.folder, options.rest)


def _update(options: argparse.Namespace) -> int:
    from .opening.lessons import bring, place

    folder = options.folder or place()
    try:
        said = bring(folder)
    except OSError as error:
        print(f"{folder} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    print(*(said or [f"The lessons in {folder} are the newest."]), sep="\n")
    return 0


def _check(options: argparse.Namespace) -> int:
    from .classroom.checking.catalog import UnknownExercise, names
    from .classroom.checking.engine import PASSED, check

    try:
        code = options.file.read_text(encoding="utf-8")
        report = check(options.exercise, code, keep=False)
    except (OSError, UnicodeDecodeError) as error:
        print(f"{options.file} cannot be read: {error}", file=sys.stderr)
        return 2
    except UnknownExercise:
        sentence = f"There is no exercise {options.exercise!r}: one of {', '.join(names())}."
        print(sentence, file=sys.stderr)
        return 2
    print(report)
    return int(report.status != PASSED)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
