"""Other people's programs on our loop: each runs on asyncio's and on ours, and says the same."""

import asyncio
import contextlib
import gc
import logging
import os
import re
import signal
import socket
import ssl
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asyncio_lessons.bridge import AsyncioEventLoop, asyncio_loop_of, outside_the_running_loop

HOST = "127.0.0.1"
not_on_windows = pytest.mark.skipif(sys.platform == "win32", reason="Windows has none of these")


def run(program: Callable, loop_factory: Callable | None) -> list:
    log: list = []
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: log.append(context["message"]))
        runner.run(program(log.append))
    return log


def same(program: Callable) -> list:
    """Run a program on both loops, see that the logs are the same, and return the log."""
    ours = run(program, AsyncioEventLoop)
    assert ours == run(program, None)
    return ours


def port_of(server: Any) -> int:
    return server.sockets[0].getsockname()[1]


async def reverse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line[::-1])
        await writer.drain()
    writer.close()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message: bytes) -> bytes:
    writer.write(message)
    writer.write_eof() if writer.can_write_eof() else None
    answer = await reader.readexactly(len(message))
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return answer


def test_it_is_an_asyncio_loop_with_our_heart() -> None:
    assert issubclass(AsyncioEventLoop, asyncio.AbstractEventLoop)
    modules = {
        name: getattr(AsyncioEventLoop, name).__module__
        for name in "_run_once call_soon call_at _select _process_events sock_recv time".split()
    }
    assert {module.partition(".")[0] for module in modules.values()} == {"asyncio_lessons"}


def test_asyncio_knows_our_tasks() -> None:
    async def program(log):
        task = asyncio.current_task()
        task.set_name("main")
        other = asyncio.create_task(asyncio.sleep(9), name="other")
        log(sorted(each.get_name() for each in asyncio.all_tasks()))
        await asyncio.sleep(0)
        log(asyncio.current_task() is task)
        log(isinstance(other, asyncio.Future) or asyncio.isfuture(other))
        other.cancel("enough")
        try:
            await other
        except asyncio.CancelledError as error:
            log(error.args)

    assert same(program) == [["main", "other"], True, True, ("enough",)]


def test_what_is_raised_is_what_asyncio_raises() -> None:
    async def program(log):
        future = asyncio.get_running_loop().create_future()
        for ask_too_early in (future.result, future.exception):
            with pytest.raises(asyncio.InvalidStateError) as caught:
                ask_too_early()
            log(str(caught.value))
        future.cancel("no")
        with pytest.raises(asyncio.CancelledError) as caught:
            await future
        log(caught.value.args)

        async def refuses():
            try:
                await asyncio.sleep(9)
            except asyncio.CancelledError:
                return "refused"

        task = asyncio.create_task(refuses())
        await asyncio.sleep(0)
        task.cancel()
        log(await task)

    same(program)


def test_the_standard_ways_to_wait() -> None:
    async def program(log):
        async def after(delay, result):
            await asyncio.sleep(delay)
            log(result)
            return result

        log(await asyncio.gather(after(0.15, "b"), after(0.01, "a")))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await after(9, "never")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(after(9, "never"), 0.01)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(after(9, "never"))
                raise KeyError("stop")
        except* KeyError as errors:
            log(len(errors.exceptions))
        for done in asyncio.as_completed([after(0.15, 2), after(0.01, 1)]):
            log(await done)
        done, pending = await asyncio.wait(
            [asyncio.create_task(after(delay, delay)) for delay in (0.01, 0.15)],
            return_when=asyncio.FIRST_COMPLETED,
        )
        log((len(done), len(pending)))
        shielded = asyncio.shield(pending.pop())
        shielded.cancel()
        await asyncio.sleep(0.3)

    same(program)


def test_the_standard_queues_and_locks() -> None:
    async def program(log):
        queue, lock, event = asyncio.Queue(2), asyncio.Lock(), asyncio.Event()

        async def worker(name):
            while True:
                item = await queue.get()
                async with lock:
                    await asyncio.sleep(0)
                    log((name, item))
                queue.task_done()
                event.set()

        workers = [asyncio.create_task(worker(name)) for name in "ab"]
        for item in range(5):
            await queue.put(item)
        await queue.join()
        log(await event.wait())
        for task in workers:
            task.cancel()
        log([type(end).__name__ for end in await asyncio.gather(*workers, return_exceptions=True)])

    same(program)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
def test_eager_tasks_inside_a_task() -> None:
    async def program(log):
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        asyncio.current_task().set_name("main")

        async def body():
            log(asyncio.current_task().get_name() != "main")
            await asyncio.sleep(0)
            log("end")

        task = asyncio.create_task(body())
        log(asyncio.current_task().get_name())
        await task

    assert same(program) == [True, "main", "end"]


def test_streams() -> None:
    async def program(log):
        async with await asyncio.start_server(reverse, HOST, 0) as server:
            log(await ask(*await asyncio.open_connection(HOST, port_of(server)), b"Hello\n"))
            big = b"x" * 3_000_000 + b"\n"
            connection = await asyncio.open_connection(HOST, port_of(server), limit=2**23)
            log(await ask(*connection, b"short\n") and len(big))

    assert same(program)[0] == b"\nolleH"


@pytest.fixture(scope="module")
def tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    import trustme

    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


def test_streams_over_tls(tls: tuple) -> None:
    for_server, for_client = tls

    async def program(log):
        async with await asyncio.start_server(reverse, HOST, 0, ssl=for_server) as server:
            options = {"ssl": for_client, "server_hostname": "localhost"}
            reader, writer = await asyncio.open_connection(HOST, port_of(server), **options)
            log(await ask(reader, writer, b"secret\n"))
            options["server_hostname"] = "elsewhere"
            with pytest.raises(ssl.SSLCertVerificationError):
                await asyncio.open_connection(HOST, port_of(server), **options)

    assert b"\nterces" in same(program)


@not_on_windows
def test_unix_sockets_and_pipes() -> None:
    async def program(log):
        loop = asyncio.get_running_loop()
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder, "socket"))
            async with await asyncio.start_unix_server(reverse, path):
                log(await ask(*await asyncio.open_unix_connection(path), b"local\n"))
        out, into = os.pipe()
        reader = asyncio.StreamReader()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(out, "rb")
        )
        writing, _ = await loop.connect_write_pipe(asyncio.Protocol, os.fdopen(into, "wb"))
        writing.write(b"through a pipe\n")
        log(await reader.readline())
        writing.close()
        log(await reader.read())
        transport.close()

    assert same(program) == [b"\nlacol", b"through a pipe\n", b""]


def test_datagrams() -> None:
    class Answer(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, address):
            self.transport.sendto(data[::-1], address)

    class Ask(asyncio.DatagramProtocol):
        def __init__(self, answer):
            self.answer = answer

        def datagram_received(self, data, address):
            self.answer.set_result(data)

    async def program(log):
        loop = asyncio.get_running_loop()
        server, _ = await loop.create_datagram_endpoint(Answer, local_addr=(HOST, 0))
        answer = loop.create_future()
        client, _ = await loop.create_datagram_endpoint(
            lambda: Ask(answer), remote_addr=server.get_extra_info("sockname")
        )
        client.sendto(b"udp")
        log(await asyncio.wait_for(answer, 5))
        client.close()
        server.close()
        await asyncio.sleep(0)

    assert same(program) == [b"pdu"]


def test_sockets_as_coroutines() -> None:
    async def program(log):
        loop = asyncio.get_running_loop()
        with socket.create_server((HOST, 0)) as listener, socket.socket() as client:
            listener.setblocking(False)
            client.setblocking(False)
            accepting = asyncio.create_task(loop.sock_accept(listener))
            await loop.sock_connect(client, ("localhost", listener.getsockname()[1]))
            server, _ = await accepting
            with server:
                await loop.sock_sendall(client, b"abcdef")
                log(await loop.sock_recv(server, 3))
                rest = bytearray(9)
                log((await loop.sock_recv_into(server, rest), bytes(rest[:3])))
        log([info[4] for info in await loop.getaddrinfo(HOST, 80, type=socket.SOCK_STREAM)])

    assert same(program)[:2] == [b"abc", (3, b"def")]


def test_threads() -> None:
    async def program(log):
        loop = asyncio.get_running_loop()
        log(await asyncio.to_thread(sum, [1, 2]))
        log(await loop.run_in_executor(None, len, "four"))

        def from_a_thread():
            return asyncio.run_coroutine_threadsafe(asyncio.sleep(0, "there"), loop).result(5)

        log(await asyncio.to_thread(from_a_thread))

    assert same(program) == [3, 4, "there"]


@not_on_windows
def test_signals() -> None:
    async def program(log):
        loop = asyncio.get_running_loop()
        heard = loop.create_future()
        loop.add_signal_handler(signal.SIGUSR1, heard.set_result, "heard")
        os.kill(os.getpid(), signal.SIGUSR1)
        log(await heard)
        log(loop.remove_signal_handler(signal.SIGUSR1))

    assert same(program) == ["heard", True]


@not_on_windows
def test_child_processes() -> None:
    async def program(log):
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "print(input()[::-1])", stdin=pipe, stdout=pipe
        )
        log((await asyncio.wait_for(child.communicate(b"child\n"), 20))[0].split())
        log(child.returncode)
        shell = await asyncio.create_subprocess_shell("exit 3")
        log(await asyncio.wait_for(shell.wait(), 20))

    assert same(program) == [[b"dlihc"], 0, 3]


def test_websockets() -> None:
    websockets = pytest.importorskip("websockets")

    async def view_log(connection):
        for line in ("start", "work", "stop"):
            await connection.send(line)

    async def program(log):
        async with websockets.serve(view_log, HOST, 0) as server:
            async with websockets.connect(f"ws://{HOST}:{port_of(server)}") as client:
                async for line in client:
                    log(line)

    assert same(program) == ["start", "work", "stop"]


def test_aiohttp() -> None:
    aiohttp = pytest.importorskip("aiohttp")
    from aiohttp import web

    async def hello(request):
        return web.json_response({"hello": request.match_info["name"]})

    async def program(log):
        app = web.Application()
        app.add_routes([web.get("/{name}", hello)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, HOST, 0).start()
        async with aiohttp.ClientSession() as session:
            where = f"http://{HOST}:{runner.addresses[0][1]}"
            pages = [session.get(f"{where}/{name}") for name in ("you", "me")]
            for page in await asyncio.gather(*pages):
                log(await page.json())
        await runner.cleanup()

    assert same(program) == [{"hello": "you"}, {"hello": "me"}]


def test_anyio() -> None:
    anyio = pytest.importorskip("anyio")

    async def program(log):
        sending, receiving = anyio.create_memory_object_stream(1)

        async def send():
            async with sending:
                for item in range(3):
                    await sending.send(item)

        async with anyio.create_task_group() as group, receiving:
            group.start_soon(send)
            async for item in receiving:
                log(item)
        with anyio.move_on_after(0.01) as scope:
            await anyio.sleep(9)
        log(scope.cancelled_caught)
        log(await anyio.to_thread.run_sync(len, "four"))
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 9)
            group.cancel_scope.cancel()

    assert same(program) == [0, 1, 2, True, 4]


def test_asynchronous_generators_are_closed() -> None:
    async def program(log):
        async def numbers():
            try:
                yield 1
            finally:
                await asyncio.sleep(0)
                log("closed")

        async for number in (kept := numbers()):
            log(number)
            break
        return kept

    assert same(program) == [1, "closed"]


def test_errors_nobody_awaits_reach_the_exception_handler() -> None:
    async def program(log):
        async def fails():
            raise ValueError("lost")

        task = asyncio.create_task(fails())
        await asyncio.sleep(0)
        del task
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(0)

    log = run(program, AsyncioEventLoop)
    assert log[0] == "Task exception was never retrieved"
    assert log[1].startswith("Exception in callback")


@pytest.mark.parametrize("debug", [True, False])
def test_debug_mode_tells_where_a_coroutine_was_made_that_nobody_awaits(debug: bool) -> None:
    async def forgotten():
        pass

    async def main():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            forgotten()
            gc.collect()
        return [str(each.message) for each in caught]

    for loop_factory in (AsyncioEventLoop, None):
        with asyncio.Runner(debug=debug, loop_factory=loop_factory) as runner:
            (told,) = runner.run(main())
        assert "forgotten' was never awaited" in told
        assert ("in main\n    forgotten()" in told) is debug
    assert sys.get_coroutine_origin_tracking_depth() == 0


def test_debug_mode_reports_slow_callbacks_to_asyncios_logger(caplog: Any) -> None:
    async def slow():
        asyncio.get_running_loop().slow_callback_duration = 0
        await asyncio.sleep(0)

    with caplog.at_level(logging.WARNING):
        with asyncio.Runner(debug=True, loop_factory=AsyncioEventLoop) as runner:
            runner.run(slow())
    assert {record.name for record in caplog.records} == {"asyncio"}
    assert "Executing <Task" in caplog.text


def test_it_runs_inside_a_running_loop() -> None:
    async def inner():
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            task = group.create_task(asyncio.sleep(0, "inner"))
        return task.result(), type(asyncio.get_running_loop()).__name__

    async def outer():
        task = asyncio.current_task()
        loop = AsyncioEventLoop()
        first = loop.run_until_complete(inner())
        loop.close()
        with outside_the_running_loop(), asyncio.Runner(loop_factory=AsyncioEventLoop) as runner:
            second = runner.run(inner())
        assert asyncio.current_task() is task
        async with asyncio.timeout(5):
            await asyncio.sleep(0)
        return first, second

    assert asyncio.run(outer()) == (("inner", "AsyncioEventLoop"),) * 2


def test_any_package_with_the_same_modules_can_be_the_heart() -> None:
    import asyncio_lessons

    loop_class = asyncio_loop_of(asyncio_lessons)
    assert loop_class is not AsyncioEventLoop
    with asyncio.Runner(loop_factory=loop_class) as runner:
        assert runner.run(asyncio.sleep(0, "ran")) == "ran"


def test_the_methods_that_asyncio_adds_readers_with_return_their_handle() -> None:
    async def program(log):
        loop, (here, there) = asyncio.get_running_loop(), socket.socketpair()
        with here, there:
            for add, remove in (
                (loop._add_reader, loop._remove_reader),
                (loop._add_writer, loop._remove_writer),
            ):
                handle = add(here, log, "ready")
                log([handle.cancelled(), remove(here), handle.cancelled(), remove(here)])

    assert same(program) == [[False, True, True, False]] * 2


def test_what_is_no_file_is_refused() -> None:
    async def program(log):
        loop = asyncio.get_running_loop()
        for method in (loop.add_reader, loop.add_writer, loop.remove_reader, loop.remove_writer):
            for thing in ("a name", None, object):
                try:
                    method(thing, print) if "add" in method.__name__ else method(thing)
                except ValueError as error:
                    log(str(error))

    assert len(same(program)) == 12


def test_the_socket_of_a_transport_is_refused() -> None:
    async def program(log):
        loop = asyncio.get_running_loop()
        here, there = socket.socketpair()
        here.setblocking(False)
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=here)
        uses = [
            lambda: loop.add_reader(here, print),
            lambda: loop.add_writer(here, print),
            lambda: loop.remove_reader(here),
            lambda: loop.remove_writer(here.fileno()),
            lambda: loop.sock_recv(here, 1),
            lambda: loop.sock_accept(here),
        ]
        for use in uses:
            try:
                if asyncio.iscoroutine(result := use()):
                    await result
            except RuntimeError as error:
                log(str(error).split(" is used by transport")[0].split(" <socket")[0])
            except OSError as error:
                log(type(error).__name__)
        transport.close()
        there.close()

    assert len(same(program)) == 6


def test_a_transport_that_is_left_open_is_reported() -> None:
    def left_open(loop_factory) -> list:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                here, there = socket.socketpair()
                connecting = runner.get_loop().create_connection(asyncio.Protocol, sock=here)
                transport, _ = runner.run(connecting)
            log = [transport.is_closing(), transport.get_extra_info("socket").fileno() > 0]
            for method in (transport.pause_reading, transport.abort, transport.close):
                try:
                    log.append(method())
                except RuntimeError as error:
                    log.append(str(error))
            del transport, connecting, method
            gc.collect()
            there.close()
        return [*log, *((each.category, re.sub(r"\d+", "N", str(each.message))) for each in said)]

    left_alone = left_open(AsyncioEventLoop)
    assert left_alone == left_open(None)
    assert any(ResourceWarning in each for each in left_alone if isinstance(each, tuple))
