"""What a reader asks for besides a check: the stub, a hint, the solution."""

from pathlib import Path

from ..checking import graft
from ..checking.catalog import find

_PACKAGE = Path(__file__).parents[2]
_shown: dict[str, int] = {}  # how many hints of each exercise this kernel has shown


def stub(name: str) -> str:
    """Return the cell an exercise starts from, its first line ``%%exercise name`` included."""
    return f"%%exercise {name}\n{find(name).stub.strip()}"


def solution(name: str) -> str:
    """Return the cell that solves an exercise: the package's own code, where it is part of it."""
    return f"%%exercise {name}\n{answer(name).strip()}"


def answer(name: str) -> str:
    """Return the code of the solution, without the magic's line."""
    exercise = find(name)
    if exercise.solution:
        return exercise.solution.strip("\n") + "\n"
    source = (_PACKAGE / f"{exercise.module}.py").read_text(encoding="utf-8")
    return graft.extract(source, exercise.builds + exercise.also)


def hint(name: str, steps: int | None = None) -> str:
    """Return the hints of an exercise as far as they were asked for: each call shows one more.

    steps: how many of the three, instead of one more.
    """
    hints = find(name).hints
    count = _shown.get(name, 0) + 1 if steps is None else steps
    _shown[name] = count = min(max(count, 1), len(hints))
    lines = [f"Hint {n} of {len(hints)}: {text}" for n, text in enumerate(hints[:count], 1)]
    after = f"%hint {name}" if count < len(hints) else f"%solution {name}"
    return "\n".join([*lines, f"More: {after}"])
