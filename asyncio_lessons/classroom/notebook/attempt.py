"""Print what came of a call, and what Python warned of, as lines without paths."""

import gc
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
