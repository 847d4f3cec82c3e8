"""The echo-reverse server: one protocol, real sockets, every engine."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncio_lessons.demos.echo_reverse import (
    ENGINES,
    EchoReverse,
    Server,
    engine,
    launched,
    load,
    running,
)
from asyncio_lessons.demos.echo_reverse.listener import listen

PROGRAM = [sys.executable, "-m", "asyncio_lessons.demos.echo_reverse"]
MANY_AT_ONCE = [name for name in ENGINES if name != "blocking"]
MEGABYTE = 1024 * 1024

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
linux = pytest.mark.skipif(sys.platform != "linux", reason="the limit is set from outside: Linux")


def needed(name: str) -> str:
    """The name of an engine, if what it needs is installed."""
    if name == "uvloop" and not importlib.util.find_spec("uvloop"):
        pytest.skip("uvloop is not installed")
    return name


@pytest.fixture(params=ENGINES)
def name(request: pytest.FixtureRequest) -> str:
    return needed(request.param)


@pytest.fixture(params=MANY_AT_ONCE)
def many_at_once(request: pytest.FixtureRequest) -> str:
    return needed(request.param)


@pytest.fixture
def server(name: str) -> Iterator[Server]:
    with running(name) as server:
        yield server


def reversed_lines(stream: bytes) -> bytes:
    return b"".join(line[::-1] for line in io.BytesIO(stream))


def await_that(what, timeout: float = 5.0) -> None:
    """Wait until `what()` holds."""
    end = time.monotonic() + timeout
    while not what():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)


# The protocol, without sockets


@given(stream=st.binary() | st.text("ab\n").map(str.encode), cuts=st.lists(st.integers(1, 9)))
def test_the_replies_do_not_depend_on_how_the_stream_is_cut(stream, cuts):
    protocol, rest, replies = EchoReverse(), stream, []
    for cut in cuts:
        piece, rest = rest[:cut], rest[cut:]
        if piece:
            replies.append(protocol.receive(piece))
    if rest:
        replies.append(protocol.receive(rest))
    assert not protocol.finished
    replies.append(protocol.receive(b""))
    assert b"".join(replies) == reversed_lines(stream)
    assert protocol.finished


def test_a_reply_goes_out_as_soon_as_its_message_has_ended():
    protocol = EchoReverse()
    assert protocol.receive(b"Hello Ser") == b""
    assert protocol.receive(b"ver!\nnext") == b"\n!revreS olleH"
    assert protocol.receive(b"") == b"txen"


def test_a_message_may_be_as_long_as_the_limit_with_its_newline(caplog):
    protocol = EchoReverse(limit=5)
    assert protocol.receive(b"1234\n12345") == b"\n4321"
    assert protocol.receive(b"") == b"54321"
    assert not caplog.records


@pytest.mark.parametrize("pieces", [[b"12345\n"], [b"123456"], [b"12345", b"\n"], [b"12", b"3456"]])
def test_a_message_beyond_the_limit_ends_the_talk_and_is_logged(pieces, caplog):
    protocol = EchoReverse(limit=5, client="Ada")
    assert b"".join(protocol.receive(piece) for piece in pieces) == b""
    assert protocol.finished
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "Ada sent more than 5 bytes in one message: closed"


def test_what_came_before_a_message_that_is_too_long_is_answered():
    protocol = EchoReverse(limit=5)
    assert protocol.receive(b"ab\ncd\n1234567\nef\n") == b"\nba\ndc"
    assert protocol.finished


def test_a_long_message_in_many_pieces_takes_time_in_proportion():
    def seconds(pieces: int) -> float:
        protocol, piece = EchoReverse(), b"x" * 1000
        began = time.process_time()  # of this process alone: others may keep the machine busy
        for _ in range(pieces):
            protocol.receive(piece)
        protocol.receive(b"\n")
        return time.process_time() - began

    few, many = (min(seconds(n) for _ in range(5)) for n in (4000, 16_000))
    assert many < 10 * few  # four times the pieces; sixteen times would be quadratic


# Every engine, good clients


@pytest.mark.parametrize(
    "stream",
    [
        b"Hello Server!\n",
        b"no newline, and the end",
        b"one\ntwo\nthree\n",
        b"one\ntwo\nunfinished",
        b"\n\n\n",
        b"\r\n \r\x00\n\xff\xfe",
        bytes(range(256)) * 3,
        b"",
        b"many\n" * 20_000,
    ],
    ids=["line", "unended", "packet", "mixed", "empty-lines", "binary", "bytes", "none", "many"],
)
def test_every_message_is_answered_reversed(server, stream):
    assert load.exchange(server.address, stream) == reversed_lines(stream)


def test_messages_byte_by_byte(server):
    assert load.byte_by_byte(server.address, b"slow\nand steady") == b"\nwolsydaets dna"


def test_a_talk_of_many_questions_and_answers(server):
    with load.connect(server.address) as connection:
        for n in range(20):
            question = f"question {n}\n".encode()
            assert load.ask(connection, question) == question[::-1]
        connection.shutdown(socket.SHUT_WR)
        assert load.receive_all(connection) == b""  # the server closes, too


def test_a_client_that_half_closes_gets_its_last_reply(server):
    with load.connect(server.address) as connection:
        connection.sendall(b"first\nlast")
        connection.shutdown(socket.SHUT_WR)
        assert load.receive_all(connection) == b"\ntsriftsal"


def test_a_message_of_ten_megabytes(server):
    message = os.urandom(10 * MEGABYTE).replace(b"\n", b" ") + b"\n"
    assert load.exchange(server.address, message + b"short") == message[::-1] + b"trohs"


def test_a_crowd(server):
    visits = load.crowd(server.address, clients=8, messages=3, pause=0.001)
    assert [visit.name for visit in visits] == [f"client {n}" for n in range(1, 9)]
    for visit in visits:
        assert visit.served
        assert visit.replies == [f"{visit.name} says {n}\n".encode()[::-1] for n in (1, 2, 3)]


# Every engine, bad clients


def test_a_message_beyond_the_limit_closes_that_connection_only(name, caplog):
    with running(name, limit=1000) as server:
        with load.connect(server.address) as bad:
            assert load.ask(bad, b"fine\n") == b"\nenif"
            bad.sendall(b"x" * 1001)
            with suppress(ConnectionResetError):  # it had not read all when it closed
                assert load.receive_all(bad) == b""
        assert load.exchange(server.address, b"x" * 999 + b"\n") == b"\n" + b"x" * 999
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert "more than 1000 bytes" in errors[0].getMessage()


def test_a_reset_in_mid_message_is_forgotten(server, caplog):
    for _ in range(5):
        load.vanish(server.address)
    load.vanish(server.address, b"whole\nand a hal")
    assert load.exchange(server.address, b"still here\n") == b"\nereh llits"
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


def test_one_clients_trouble_does_not_reach_another(many_at_once):
    with running(many_at_once) as server, load.connect(server.address) as idle:
        idle.sendall(b"I think about how to go o")
        with load.never_reading(server.address):
            load.vanish(server.address)
            visits = load.crowd(server.address, clients=4, messages=3, pause=0.0)
            assert all(visit.served for visit in visits)
            assert max(visit.left - visit.came for visit in visits) < 2
        idle.sendall(b"n\n")
        assert idle.recv(100) == b"\nno og ot woh tuoba kniht I"


def test_a_client_with_much_to_say_lets_others_have_a_turn(many_at_once, monkeypatch):
    turns = []
    receive = EchoReverse.receive

    def noted(self, data):
        turns.append((self.client[1], len(data)))
        return receive(self, data)

    monkeypatch.setattr(EchoReverse, "receive", noted)
    listener = listen()
    with load.connect(listener.getsockname()) as much, load.connect(listener.getsockname()) as few:
        much.settimeout(0.1)
        taken = 0
        with suppress(TimeoutError):  # all that the system takes, before the server begins
            while taken < 8 * MEGABYTE:
                taken += much.send(b"x" * MEGABYTE)
        few.sendall(b"hi\n")
        server = Server(engine(many_at_once), listener, 16 * MEGABYTE)
        assert few.recv(100) == b"\nih"
        long, short = (client.getsockname()[1] for client in (much, few))
        await_that(lambda: sum(size for who, size in turns if who == long) == taken)
        server.stop()
    if many_at_once != "threads":  # where the system says whose turn it is
        before = turns[: turns.index((short, 3))]
        assert sum(size for _, size in before) < taken / 2


def test_the_blocking_engine_lets_others_wait_and_then_serves_them():
    with running("blocking") as server:
        with load.connect(server.address) as first, load.connect(server.address) as second:
            assert load.ask(first, b"me\n") == b"\nem"
            second.sendall(b"me too\n")
            second.settimeout(0.2)
            with pytest.raises(TimeoutError):
                second.recv(100)
            first.close()
            second.settimeout(5)
            assert second.recv(100) == b"\noot em"


def test_a_heartbeat_shows_who_waits():
    gaps = {}
    for name in ("blocking", "lessons"):
        with running(name) as server, load.heartbeat(server.address) as beats:
            load.crowd(server.address, clients=3, messages=3, pause=0.05)
        gaps[name] = load.largest_gap(beats)
    assert gaps["lessons"] < 0.1 < gaps["blocking"]


# Starting and stopping


def test_the_server_stops_with_clients_in_every_state_and_leaves_nothing(name):
    threads = set(threading.enumerate())
    with running(name) as server:
        with load.connect(server.address) as silent, load.connect(server.address) as talking:
            if name == "blocking":
                silent.close()
            assert load.ask(talking, b"hi\n") == b"\nih"
            talking.sendall(b"unfini")
            began = time.monotonic()
            server.stop()
            assert time.monotonic() - began < 3
            with suppress(ConnectionResetError):  # it had not read all when it closed
                assert talking.recv(100) in (b"", b"infinu")
    assert set(threading.enumerate()) == threads
    with pytest.raises(ConnectionRefusedError):
        load.connect(server.address)


def test_a_server_stops_at_once_when_no_client_has_come(name):
    began = time.monotonic()
    with running(name):
        pass
    assert time.monotonic() - began < 2


def test_a_server_stops_while_a_client_does_not_read(name):
    with running(name) as server, load.never_reading(server.address):
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 3


def test_the_port_can_be_used_again_at_once(name):
    with running(name) as server:
        with load.connect(server.address) as connection:
            assert load.ask(connection, b"hi\n") == b"\nih"
            port = server.address[1]
            server.stop()  # we end first: the address stays in TIME_WAIT
    with running(name, port=port) as server:
        assert load.exchange(server.address, b"again\n") == b"\nniaga"


def test_several_servers_side_by_side():
    with running("lessons") as one, running("lessons") as two, running("asyncio") as three:
        for server in (one, two, three):
            assert load.exchange(server.address, b"hi\n") == b"\nih"


def test_an_engine_that_fails_says_so(monkeypatch):
    from asyncio_lessons.demos.echo_reverse import selector

    def broken(*args):
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(selector, "welcome", broken)
    with pytest.raises(ZeroDivisionError, match="planted"), running("selector") as server:
        with load.connect(server.address):
            server.wait()


def test_ipv6(name):
    try:
        listen("::1").close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with running(name, host="::1") as server:
        assert load.exchange(server.address, b"hi\n") == b"\nih"


def test_all_addresses(name):
    with running(name, host="0.0.0.0") as server:
        assert load.exchange(("127.0.0.1", server.address[1]), b"hi\n") == b"\nih"


# The engine `lessons` runs on whatever has asyncio's names


def test_the_engine_of_the_lessons_runs_on_asyncio_too():
    with running("lessons", package="asyncio") as server:
        assert all(visit.served for visit in load.crowd(server.address))


def test_the_engine_of_the_lessons_runs_on_the_readers_package(root, tmp_path, monkeypatch):
    copy = tmp_path / "my_asyncio"
    copy.mkdir()
    shutil.copytree(root / "asyncio_lessons" / "annexes", copy / "annexes")
    for path in (root / "asyncio_lessons").glob("*.py"):
        shutil.copy(path, copy)
    with (copy / "sockets.py").open("a") as module:
        module.write("\nprint('the reader was here', file=__import__('sys').stderr)\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(root)]))
    command = [*PROGRAM, "serve", "--port", "0", "--package", "my_asyncio"]
    with subprocess.Popen(command, stdout=-1, stderr=-1, text=True) as process:
        port = int(process.stdout.readline().rpartition(":")[2])
        reply = load.exchange(("127.0.0.1", port), b"mine\n")
        process.terminate()
        assert process.stderr.read() == "the reader was here\n"
    assert reply == b"\nenim"


# As a program: many clients, little memory


def memory(pid: int) -> int:
    return psutil.Process(pid).memory_info().rss


@pytest.mark.parametrize("name", ENGINES)
def test_a_thousand_clients_and_bad_ones_leave_the_server_alive_and_small(name):
    with launched(needed(name)) as server:
        assert load.exchange(server.address, b"warm up\n") == b"\npu mraw"
        descriptors = getattr(psutil.Process(server.process.pid), "num_fds", lambda: 0)
        open_before = descriptors()
        before = memory(server.process.pid)
        crowd = 1000 if sys.platform != "win32" else 200  # Windows selects among 512 sockets
        assert load.thousand(server.address, crowd) == crowd
        load.vanish(server.address)
        assert load.byte_by_byte(server.address, b"slow\n") == b"\nwols"
        message = b"x" * 10 * MEGABYTE + b"y\n"
        assert load.exchange(server.address, message) == message[::-1]
        with load.never_reading(server.address) as taken:
            assert taken < 32 * MEGABYTE
            assert memory(server.process.pid) - before < 20 * MEGABYTE
        assert load.exchange(server.address, b"alive?\n") == b"\n?evila"
        assert memory(server.process.pid) - before < 20 * MEGABYTE
        await_that(lambda: descriptors() <= open_before)  # no connection is kept


def test_clients_that_never_read_cost_next_to_nothing(many_at_once):
    with launched(many_at_once) as server:
        assert load.exchange(server.address, b"warm up\n") == b"\npu mraw"
        before = memory(server.process.pid)
        with load.never_reading(server.address), load.never_reading(server.address):
            assert memory(server.process.pid) - before < 4 * MEGABYTE


@linux
@pytest.mark.parametrize("name", MANY_AT_ONCE)
def test_without_descriptors_the_server_neither_dies_nor_spins(name):
    import resource

    with launched(needed(name)) as server:
        assert load.exchange(server.address, b"hi\n") == b"\nih"
        process = psutil.Process(server.process.pid)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (30, 30))
        clients = [load.connect(server.address) for _ in range(50)]
        assert load.ask(clients[0], b"first\n") == b"\ntsrif"
        began = sum(process.cpu_times()[:2])
        time.sleep(0.4)
        if name != "polling":  # which always spins
            assert sum(process.cpu_times()[:2]) - began < 0.1
        assert load.ask(clients[1], b"second\n") == b"\ndnoces"
        for client in clients:
            client.close()
        await_that(lambda: load.visit(server.address, "late", [b"late\n"]).served)


@pytest.fixture
def no_descriptors_left() -> Iterator[Callable[[], None]]:
    """A function that takes all descriptors away until the test ends."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    def take() -> None:
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, before[1]))

    yield take
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_full_listener_turns_the_next_client_away(no_descriptors_left, caplog):
    with listen() as listener, load.connect(listener.getsockname()) as client:
        thread = threading.Thread(target=lambda: listener.accept()[0].close())
        no_descriptors_left()
        thread.start()
        assert client.recv(100) == b""
        client.close()  # a descriptor to knock with: also a full one can be told to end
        listener.knock()
        thread.join(5)
        assert not thread.is_alive()
    assert "was turned away: no descriptors left" in caplog.text


def test_a_full_listener_that_nobody_visits_does_not_block(no_descriptors_left):
    with listen() as listener:
        listener.setblocking(False)
        no_descriptors_left()
        with pytest.raises(BlockingIOError):
            listener.accept()


@posix
def test_ctrl_c_at_any_moment_of_waiting_is_only_an_interrupt(monkeypatch):
    import signal

    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # it sleeps on if it has only begun
    server = object.__new__(Server)  # one that does nothing, since threads delay the signals
    server._ended = threading.Event()
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for number in range(6000):
            with pytest.raises(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, (2 + number % 60) / 1e6)
                server.wait()
    finally:
        signal.signal(signal.SIGALRM, before)


@posix
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM"])
def test_ctrl_c_ends_the_program_cleanly(name, how):
    import signal

    command = [*PROGRAM, "serve", "--engine", name, "--port", "0"]
    with subprocess.Popen(command, stdout=-1, stderr=-1, text=True) as process:
        host, _, port = process.stdout.readline().removeprefix("listening on ").rpartition(":")
        address = host, int(port)
        with load.connect(address) as one, load.connect(address) as two:
            one.sendall(b"hi\nunfinished")
            assert one.recv(100) == b"\nih"
            two.sendall(b"in the middle")
            process.send_signal(getattr(signal, how))
            out, errors = process.communicate(timeout=10)
    assert errors == ""
    assert process.returncode == 0
    assert out.startswith("stopped after")


@posix
def test_ctrl_c_ends_a_program_that_nobody_has_visited(name):
    with launched(name) as server:
        pass
    assert server.process.returncode == 0
    assert 0 <= server.cpu_seconds < 1


# As a program: mistakes


def program(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*PROGRAM, *map(str, arguments)], capture_output=True, timeout=20)


def sentence(*arguments: object) -> str:
    """What the program says, in one line, to a mistake."""
    done = program(*arguments)
    assert done.returncode == 2
    assert done.stdout == b""
    text = done.stderr.decode()
    assert text.startswith("echo_reverse: ")
    assert text.count("\n") == 1
    return text


def test_send_prints_the_reply(server):
    host, port = server.address
    done = program("send", "--host", host, "--port", port, "Hello Server!")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"!revreS olleH\n", b"")


def test_a_port_in_use_is_a_sentence(name):
    with listen() as listener:
        port = listener.getsockname()[1]
        text = sentence("serve", "--engine", name, "--port", port)
    assert f"127.0.0.1:{port} is in use" in text


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ("", "say what to do"),
        ("serve --engine quick", "there is no engine 'quick': choose one of blocking, threads"),
        ("serve --port 65536", "a port is 0 to 65535, not '65536'"),
        ("serve --port five", "a port is 0 to 65535, not 'five'"),
        ("serve --port -1", "a port is 0 to 65535, not '-1'"),
        ("serve --limit 0", "a limit is 1 to"),
        ("serve --host no.such.host.invalid", "there is no host 'no.such.host.invalid'"),
        ("serve --package no_such_package", "cannot import the package 'no_such_package'"),
        ("send --port 0 hi", "a port is 1 to 65535, not '0'"),
        ("send --host no.such.host.invalid hi", "there is no host 'no.such.host.invalid'"),
        ("send", "MESSAGE"),
        ("receive", "receive"),
    ],
)
def test_a_mistake_is_answered_in_one_sentence(arguments, part):
    assert part in sentence(*arguments.split())


def test_send_without_a_server_is_a_sentence():
    with listen() as listener:
        port = listener.getsockname()[1]
    text = sentence("send", "--port", port, "hi")
    assert f"no server listens on 127.0.0.1:{port}: start a server" in text


def test_send_tells_when_the_server_hung_up():
    with running("lessons", limit=3) as server:
        assert "closed the connection" in sentence("send", "--port", server.address[1], "too long")


def test_an_engine_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="there is no engine 'quick'"):
        engine("quick")


def test_an_engine_without_uvloop_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with pytest.raises(ValueError, match="pip install uvloop"):
        engine("uvloop")


# What the lesson shows


def test_the_engines_are_short():
    from asyncio_lessons.demos import echo_reverse

    folder = Path(echo_reverse.__file__).parent
    for module in set(ENGINES.values()):
        assert len((folder / f"{module}.py").read_text().splitlines()) <= 90, module


def test_the_asyncio_engine_says_nothing_at_its_end(caplog):
    with running("asyncio") as server:
        with load.connect(server.address) as connection:
            assert load.ask(connection, b"hi\n") == b"\nih"
            server.stop()
    assert not [record for record in caplog.records if record.levelno > logging.INFO]
    assert asyncio._get_running_loop() is None
