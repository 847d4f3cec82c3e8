"""asyncio, built step by step: the same names, the same behaviour, in plain Python.

Each name is handed on from the module that builds it when it is first asked for, so that importing
the package costs next to nothing, and a fault in one module cannot break a lesson on another.
"""

from importlib import import_module

_BUILT_IN = {
    "generators": "Generator Double double",
    "delegation": "tunnel",
    "coroutines": "suspend drive round_robin",
    "futures": (
        "CancelledError InvalidStateError Future Handle isfuture wrap_future get_running_loop"
    ),
    "tasks": (
        "Task all_tasks create_eager_task_factory create_task current_task eager_task_factory "
        "ensure_future"
    ),
    "event_loop": "BaseEventLoop TimerHandle MonotonicClock VirtualClock Deadlock",
    "sockets": "EventLoop new_event_loop run_coroutine_threadsafe to_thread",
    "waiting": (
        "ALL_COMPLETED FIRST_COMPLETED FIRST_EXCEPTION Runner TaskGroup Timeout as_completed "
        "gather run shield sleep timeout timeout_at wait wait_for"
    ),
    "queues": "LifoQueue PriorityQueue Queue QueueEmpty QueueFull QueueShutDown",
    "locks": "Barrier BoundedSemaphore BrokenBarrierError Condition Event Lock Semaphore",
}
_MODULE_OF = {name: module for module, names in _BUILT_IN.items() for name in names.split()}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
