"""asyncio, built step by step: the same names, the same behaviour, in plain Python.

Each name is handed on from the module that builds it when it is first asked for, so that importing
the package costs next to nothing, and an error in one module cannot break a lesson on another.
What the `annexes` add to is handed on from there: from `speed`, or without it from `whole`, or,
where there are no annexes, as the heart has it.
"""

from importlib import import_module

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
_IN_AN_ANNEX = {  # where these are there, their names replace those above; the last one first
    "as_completed": "as_completed",
    "clocks": "MonotonicClock VirtualClock",
    "factories": "create_eager_task_factory eager_task_factory",
    "guards": "TimerHandle",
    "reports": "Deadlock",
    "runner": "Runner run",
    "threads": "run_coroutine_threadsafe to_thread wrap_future",
    "whole": "BaseEventLoop EventLoop Future Task",
    "speed.tasks": "Future Handle Task TimerHandle create_task sleep",
    "speed.loops": "BaseEventLoop EventLoop",
    "speed.gather": "gather",
}
_HOMES: dict[str, list[str]] = {}  # name -> the modules that may have it, the outermost first
for _module, _names in (_BUILT_IN | {f"annexes.{m}": n for m, n in _IN_AN_ANNEX.items()}).items():
    for _name in _names.split():
        _HOMES.setdefault(_name, []).insert(0, _module)

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    for module in _HOMES.get(name, ()):
        try:
            home = import_module(f".{module}", __name__)
        except ModuleNotFoundError as error:
            if not f"{__name__}.{module}".startswith(str(error.name)):
                raise
        else:
            value = globals()[name] = getattr(home, name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
