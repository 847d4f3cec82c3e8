"""The echo-reverse server and its client as a program.

python -m asyncio_lessons.demos.echo_reverse serve --engine lessons --port 6789
python -m asyncio_lessons.demos.echo_reverse send --port 6789 "Hello Server!"
"""

import argparse
import errno
import logging
import os
import signal
import socket
import sys
import time
from typing import NoReturn

from . import ENGINES, LIMIT, engine, load, running
from .listener import allow_many_descriptors

HOST, PORT = "127.0.0.1", 6789


class Parser(argparse.ArgumentParser):
    """A parser that answers a mistake with one sentence."""

    def error(self, message: str) -> NoReturn:
        fail(f"{message} (--help tells more)")


def fail(sentence: str) -> NoReturn:
    """Say what is wrong, and end with status 2."""
    print(f"echo_reverse: {sentence}", file=sys.stderr)
    sys.exit(2)


def number(low: int, high: int, what: str):
    """Return a type for argparse: a whole number within bounds."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{what} is {low} to {high}, not {text!r}")
        return int(text)

    return parse


def parser() -> Parser:
    """Return the parser of the command line."""
    top = Parser(prog="echo_reverse", description="A server that reverses, and its client.")
    commands = top.add_subparsers(dest="command", metavar="serve|send", parser_class=Parser)
    serve = commands.add_parser("serve", help="run the server until Ctrl-C")
    serve.add_argument("--engine", default="lessons", help=f"one of {', '.join(ENGINES)}")
    serve.add_argument("--limit", type=number(1, 2**40, "a limit"), default=LIMIT, metavar="BYTES")
    serve.add_argument(
        "--package", default="asyncio_lessons", help="what engine lessons runs on, e.g. my_asyncio"
    )
    send = commands.add_parser("send", help="send one message and print the reply")
    send.add_argument("message", metavar="MESSAGE")
    for command, low in (serve, 0), (send, 1):
        command.add_argument("--host", default=HOST)
        command.add_argument("--port", type=number(low, 65535, "a port"), default=PORT)
    return top


def serve(options: argparse.Namespace) -> None:
    """Run the server until Ctrl-C."""
    allow_many_descriptors()
    try:
        engine(options.engine, options.package)
    except ValueError as error:
        fail(str(error))
    began = time.process_time()
    try:
        with running(
            options.engine,
            options.host,
            options.port,
            limit=options.limit,
            package=options.package,
        ) as server:
            print(f"listening on {shown(server.address)}", flush=True)
            server.wait()
    except OSError as error:
        fail(why_not(error, options.host, options.port))
    except KeyboardInterrupt:
        print(f"stopped after {time.process_time() - began:.3f} s of CPU time", flush=True)


def send(options: argparse.Namespace) -> None:
    """Send one message and print its reply."""
    message = os.fsencode(options.message)
    try:
        reply = load.exchange((options.host, options.port), message)
    except OSError as error:
        fail(why_not(error, options.host, options.port))
    if reply or not message:
        sys.stdout.buffer.write(reply + b"\n")
        sys.stdout.flush()
    if len(reply) < len(message):
        fail("the server closed the connection before it had answered all")


def shown(address: tuple[str, int]) -> str:
    """Return an address as HOST:PORT."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def why_not(error: OSError, host: str, port: int) -> str:
    """Say in a sentence why there is no connection."""
    where = shown((host, port))
    if isinstance(error, socket.gaierror):
        return f"there is no host {host!r}"
    if isinstance(error, TimeoutError):
        return f"{where} does not answer"
    if isinstance(error, ConnectionRefusedError):
        return f"no server listens on {where}: start a server with `serve`"
    if isinstance(error, ConnectionError):
        return f"{where} closed the connection before it had answered all"
    if error.errno == errno.EADDRINUSE:
        return f"{where} is in use: choose another --port, or 0 for a free one"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host!r} is not an address of this machine"
    if isinstance(error, PermissionError):
        return f"you may not use {where}: choose a --port above 1023"
    return f"{where}: {error.strerror or error}"


def main() -> None:
    """Run the program."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.default_int_handler)  # both raise KeyboardInterrupt
    logging.basicConfig(format="%(message)s")
    options = parser().parse_args()
    commands = {"serve": serve, "send": send}
    if options.command not in commands:
        fail("say what to do: `serve` or `send MESSAGE`")
    try:
        commands[options.command](options)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
