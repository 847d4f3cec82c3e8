"""Sockets, threads and signals beside asyncio's; real descriptors, real time where it is needed."""

from __future__ import annotations

import concurrent.futures
import contextvars
import os
import queue
import signal
import socket
import sys
import threading
import time
import warnings

import pytest
from same import LIBRARIES, aio, same

unix = pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes of Unix")


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected sockets that do not block."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    return ours, theirs


def listener() -> socket.socket:
    sock = socket.create_server(("127.0.0.1", 0))
    sock.setblocking(False)
    return sock


# -- sockets as coroutines ------------------------------------------------------------------------


def test_receive_what_is_there_what_comes_later_and_the_end() -> None:
    async def program(lib, log):
        here, there = pair()
        with here, there:
            there.send(b"hello")
            log(await log.loop.sock_recv(here, 100))
            log.loop.call_later(1, there.send, b"later")
            log(await log.loop.sock_recv(here, 3), await log.loop.sock_recv(here, 3))
            log.loop.call_later(1, there.close)
            log(await log.loop.sock_recv(here, 3))

    assert same(program) == ["0 b'hello'", "1 b'lat' b'er'", "2 b''"]


def test_sendall_waits_while_the_other_side_is_slow() -> None:
    async def program(lib, log):
        async def reader():
            received = 0
            while data := await log.loop.sock_recv(there, 1 << 16):
                received += len(data)
                await lib.sleep(0)
            return received

        here, there = pair()
        with here, there:
            task = lib.create_task(reader())
            log(await log.loop.sock_sendall(here, bytearray(1 << 22)))
            here.close()
            log(await task)

    assert same(program) == ["0 None", f"0 {1 << 22}"]


def test_sendall_counts_bytes_and_not_items() -> None:
    async def main() -> bytes:
        loop = aio.get_running_loop()
        here, there = pair()
        with here, there:
            await loop.sock_sendall(here, memoryview(b"12345678").cast("I"))
            return await loop.sock_recv(there, 100)

    assert aio.run(main()) == b"12345678"


def test_accept_and_connect() -> None:
    async def program(lib, log):
        async def client(name):
            sock = socket.socket()
            sock.setblocking(False)
            with sock:
                await log.loop.sock_connect(sock, server.getsockname())
                await log.loop.sock_sendall(sock, name.encode())
                log(name, "reads", await log.loop.sock_recv(sock, 10))

        server = listener()
        with server:
            for name in ("first", "second"):
                task = lib.create_task(client(name))
                connection, address = await log.loop.sock_accept(server)
                with connection:
                    log(connection.gettimeout(), address[0])
                    data = await log.loop.sock_recv(connection, 10)
                    await log.loop.sock_sendall(connection, data[::-1])
                    await task

    assert same(program) == [
        "0 0.0 127.0.0.1",
        "0 first reads b'tsrif'",
        "0 0.0 127.0.0.1",
        "0 second reads b'dnoces'",
    ]


def test_a_connection_that_is_refused() -> None:
    async def program(lib, log):
        with socket.socket() as gone:
            gone.bind(("127.0.0.1", 0))
            address = gone.getsockname()
        with socket.socket() as sock:
            sock.setblocking(False)
            try:
                await log.loop.sock_connect(sock, address)
            except ConnectionRefusedError as error:
                log(type(error).__name__, f"Connect call failed {address}" in str(error))

    assert same(program) == ["0 ConnectionRefusedError True"]


def test_a_host_name_is_looked_up() -> None:
    async def main() -> bytes:
        loop = aio.get_running_loop()
        with listener() as server, socket.socket() as sock:
            sock.setblocking(False)
            accepting = aio.create_task(loop.sock_accept(server))
            await loop.sock_connect(sock, ("localhost", server.getsockname()[1]))
            connection, _ = await accepting
            with connection:
                await loop.sock_sendall(connection, b"found")
                return await loop.sock_recv(sock, 10)

    assert aio.run(main()) == b"found"


def test_a_cancelled_receive_leaves_the_socket_usable() -> None:
    async def program(lib, log):
        here, there = pair()
        with here, there:
            await log.outcome(lib.wait_for(log.loop.sock_recv(here, 10), 1))
            there.send(b"still here")
            log(await log.loop.sock_recv(here, 10))

    assert same(program) == ["1 TimeoutError()", "1 b'still here'"]


def test_two_directions_of_one_socket_at_once() -> None:
    async def program(lib, log):
        here, there = pair()
        with here, there:
            reading = lib.create_task(log.loop.sock_recv(here, 10))
            writing = lib.create_task(log.loop.sock_sendall(here, bytes(1 << 22)))
            await lib.sleep(1)
            log(reading.done(), writing.done())
            there.send(b"answer")
            log(await reading, writing.done())
            while not writing.done():
                await log.loop.sock_recv(there, 1 << 20)
                await lib.sleep(0)
            log(await writing)

    assert same(program) == ["1 False False", "1 b'answer' False", "1 None"]


def test_a_closed_socket_whose_number_is_used_again() -> None:
    async def program(lib, log):
        number = None
        for message in (b"first", b"second", b"third"):
            here, there = pair()
            log.loop.call_later(1, there.send, message)
            log(await log.loop.sock_recv(here, 10), number in (None, here.fileno()))
            number = here.fileno()
            here.close()  # the loop is not told
            there.close()

    assert same(program) == ["1 b'first' True", "2 b'second' True", "3 b'third' True"]


def test_a_number_that_is_used_again_for_something_else() -> None:
    async def program(lib, log):
        here, there = pair()
        log.loop.call_later(1, there.send, b"socket")
        log(await log.loop.sock_recv(here, 10))
        number = here.detach()
        os.close(number)
        read, write = os.pipe()
        log.loop.add_reader(read, lambda: log("pipe", os.read(read, 10)))
        os.write(write, b"pipe")
        await lib.sleep(1)
        log.loop.remove_reader(read)
        for each in (read, write):
            os.close(each)
        there.close()

    assert same(program) == ["1 b'socket'", "1 pipe b'pipe'"]


def test_debug_mode_refuses_a_blocking_socket() -> None:
    async def program(lib, log):
        log.loop.set_debug(True)
        here, there = socket.socketpair()
        with here, there:
            await log.outcome(log.loop.sock_recv(here, 10))
            await log.outcome(log.loop.sock_sendall(here, b""))
        log.loop.set_debug(False)

    assert same(program) == ["0 ValueError(the socket must be non-blocking)"] * 2


# -- readers and writers --------------------------------------------------------------------------


def test_a_reader_is_told_each_turn_until_it_is_removed() -> None:
    async def program(lib, log):
        def read(name):
            log(name, here.recv(1))

        here, there = pair()
        with here, there:
            log.loop.add_reader(here, read, "reads")
            there.send(b"ab")
            await lib.sleep(1)
            log.loop.add_reader(here.fileno(), read, "replaced")
            there.send(b"c")
            await lib.sleep(1)
            log(log.loop.remove_reader(here), log.loop.remove_reader(here))
            there.send(b"d")
            await lib.sleep(1)
            log(here.recv(1))

    assert same(program) == [
        "0 reads b'a'",
        "0 reads b'b'",
        "1 replaced b'c'",
        "2 True False",
        "3 b'd'",
    ]


def test_who_waits_takes_the_place_of_a_reader_even_of_one_that_is_ready() -> None:
    async def program(lib, log):
        here, there = pair()
        with here, there:
            log.loop.add_reader(here, log, "the reader")
            await lib.sleep(0)
            there.send(b"a")
            await lib.sleep(0)  # in the next turn we run, and after us the reader would
            log(here.recv(1))
            log.loop.call_later(1, there.send, b"b")
            log(await log.loop.sock_recv(here, 1))

    assert same(program) == ["0 b'a'", "1 b'b'"]


def test_a_writer_is_told_while_there_is_room() -> None:
    async def program(lib, log):
        def write():
            log("room")
            log(log.loop.remove_writer(here))

        here, there = pair()
        with here, there:
            log(log.loop.remove_writer(here))
            log.loop.add_writer(here, write)
            log.loop.add_reader(here, print)
            await lib.sleep(1)
            log(log.loop.remove_writer(here), log.loop.remove_reader(here))

    assert same(program) == ["0 False", "0 room", "0 True", "1 False True"]


def test_what_is_ready_in_one_turn_comes_before_timers_of_that_turn() -> None:
    async def program(lib, log):
        here, there = pair()
        with here, there:
            log.loop.add_reader(here, lambda: log("readable", here.recv(1)))
            log.loop.call_later(1, there.send, b"x")
            log.loop.call_later(1, log, "timer")
            log.loop.call_soon(log, "soon")
            await lib.sleep(2)
            log.loop.remove_reader(here)

    assert same(program) == ["0 soon", "1 timer", "1 readable b'x'"]


def test_the_deadlock_report_waits_for_who_listens_to_a_socket() -> None:
    async def main() -> bytes:
        here, there = pair()
        with here, there:
            threading.Timer(0.05, there.send, [b"late"]).start()
            return await aio.get_running_loop().sock_recv(here, 10)

    assert aio.run(main()) == b"late"
    assert aio.run(main(), loop_factory=lambda: aio.EventLoop(clock=aio.VirtualClock())) == b"late"


# -- threads --------------------------------------------------------------------------------------


def test_call_soon_threadsafe_wakes_a_sleeping_loop() -> None:
    async def program(lib, log):
        future = log.loop.create_future()
        set_result = log.loop.call_soon_threadsafe
        thread = threading.Timer(0.02, set_result, [future.set_result, "from outside"])
        thread.start()
        log(await future)
        thread.join()

    assert same(program, real=True) == ["from outside"]


def test_debug_mode_lets_call_soon_threadsafe_through_and_nothing_else() -> None:
    async def program(lib, log):
        log.loop.set_debug(True)
        future = log.loop.create_future()

        def call() -> None:
            log.attempt(log.loop.call_soon, log, "never")
            log.loop.call_soon_threadsafe(future.set_result, "from outside")

        thread = threading.Thread(target=call)
        thread.start()
        log(await future)
        thread.join()

    assert same(program, real=True)[-1] == "from outside"


def test_a_thread_that_has_ended_does_not_hide_one_that_may_yet_call() -> None:
    ended = threading.Thread(target=time.sleep, args=[0.01])
    ended.start()

    async def main() -> str:
        await aio.sleep(0)
        ended.join()
        loop, future = aio.get_running_loop(), aio.Future()
        threading.Timer(0.02, loop.call_soon_threadsafe, [future.set_result, "heard"]).start()
        return await future

    assert aio.run(main()) == "heard"


def test_a_loop_in_another_thread_waits_for_a_call_from_the_main_one() -> None:
    async def main() -> str:
        future = aio.Future()
        found.put((aio.get_running_loop(), future))
        return await future

    found: queue.Queue = queue.Queue()
    with concurrent.futures.ThreadPoolExecutor() as executor:
        running = executor.submit(lambda: aio.run(main()))
        loop, future = found.get(timeout=5)
        time.sleep(0.02)  # it sleeps by now
        loop.call_soon_threadsafe(future.set_result, "heard")
        assert running.result(5) == "heard"


def test_call_soon_threadsafe_keeps_the_order_and_takes_a_context() -> None:
    async def program(lib, log):
        place = contextvars.ContextVar("place", default="nowhere")
        context = contextvars.copy_context()
        context.run(place.set, "given")
        log.loop.call_soon(log, "a")
        log.loop.call_soon_threadsafe(lambda: log("b", place.get()), context=context)
        log.loop.call_soon(log, "c")
        await lib.sleep(0)

    assert same(program) == ["0 a", "0 b given", "0 c"]


def test_run_in_executor_hands_back_results_and_errors() -> None:
    async def program(lib, log):
        def work(*what):
            if not what:
                raise ValueError("nothing")
            return what, threading.current_thread() is threading.main_thread()

        log(await log.loop.run_in_executor(None, work, 1, 2))
        await log.outcome(log.loop.run_in_executor(None, work))
        with concurrent.futures.ThreadPoolExecutor() as executor:
            log(await log.loop.run_in_executor(executor, work, 3))

    assert same(program, real=True) == ["[[1, 2], False]", "ValueError(nothing)", "[[3], False]"]


def test_an_executor_of_ones_own_is_used_and_ended() -> None:
    async def program(lib, log):
        executor = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="mine")
        log.loop.set_default_executor(executor)
        name = await lib.to_thread(lambda: threading.current_thread().name)
        log(name)
        await log.loop.shutdown_default_executor()
        log.attempt(executor.submit, print)
        log.attempt(log.loop.run_in_executor, None, print)

    assert same(program, real=True) == [
        "mine_0",
        "RuntimeError(cannot schedule new futures after shutdown)",
        "RuntimeError(Executor shutdown has been called)",
    ]


def test_after_the_shutdown_no_executor_is_made() -> None:
    async def program(lib, log):
        await log.loop.shutdown_default_executor()
        log.attempt(log.loop.run_in_executor, None, print)

    assert same(program, real=True) == ["RuntimeError(Executor shutdown has been called)"]


def test_to_thread_takes_the_context_along() -> None:
    async def program(lib, log):
        place = contextvars.ContextVar("place", default="nowhere")

        def work(*args, **options):
            return place.get(), args, sorted(options)

        place.set("here")
        return await lib.to_thread(work, 1, two=2)

    assert same(program, real=True) == ["returns [here, [1], [two]]"]


def test_cancelling_does_not_stop_the_thread() -> None:
    async def program(lib, log):
        finished = threading.Event()
        go_on = threading.Event()

        def work():
            go_on.wait(5)
            finished.set()

        await log.outcome(lib.wait_for(lib.to_thread(work), 0.01))
        log(finished.is_set())
        go_on.set()
        log(finished.wait(5))

    assert same(program, real=True) == [
        "TimeoutError()",
        "False",
        "True",
    ]


def test_run_coroutine_threadsafe() -> None:
    async def program(lib, log):
        async def work(error=None):
            await lib.sleep(0)
            if error:
                raise error
            return "done"

        def outside():
            log(lib.run_coroutine_threadsafe(work(), log.loop).result(5))
            log.attempt(lib.run_coroutine_threadsafe(work(ValueError("no")), log.loop).result, 5)
            log.attempt(lib.run_coroutine_threadsafe, 1, log.loop)
            cancelled = lib.run_coroutine_threadsafe(lib.sleep(1000), log.loop)
            cancelled.cancel()

        await lib.to_thread(outside)
        await lib.sleep(0)
        await lib.sleep(0)
        log(len(lib.all_tasks()))

    assert same(program, real=True) == [
        "done",
        "ValueError(no)",
        "TypeError(A coroutine object is required)",
        "1",
    ]


def test_the_end_of_the_run_ends_the_threads() -> None:
    async def main() -> None:
        await aio.to_thread(time.sleep, 0)

    before = threading.active_count()
    aio.run(main())
    assert threading.active_count() == before


# -- signals --------------------------------------------------------------------------------------


@unix
def test_a_signal_handler_is_a_callback_of_the_loop() -> None:
    async def program(lib, log):
        log.loop.add_signal_handler(signal.SIGUSR1, log, "handled")
        signal.raise_signal(signal.SIGUSR1)
        log("raised")
        await lib.sleep(1)
        log(log.loop.remove_signal_handler(signal.SIGUSR1))
        log(log.loop.remove_signal_handler(signal.SIGUSR1))
        log(signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL)

    assert same(program) == ["0 raised", "0 handled", "1 True", "1 False", "1 True"]


@unix
def test_a_signal_wakes_a_sleeping_loop() -> None:
    async def main() -> str:
        loop = aio.get_running_loop()
        future = loop.create_future()
        loop.add_signal_handler(signal.SIGUSR1, future.set_result, "awake")
        threading.Timer(0.02, os.kill, [os.getpid(), signal.SIGUSR1]).start()
        return await future

    assert aio.run(main()) == "awake"
    assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL


@unix
def test_what_signal_handlers_refuse() -> None:
    async def program(lib, log):
        log.attempt(log.loop.add_signal_handler, "SIGINT", print)
        log.attempt(log.loop.add_signal_handler, 1000, print)
        log.attempt(log.loop.add_signal_handler, signal.SIGKILL, print)

        async def coroutine():
            """Never called."""

        log.attempt(log.loop.add_signal_handler, signal.SIGUSR1, coroutine)

    assert same(program) == [
        "0 TypeError(sig must be an int, not 'SIGINT')",
        "0 ValueError(invalid signal number 1000)",
        "0 RuntimeError(sig 9 cannot be caught)",
        "0 TypeError(coroutines cannot be used with add_signal_handler())",
    ]


# -- closing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("lib", LIBRARIES)
def test_closing_leaves_no_descriptor_open(lib) -> None:
    def open_descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("no /proc here")
    before = open_descriptors()
    for _ in range(3):
        loop = lib.new_event_loop()
        here, there = pair()
        with here, there:
            loop.add_reader(here, print)
        loop.close()
    assert open_descriptors() == before


def test_receiving_into_a_buffer() -> None:
    async def program(lib, log):
        here, there = pair()
        with here, there:
            buffer = bytearray(4)
            log.loop.call_later(0.01, there.send, b"abcdef")
            log(await log.loop.sock_recv_into(here, buffer), bytes(buffer))
            log(await log.loop.sock_recv_into(here, memoryview(buffer)[1:]), bytes(buffer))
            there.close()
            log(await log.loop.sock_recv_into(here, buffer))

    assert same(program, real=True) == ["4 b'abcd'", "2 b'aefd'", "0"]


def test_datagrams() -> None:
    async def program(lib, log):
        here, there = (socket.socket(type=socket.SOCK_DGRAM) for _ in range(2))
        with here, there:
            for each in (here, there):
                each.bind(("127.0.0.1", 0))
                each.setblocking(False)
            receiving = lib.create_task(log.loop.sock_recvfrom(there, 10))
            await lib.sleep(0.01)
            log(await log.loop.sock_sendto(here, b"first", there.getsockname()))
            data, address = await receiving
            log(data, address == here.getsockname())
            for size in (0, 3):
                await log.loop.sock_sendto(here, b"second", there.getsockname())
                buffer = bytearray(8)
                count, address = await log.loop.sock_recvfrom_into(there, buffer, size)
                log(count, bytes(buffer), address == here.getsockname())

    log = same(program, real=True)
    assert log[:2] == ["5", "b'first' True"]
    assert log[2].startswith("6 b'second") and log[3].startswith("3 b'sec")


def test_names_and_addresses_are_looked_up() -> None:
    async def program(lib, log):
        found = await log.loop.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)
        log([info[4] for info in found])
        numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
        log(await log.loop.getnameinfo(("127.0.0.1", 80), numeric))
        await log.outcome(log.loop.getaddrinfo("127.0.0.1", "no such service"))

    log = same(program, real=True)
    assert log[:2] == ["[[127.0.0.1, 80]]", "[127.0.0.1, 80]"]
    assert log[2].startswith("gaierror")


def test_what_cannot_be_listened_to_is_refused() -> None:
    def program(lib, log):
        for method in (log.loop.add_reader, log.loop.add_writer):
            log.attempt(method, "a name", print)
        closed, listened_to = socket.socket(), socket.socket()
        log.loop.add_reader(listened_to, print)
        for each in (closed, listened_to):
            each.close()
        for thing in (None, -1, 1.5, closed, listened_to):
            log.attempt(log.loop.remove_reader, thing)
            log.attempt(log.loop.remove_writer, thing)

    assert same(program)[0] == "0 ValueError(Invalid file object: 'a name')"


def test_the_waiting_thread_gets_the_error_where_no_task_could_be_made() -> None:
    async def program(lib, log):
        def refuses(loop, coro, **options):
            coro.close()
            raise ValueError("no task today")

        log.loop.set_exception_handler(lambda _, context: log(context["message"]))
        log.loop.set_task_factory(refuses)
        future = lib.run_coroutine_threadsafe(lib.sleep(0), log.loop)
        await lib.sleep(0)
        await lib.sleep(0)
        log.loop.set_task_factory(None)
        log.attempt(future.result, 0)

    log = same(program, real=True)
    assert log[0].startswith("Exception in callback run_coroutine_threadsafe.")
    assert log[1] == "ValueError(no task today)"


def test_a_thread_that_waits_is_told_of_a_cancellation() -> None:
    async def program(lib, log):
        future = lib.run_coroutine_threadsafe(lib.sleep(9), log.loop)
        await lib.sleep(0.01)
        waiting = lib.to_thread(concurrent.futures.wait, [future], 5)
        log.loop.call_later(0.05, future.cancel)
        done, _ = await waiting
        log(len(done), future.cancelled())

    assert same(program, real=True) == ["1 True"]


def test_the_end_of_the_threads_may_be_waited_for_so_long_and_no_longer() -> None:
    async def program(lib, log):
        release = threading.Event()
        job = log.loop.run_in_executor(None, release.wait)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            await log.loop.shutdown_default_executor(0.02)
        log([(str(each.message), each.category.__name__) for each in said])
        release.set()
        log(await job)
        await log.loop.shutdown_default_executor(5)
        try:
            log.loop.run_in_executor(None, print)
        except RuntimeError:
            log("refused")

    log = same(program, since=(3, 13), real=True)
    assert "within 0.02 seconds., RuntimeWarning" in log[0]
    assert log[1:] == ["True", "refused"]


def test_an_end_of_the_threads_that_is_cancelled() -> None:
    async def program(lib, log):
        release = threading.Event()
        log.loop.run_in_executor(None, release.wait)
        ending = lib.create_task(log.loop.shutdown_default_executor())
        await lib.sleep(0.02)
        ending.cancel()
        await log.outcome(ending)
        release.set()

    assert same(program, since=(3, 13), real=True) == ["CancelledError()"]


@unix
def test_the_turn_in_which_a_signal_is_handled() -> None:
    async def program(lib, log):
        log.loop.add_signal_handler(signal.SIGUSR1, log, "handled")
        signal.raise_signal(signal.SIGUSR1)
        for turn in range(3):
            await lib.sleep(0)
            log("turn", turn)

    assert "0 handled" in same(program)


@unix
def test_numbers_that_are_no_signals() -> None:
    def program(lib, log):
        for number in (-1, 0, 10_000, "SIGINT", 1.5, None, signal.SIGUSR2):
            log.attempt(log.loop.remove_signal_handler, number)

    assert same(program)[0] == "0 ValueError(invalid signal number -1)"
