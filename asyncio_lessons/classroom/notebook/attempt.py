"""What came of a call, what Python warned of, what a call cost: for cells that would be long."""

import gc
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


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
