"""The same programs for Trio, Curio and tinyio, where they have something of the kind."""

import contextlib
from collections.abc import Callable
from typing import Any

with contextlib.suppress(Exception):
    import trio
with contextlib.suppress(Exception):
    import curio
with contextlib.suppress(Exception):
    import tinyio


def run_trio(main: Callable) -> Any:
    """Run an async function on Trio."""
    return trio.run(main)


def run_curio(main: Callable) -> Any:
    """Run an async function on Curio."""
    return curio.run(main)


def run_tinyio(main: Callable) -> Any:
    """Run a generator function on tinyio."""
    return tinyio.Loop().run(main())


# -- Trio ---------------------------------------------------------------------------------------


async def trio_switch():
    async def steps():
        for _ in range(200):
            await trio.lowlevel.cancel_shielded_checkpoint()

    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(steps)


async def trio_spawn_at_once():
    async def nothing():
        pass

    async with trio.open_nursery() as nursery:
        for _ in range(5_000):
            nursery.start_soon(nothing)


async def trio_spawn_in_batches():
    async def nothing():
        pass

    for _ in range(50):
        async with trio.open_nursery() as nursery:
            for _ in range(100):
                nursery.start_soon(nothing)


async def trio_timers():
    async def nap(n):
        await trio.sleep(1e-4 * (n % 10 + 1))

    for _ in range(4):
        async with trio.open_nursery() as nursery:
            for n in range(1_000):
                nursery.start_soon(nap, n)


async def trio_timeout():
    for _ in range(4_000):
        with trio.move_on_after(10):
            await trio.lowlevel.cancel_shielded_checkpoint()


async def trio_queue(pairs, items):
    sending, receiving = trio.open_memory_channel(10)

    async def put():
        for item in range(items):
            await sending.send(item)

    async def take():
        for _ in range(items):
            await receiving.receive()

    async with trio.open_nursery() as nursery:
        for _ in range(pairs):
            nursery.start_soon(put)
            nursery.start_soon(take)


async def trio_queue_few():
    await trio_queue(1, 8_000)


async def trio_queue_many():
    await trio_queue(50, 160)


async def trio_deep():
    async def down(n):
        if n:
            return await down(n - 1)
        for _ in range(50):
            await trio.lowlevel.cancel_shielded_checkpoint()

    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(down, 20)


# -- Curio --------------------------------------------------------------------------------------


async def curio_all(functions):
    async with curio.TaskGroup() as group:
        for function, *args in functions:
            await group.spawn(function, *args)


async def curio_switch():
    async def steps():
        for _ in range(200):
            await curio.sleep(0)

    await curio_all([(steps,)] * 100)


async def curio_spawn_at_once():
    async def nothing():
        pass

    await curio_all([(nothing,)] * 5_000)


async def curio_spawn_in_batches():
    async def nothing():
        pass

    for _ in range(50):
        await curio_all([(nothing,)] * 100)


async def curio_timers():
    async def nap(n):
        await curio.sleep(1e-4 * (n % 10 + 1))

    for _ in range(4):
        await curio_all([(nap, n) for n in range(1_000)])


async def curio_timeout():
    for _ in range(4_000):
        async with curio.timeout_after(10):
            await curio.sleep(0)


async def curio_queue(pairs, items):
    queue = curio.Queue(10)

    async def put():
        for item in range(items):
            await queue.put(item)

    async def take():
        for _ in range(items):
            await queue.get()

    await curio_all([(put,), (take,)] * pairs)


async def curio_queue_few():
    await curio_queue(1, 8_000)


async def curio_queue_many():
    await curio_queue(50, 160)


async def curio_deep():
    async def down(n):
        if n:
            return await down(n - 1)
        for _ in range(50):
            await curio.sleep(0)

    await curio_all([(down, 20)] * 100)


# -- tinyio: generators that yield what they wait for ----------------------------------------------


def tinyio_switch():
    def steps():
        for _ in range(200):
            yield

    yield [steps() for _ in range(100)]


def tinyio_spawn_at_once():
    def nothing():
        yield

    yield [nothing() for _ in range(5_000)]


def tinyio_spawn_in_batches():
    def nothing():
        yield

    for _ in range(50):
        yield [nothing() for _ in range(100)]


def tinyio_timers():
    def nap(n):
        yield tinyio.sleep(1e-4 * (n % 10 + 1))

    for _ in range(4):
        yield [nap(n) for n in range(1_000)]
