"""The time axis: even, but where much happens in one moment it is drawn wide.

On a clock that is read once a turn, and for the eye on any clock, a whole chain of steps happens at
one instant. Each of them gets a width of its own; what follows moves to the right, in every film
of the picture alike, so that the same time has the same place.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate

THIN = 2.0  # points: the least width of a step that stands alone
WIDE = 9.0  # of one that stands among others, where there is room
NEAR = 3.0  # between steps that are not alone
MODEST, MOST = 0.22, 0.5  # of the axis: from where on moments get less room, and the most of all
_SAME = 1e-10  # seconds: what is one time in two films


class Scale:
    """Where a time stands between `left` and `right`, in points.

    steps: for each film (start, end) of its steps, in order; duration: of the longest, in seconds.
    `moments` are the places (x0, x1) that are drawn wider than they last.
    """

    def __init__(
        self,
        steps: Sequence[Sequence[tuple[float, float]]],
        duration: float,
        left: float,
        right: float,
    ) -> None:
        self._left, room = left, right - left
        even = room / duration
        self.widths = [_widths(film, even) for film in steps]
        for share, least in ((MODEST, THIN), (MOST, 0.0)):
            taken = sum(_extras(steps, self.widths, even).values())
            if taken > share * room:
                scale = share * room / taken
                self.widths = [
                    [max(width * scale, min(width, least)) for width in film]
                    for film in self.widths
                ]
        self.each = even
        for _ in range(30):  # what is wide takes room from the rest, which makes more of it short
            extras = _extras(steps, self.widths, self.each)
            self.each = max(room - sum(extras.values()), 0.3 * room) / duration
        self._times = sorted(extras)
        self._sums = [0.0, *accumulate(extras[time] for time in self._times)]
        self.moments = list(self._moments(extras))

    def x(self, time: float) -> float:
        """Return where a time begins."""
        return self._left + self.each * time + self._sums[bisect_left(self._times, time - _SAME)]

    def after(self, time: float) -> float:
        """Return where all that happens at a time has its end."""
        return self._left + self.each * time + self._sums[bisect_right(self._times, time + _SAME)]

    def _moments(self, extras: dict[float, float]) -> Iterable[tuple[float, float]]:
        begin = end = None
        for time in self._times:
            x0, x1 = self.x(time), self.after(time)
            if begin is not None and x0 - end > NEAR:
                yield begin, end
                begin = None
            begin, end = (x0 if begin is None else begin), x1
        if begin is not None:
            yield begin, end


def _widths(steps: Sequence[tuple[float, float]], even: float) -> list[float]:
    """Return the least width of each step of a film."""
    widths = [THIN] * len(steps)
    for number, ((_, end), (start, _)) in enumerate(zip(steps, steps[1:], strict=False)):
        if (start - end) * even < NEAR:
            widths[number] = widths[number + 1] = WIDE
    return widths


def _extras(
    steps: Sequence[Sequence[tuple[float, float]]], widths: list[list[float]], each: float
) -> dict[float, float]:
    """Return by how many points each moment is too short for the steps that begin in it."""
    most: dict[float, float] = defaultdict(float)
    for film, film_widths in zip(steps, widths, strict=True):
        sums: dict[float, float] = defaultdict(float)
        for (start, end), width in zip(film, film_widths, strict=True):
            missing = width - each * (end - start)
            if missing > 0:
                sums[round(start, 9)] += missing
        for time, missing in sums.items():
            most[time] = max(most[time], missing)
    return most
