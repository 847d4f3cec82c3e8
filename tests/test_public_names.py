"""The names are asyncio's, and each has a test that compares it with asyncio."""

from __future__ import annotations

import asyncio
import importlib
import re
import sys
from pathlib import Path

import pytest
from same import aio

# What asyncio has not, or keeps in a module of its own: the steps before a loop, and the clocks.
OURS = """
    Generator Double double tunnel suspend drive round_robin
    BaseEventLoop VirtualClock MonotonicClock Deadlock
""".split()
SINCE_3_12 = "eager_task_factory create_eager_task_factory".split()
SINCE_3_13 = ["QueueShutDown", "EventLoop"]
CLASSES = """
    Future Task EventLoop Handle TimerHandle Timeout TaskGroup Runner Queue PriorityQueue LifoQueue
    Lock Event Condition Semaphore BoundedSemaphore Barrier
""".split()


def methods(name: str) -> list[str]:
    return [each for each in dir(getattr(aio, name)) if not each.startswith("_")]


def test_the_names_are_asyncio_s() -> None:
    missing = {name for name in aio.__all__ if not hasattr(asyncio, name)}
    assert missing <= {*OURS, *SINCE_3_12, *SINCE_3_13}
    assert {*OURS} <= {*aio.__all__}


@pytest.mark.parametrize("name", CLASSES)
def test_the_methods_are_asyncio_s(name: str) -> None:
    theirs = asyncio.SelectorEventLoop if name == "EventLoop" else getattr(asyncio, name)
    ours = set(methods(name))
    later = {"get_context": (3, 12), "shutdown": (3, 13)}  # handles and queues have them since then
    assert ours - set(dir(theirs)) - {"slow_callback_duration"} <= {
        each for each, since in later.items() if sys.version_info < since
    }


def test_each_public_name_is_in_a_test(root: Path) -> None:
    compared = [
        text
        for path in (root / "tests").glob("test_*.py")
        if "\nfrom same import" in (text := path.read_text(encoding="utf-8"))
        and path.name != Path(__file__).name
    ]
    used = set(re.findall(r"\w+", "\n".join(compared)))
    assert {*aio.__all__} - used == set()
    assert {each for name in CLASSES for each in methods(name)} - used == set()


@pytest.mark.parametrize("name", aio.__all__)
def test_a_name_is_handed_on_from_the_module_that_builds_it(name: str) -> None:
    thing = getattr(aio, name)
    module = getattr(thing, "__module__", None)
    if module and module.startswith(f"{aio.__name__}."):
        assert getattr(importlib.import_module(module), name) is thing


def test_a_name_there_is_not() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'StreamReader'"):
        getattr(aio, "StreamReader")  # noqa: B009
