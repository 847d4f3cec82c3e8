"""What came of a call, what Python warned of, what a call cost: for cells that would be long."""

import gc
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple


def attempt(call: Callable[..., Any], *args: Any) -> None:
    """Call it, and print in one line what it returned or raised."""
    try:
        print("returned:", call(*args))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a cancellation too: it is no Exception
        print(f"{type(error).__name__}: {error}".rstrip(": "))


@contextmanager
def printed_warnings() -> Iterator[None]:
    """Print each warning that the block causes, also when what it made is thrown away."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
        gc.collect()
    for warning in caught:
        print(f"{warning.category.__name__}: {warning.message}")


def cpu_seconds(call: Callable[..., Any], *args: Any) -> float:
    """Call it, and return for how many seconds its thread kept the CPU busy."""
    clock = getattr(time, "thread_time", time.process_time)  # a browser has only the second
    start = clock()
    call(*args)
    return clock() - start


def resumptions(function: Callable[..., Any], call: Callable[..., Any], *args: Any) -> int:
    """Call it, and return how often a frame of `function` was entered or resumed meanwhile."""
    count = 0

    def look(frame: FrameType, event: str, _: Any) -> None:
        nonlocal count
        count += event == "call" and frame.f_code is function.__code__

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        call(*args)
    finally:
        sys.setprofile(before)
    return count


class Cost(NamedTuple):
    """What a call returned, and what it took."""

    result: Any
    wall: float  # seconds on the clock on the wall
    cpu: float  # seconds for which the CPU worked for this program


def cost(call: Callable[..., Any], *args: Any) -> Cost:
    """Call it, and return its result with the time that passed and the CPU time of all threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = call(*args)
    return Cost(result, time.perf_counter() - wall, time.process_time() - cpu)
