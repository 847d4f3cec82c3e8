"""What lessons 05 to 08, 12 and 13 run, in small: prints the order of events.

The time stands still while anything runs: the loop's own `time` and `_select` are replaced.
"""

import os
import socket

import asyncio_lessons as aio
from asyncio_lessons.demos import worker_queue
from asyncio_lessons.demos.echo_reverse import server

assert os.getcwd() in aio.__file__, "this is to run on the copy in the working folder"


class Loop(aio.EventLoop):
    """The event loop, on a time of its own."""

    now = 0.0

    def time(self):
        return self.now

    def _select(self, timeout):
        events = super()._select(0)
        if not events and timeout:
            self.now += timeout
        return events


def heading(title):
    print(f"-- {title}")


def callbacks(loop):
    future = loop.create_future()
    for name in "abc":
        future.add_done_callback(lambda future, name=name: print(name, future.result()))
    loop.call_soon(print, "a callback before")
    future.set_result(42)
    loop.call_soon(print, "a callback after")
    loop.call_soon(loop.stop)
    print("nothing has run yet")
    loop.run_forever()
    failed = loop.create_future()
    failed.set_exception(ValueError("failed"))
    for each in (future, failed):
        try:
            print(loop.run_until_complete(each))
        except ValueError as error:
            print(repr(error))


async def count(name, steps, pause):
    try:
        for step in range(steps):
            print(f"{aio.get_running_loop().time():.1f} {name} {step}")
            await aio.sleep(pause)
        return f"result of {name}"
    except aio.CancelledError as error:
        print(f"{name} is cancelled {error.args}")
        raise


async def tasks():
    first, second = (aio.create_task(count(name, 3, 0)) for name in ("first", "second"))
    third = aio.create_task(count("third", 9, 1), name="third")
    print(await second, await first, third.get_name(), len(aio.all_tasks()))
    third.cancel("enough")
    try:
        await third
    except aio.CancelledError:
        print(third.cancelled(), third.cancelling())
    not_begun = aio.create_task(count("never begun", 1, 1))
    not_begun.cancel()
    print(await aio.gather(not_begun, return_exceptions=True))


async def timers():
    loop = aio.get_running_loop()
    for delay in (3, 1, 2, 2, 0):
        loop.call_later(delay, lambda delay=delay: print(f"{loop.time():.1f} rings {delay}"))
    loop.call_later(1.5, print, "never").cancel()
    print(await aio.gather(*(count(f"sleeper {pause}", 2, pause) for pause in (2, 1))))
    try:
        await aio.wait_for(aio.sleep(9), 1)
    except TimeoutError:
        print(f"{loop.time():.1f} too long")


async def many_clients():
    async def answer(connection):
        with connection:
            while data := await loop.sock_recv(connection, 100):
                await loop.sock_sendall(connection, data.upper())

    async def serve():
        for _ in range(3):
            connection, _ = await loop.sock_accept(listener)
            answers.append(aio.create_task(answer(connection)))

    async def ask(number):
        with socket.socket() as client:
            client.setblocking(False)
            await loop.sock_connect(client, listener.getsockname())
            await loop.sock_sendall(client, b"client %d" % number)
            return await loop.sock_recv(client, 100)

    loop, answers = aio.get_running_loop(), []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        serving = aio.create_task(serve())
        print(await aio.gather(*map(ask, range(3))))
        await aio.gather(serving, *answers)


def ask_the_server():
    with server.running("lessons") as running:
        with socket.create_connection(running.address, timeout=10) as client:
            client.sendall(b"hello\n")
            return client.recv(100)


loops = []
heading("05: callbacks")
loop = Loop()
callbacks(loop)
loop.close()
for program in (tasks, timers, many_clients):
    heading(program.__name__)
    aio.run(program(), loop_factory=Loop)
heading("13: worker queue")
virtual = Loop()


def advance(seconds):
    virtual.now += seconds


program = worker_queue.program(aio, advance)
print(*worker_queue.order(aio.run(program, loop_factory=lambda: virtual)), sep="\n")
heading("12: echo reverse")
print(ask_the_server())
