"""asyncio, built step by step: the same names, the same behaviour, in plain Python.

Each name is handed on from the module that builds it when it is first asked for, so that importing
the package costs next to nothing, and an error in one module cannot break a lesson on another.
What the `annexes` add to is handed on from there: from `speed`, or without it from `whole`, or,
where there are no annexes, as the heart has it.
"""

from importlib import import_module
from importlib.util import find_spec

_BUILT_IN = {
    "generators": "Generator Double double",
    "delegation": "tunnel",
    "coroutines": "suspend drive round_robin",
    "futures": "CancelledError InvalidStateError Future Handle isfuture get_running_loop",
    "tasks": "Task all_tasks create_task current_task ensure_future",
    "event_loop": "BaseEventLoop TimerHandle",
    "sockets": "EventLoop",
    "waiting": (
        "ALL_COMPLETED FIRST_COMPLETED FIRST_EXCEPTION TaskGroup Timeout "
        "gather new_event_loop run shield sleep timeout timeout_at wait wait_for"
    ),
    "queues": "LifoQueue PriorityQueue Queue QueueEmpty QueueFull QueueShutDown",
    "locks": "Barrier BoundedSemaphore BrokenBarrierError Condition Event Lock Semaphore",
}
_IN_AN_ANNEX = {  # where these are there, their names replace those above
    "as_completed": "as_completed",
    "clocks": "MonotonicClock VirtualClock",
    "factories": "create_eager_task_factory eager_task_factory",
    "reports": "Deadlock",
    "runner": "Runner run",
    "threads": "run_coroutine_threadsafe to_thread wrap_future",
    "timers": "TimerHandle",
    "whole": "BaseEventLoop EventLoop Future Task",
    "speed": "BaseEventLoop EventLoop Future Handle Task TimerHandle create_task sleep",
}


def _homes() -> dict[str, str]:
    homes = {name: module for module, names in _BUILT_IN.items() for name in names.split()}
    if find_spec(f"{__name__}.annexes"):
        for module, names in _IN_AN_ANNEX.items():
            if find_spec(f"{__name__}.annexes.{module}"):
                homes |= dict.fromkeys(names.split(), f"annexes.{module}")
    return homes


_MODULE_OF = _homes()
__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
