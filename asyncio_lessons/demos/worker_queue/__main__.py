"""The worker queue as a program: prints its schedule, and draws it.

python -m asyncio_lessons.demos.worker_queue --plot schedule.png
"""

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from . import LOOPS, Event, loop_and_package, one_after_another, program, run, schedule


class Parser(argparse.ArgumentParser):
    """A parser that answers a mistake with one sentence."""

    def error(self, message: str) -> NoReturn:
        fail(f"{message} (--help tells more)")


def fail(sentence: str) -> NoReturn:
    """Say what is wrong, and end with status 2."""
    print(f"worker_queue: {sentence}", file=sys.stderr)
    sys.exit(2)


def count(most: int):
    """Return a type for argparse: a whole number from 1 to `most`."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"give a number from 1 to {most}, not {text!r}")
        return int(text)

    return parse


def picture(text: str) -> Path:
    """Return the path of a picture that can be written."""
    path = Path(text)
    if path.suffix not in {".png", ".svg"}:
        raise argparse.ArgumentTypeError(f"the file's name ends in .png or .svg, not as {text!r}")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {str(path.parent)!r}")
    return path


def parser() -> Parser:
    """Return the parser of the command line."""
    top = Parser(prog="worker_queue", description="Ten jobs, three workers, one thread.")
    top.add_argument("--loop", default="lessons", help=f"one of {', '.join(LOOPS)}")
    top.add_argument("--real", action="store_true", help="real time, also on the loop lessons")
    top.add_argument("--jobs", type=count(1000), default=10)
    top.add_argument("--workers", type=count(100), default=3)
    top.add_argument("--plot", type=picture, metavar="FILE", help="draw it: FILE.png or FILE.svg")
    top.add_argument("--theme", choices=("light", "dark"), default="light", help="of the picture")
    top.add_argument(
        "--package", default="asyncio_lessons", help="what loop lessons is from, e.g. my_asyncio"
    )
    return top


def filmed(options: argparse.Namespace) -> list[Event]:
    """Run the program while it is filmed, write the picture, return what happened."""
    from ...classroom import draw, record, work

    aio, _ = loop_and_package(options.loop, options.package)
    loop = aio if options.loop == "lessons" else options.loop
    virtual = loop is aio and not options.real
    film = record(program(aio, work, options.jobs, options.workers), loop=loop, virtual=virtual)
    title = f"{numbered(options.workers, 'worker')}, {numbered(options.jobs, 'job')}, one thread"
    note = "The loop runs one task at a time (top lane). All other tasks wait, or are ready. "
    note += summary(film.result, options)
    draw(film, title=title, note=note, theme=options.theme).save(options.plot)
    return film.result


def summary(events: list[Event], options: argparse.Namespace) -> str:
    """Say how long it took, and how long it would have taken one worker."""
    alone = one_after_another(options.jobs)
    took = f"{numbered(options.jobs, 'job')} in {events[-1].time:.2f} s"
    return f"{took}; one after another: {alone:.2f} s."


def numbered(number: int, noun: str) -> str:
    """Return "1 job", "2 jobs"."""
    return f"{number} {noun}{'s' * (number != 1)}"


def main() -> None:
    """Run the program."""
    options = parser().parse_args()
    try:
        if options.plot:
            events = filmed(options)
        else:
            events = run(
                options.loop,
                real=options.real,
                jobs=options.jobs,
                workers=options.workers,
                package=options.package,
            )
    except ValueError as error:
        fail(str(error))
    except ModuleNotFoundError as error:
        fail(f"--plot needs {error.name}, which is not installed: pip install matplotlib")
    except OSError as error:
        fail(f"cannot write {error.filename}: {error.strerror}")
    print(schedule(events))
    print(summary(events, options))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
