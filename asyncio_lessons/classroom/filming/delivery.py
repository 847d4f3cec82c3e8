"""A delivery: for how long `set_result` holds up the code that calls it (lesson 05)."""

from typing import Any

from ...annexes.clocks import VirtualClock
from .film import Film


def delivery(future: Any, loop: Any) -> Film:
    """Film a van that sets the result of `future`, and the customer, who is its callback.

    The van drives for a second before and after, the customer unpacks for two. loop: what has a
    method ``run()`` that runs the callbacks that are scheduled.
    """
    clock, spans = VirtualClock(), []

    def busy(name: str, seconds: float) -> None:
        start = clock.time()
        clock.advance(seconds)
        spans.append((name, "running", start, clock.time(), ""))

    future.add_done_callback(lambda _: busy("customer", 2))
    busy("van", 1)
    start = clock.time()
    future.set_result("parcel")
    spans.append(("van", "waiting", start, clock.time(), "set_result(...)"))
    busy("van", 1)
    loop.run()
    return Film.by_hand(spans)
