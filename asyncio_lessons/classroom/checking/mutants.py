"""Measure the checks of the exercises: how many small mistakes do they notice?

``python -m asyncio_lessons.classroom.checking.mutants [EXERCISE...]`` changes each solution in
every way that `mutate` knows, runs every mutant through the exercise's own checks, and lists those
that pass. ``survivors.toml`` holds the ones that may: most do what the solution does, and each
entry says why. It ends with an error if another one survives, or if fewer than `OWED` of the
mutants that change what the code does are refused.
"""

import argparse
import os
import sys
import tomllib
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

from .. import workshop
from . import copied, engine, graft, process
from .catalog import find, names
from .mutate import Mutant, mutants
from .report import PASSED

OWED = 0.97
SURVIVORS = Path(__file__).with_name("survivors.toml")


def mutants_of(name: str) -> list[Mutant]:
    """Return the mutants of the solution of an exercise: of the names it builds, nothing else."""
    exercise = find(name)
    source = exercise.solution
    if not source:
        source = graft.extract(_course()[exercise.module], exercise.builds)
    return mutants(source, exercise.builds)


@dataclass(frozen=True)
class Survivor:
    """A mutant that may pass: `reason` says why; `same` where it does what the solution does."""

    change: str
    reason: str
    same: bool = True


def accepted(name: str) -> dict[str, Survivor]:
    """Return the mutants of an exercise that may survive, by what they change."""
    held = tomllib.loads(SURVIVORS.read_text(encoding="utf-8")).get(name, [])
    return {each["change"]: Survivor(**each) for each in held}


@dataclass
class Tally:
    """What became of the mutants of one exercise, or of all."""

    made: int = 0
    refused: int = 0
    same: int = 0  # survived, and does what the solution does
    known: int = 0  # survived although it does something else; the list says why
    new: list[str] = field(default_factory=list)  # survived, and stands in no list

    def count(self, mutant: Mutant, passed: bool, known: dict[str, Survivor]) -> None:
        """Add the fate of one mutant."""
        self.made += 1
        if not passed:
            self.refused += 1
        elif mutant.what not in known:
            self.new.append(mutant.what)
        elif known[mutant.what].same:
            self.same += 1
        else:
            self.known += 1

    def add(self, other: "Tally") -> None:
        """Add what another tally has counted."""
        self.made += other.made
        self.refused += other.refused
        self.same += other.same
        self.known += other.known
        self.new += other.new

    @property
    def share(self) -> float:
        """How many of the mutants that do something else are refused, from 0 to 1."""
        return self.refused / ((self.made - self.same) or 1)

    def __str__(self) -> str:
        fates = f"{self.refused} refused, {self.same} the same, {self.known} known"
        return f"{self.made} mutants: {fates}, {len(self.new)} new; {self.share:.1%}"


def tallies(jobs: Iterable[tuple[str, Mutant]], progress: bool = False) -> dict[str, Tally]:
    """Check mutants, as many at a time as there are cores; return a tally for each exercise.

    jobs: pairs of an exercise's name and a mutant of its solution; progress: show a bar on stderr.
    """
    jobs = list(jobs)
    result = {name: Tally() for name, _ in jobs}
    known = {name: accepted(name) for name in result}
    fates = zip(jobs, _passed(jobs), strict=True)
    for (name, mutant), passed in _shown(fates, len(jobs)) if progress else fates:
        result[name].count(mutant, passed, known[name])
    return result


def _shown(fates: Iterable, count: int) -> Iterable:
    from rich.console import Console
    from rich.progress import track

    return track(fates, "mutants", count, console=Console(stderr=True), transient=True)


def _passed(jobs: list[tuple[str, Mutant]]) -> Iterator[bool]:
    spawn = get_context("spawn")  # a clean process, from which `_Copy` can fork
    with ProcessPoolExecutor(os.cpu_count(), spawn, _prepare) as pool:
        yield from pool.map(_passes, *zip(*jobs, strict=True), chunksize=4)


def _passes(name: str, mutant: Mutant) -> bool:
    start = copied.Copy if hasattr(os, "fork") else process.start_python
    return engine.examine(find(name), mutant.code, _course(), start).status == PASSED


@lru_cache(1)
def _course() -> dict[str, str]:
    return workshop.course_texts()


def _prepare() -> None:
    """Import once what every check needs, so that a copy of this process has it."""
    copied.prepare()
    engine.examine(find("sleep"), graft.extract(_course()["waiting"], ("sleep",)), _course())


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(arguments)
    jobs = [(name, m) for name in options.exercise or names() for m in mutants_of(name)]
    result, total = tallies(jobs, progress=True), Tally()
    for name, tally in result.items():
        print(f"{name:20}{tally}")
        for what in tally.new:
            print(f"    survives: {what}")
        total.add(tally)
    print(f"{'in all':20}{total}; owed {OWED:.0%}")
    return int(bool(total.new) or total.share < OWED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m asyncio_lessons.classroom.checking.mutants",
        description="Change each solution in small ways, and list the changes no check notices.",
    )
    parser.add_argument("exercise", nargs="*", help="which exercises; all unless given")
    return parser


if __name__ == "__main__":
    sys.exit(main())
