"""The schedule lab: run a program in the orders it allows, and not only in the one it usually has.

A loop runs what is ready in the order in which it became ready. A program must not depend on that:
a timer a little later, a faster server, another loop, and the order is another one. Here a seed
shuffles the ready queue in each turn. The clock is virtual, so a seed gives the same run each time:

    lost = [seed for seed in range(200) if play(main(), seed) != 30]
    draw(film(main(), lost[0]))          # what happened, as often as you like

All of it also works on another package of the same names, such as the reader's.
"""

import random
from collections.abc import Callable, Coroutine
from types import ModuleType
from typing import Any

import asyncio_lessons

from .film import Film
from .recorder import Recorder


def shuffled(seed: int, package: ModuleType = asyncio_lessons) -> Callable[[], Any]:
    """Return a loop factory: the loops of `package`, each with its ready queue shuffled by `seed`.

    seed: any number; the same seed gives the same run. The clock of these loops is virtual.
    """

    class ShuffledLoop(package.EventLoop):
        """Runs what is ready in any order, as its dice say; turns stay turns."""

        def __init__(self) -> None:
            super().__init__(clock=package.VirtualClock())
            self._dice = random.Random(seed)

        def _run_once(self) -> None:
            self._dice.shuffle(self._ready)
            super()._run_once()

        def _ring_timers(self) -> None:
            super()._ring_timers()
            self._dice.shuffle(self._ready)  # timers that ring together are in no order either

    return ShuffledLoop


def play(main: Coroutine, seed: int, package: ModuleType = asyncio_lessons) -> Any:
    """Run a coroutine in the order of `seed`; return its result, or raise what it raises."""
    return package.run(main, loop_factory=shuffled(seed, package))


def film(main: Coroutine, seed: int, package: ModuleType = asyncio_lessons) -> Film:
    """Run a coroutine in the order of `seed` and return the film of it, as `record` does."""
    recorders: list[Recorder] = []

    def filmed_loop() -> Any:
        loop = shuffled(seed, package)()
        recorders.append(Recorder(loop).start())
        return loop

    try:
        result = package.run(main, loop_factory=filmed_loop)
    finally:
        films = [recorder.stop() for recorder in recorders]
    films[0].result = result
    return films[0]
