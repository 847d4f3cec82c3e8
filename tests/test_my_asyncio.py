"""Who pastes all solutions has built the staircase, and it passes the tests of the course's own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from asyncio_lessons.classroom import exercises, workshop
from asyncio_lessons.classroom.checking import graft
from asyncio_lessons.classroom.checking.catalog import find, names
from asyncio_lessons.classroom.notebook import face


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A folder in which every exercise was solved, in the order of the course."""
    folder = tmp_path_factory.mktemp("notebooks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASYNCIO_LESSONS_WORKSHOP", str(folder))
        for name in names():
            report = exercises.check(name, face.answer(name))
            assert report.status == "passed", str(report)
        yield folder
        workshop._forget()


def test_every_module_is_the_readers(home, capsys):
    """The workshop says so, and each name that was built carries its mark."""
    modules = workshop.status().modules
    assert {m.name: m.owner for m in modules} == dict.fromkeys(workshop.MODULES, "yours")
    assert not [m for m in modules if m.problem or m.edited]
    for exercise in map(find, names()):
        if exercise.module:
            text = (home / "my_asyncio" / f"{exercise.module}.py").read_text(encoding="utf-8")
            assert set(exercise.builds) <= graft.marked(text)
    assert workshop.package().__name__ == "my_asyncio"
    said = capsys.readouterr().out
    assert re.match(r"Double, tunnel, .*Future, Task, .*: yours; the rest: the course's\.", said)


def test_it_imports_nothing_of_the_course(home):
    """A copy in an empty folder works by itself."""
    code = (
        "import sys, my_asyncio as aio\n"
        "async def main():\n"
        "    return await aio.gather(*(aio.sleep(n / 100, n) for n in (2, 1)))\n"
        "assert aio.run(main()) == [2, 1]\n"
        "assert not [m for m in sys.modules if m.startswith(('asyncio_lessons', 'asyncio'))]\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=home, check=True, timeout=30)


def test_all_that_passed_still_holds(home):
    """Each exercise's checks, on the package with all the answers in it."""
    assert exercises.check_again() == "All that has passed still holds."


def test_the_tests_of_the_staircase_pass_with_it(home, root):
    """All that compare the package with asyncio, on my_asyncio in place of asyncio_lessons."""
    suites = [
        path.name
        for path in sorted((root / "tests").glob("test_*.py"))
        if re.search(r"^from same import", path.read_text(encoding="utf-8"), re.M)
    ]
    assert {"test_futures.py", "test_tasks.py", "test_event_loop.py"} <= set(suites)
    paths = os.pathsep.join([str(home), str(root), os.environ.get("PYTHONPATH", "")])
    env = os.environ | {"ASYNCIO_LESSONS_PACKAGE": "my_asyncio", "PYTHONPATH": paths}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    command += [str(root / "tests" / name) for name in suites]
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-4000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 100, done.stdout[-300:]


def run(home, *command: str) -> str:
    """Run a Python program in the folder of my_asyncio; return what it prints."""
    root = Path(__file__).parents[1]
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(home), str(root)])}
    done = subprocess.run(
        [sys.executable, *command], cwd=home, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_worker_queue_runs_on_it_as_on_the_course(home):
    """The same schedule, line by line."""
    demo = ["-m", "asyncio_lessons.demos.worker_queue"]
    schedule = run(home, *demo, "--package", "my_asyncio")
    assert schedule == run(home, *demo)
    assert "worker 3" in schedule


def test_it_serves_real_sockets(home):
    """The echo-reverse server on the reader's loop answers a client."""
    code = (
        "from asyncio_lessons.demos.echo_reverse.server import running\n"
        "import socket\n"
        "with running('lessons', port=0, package='my_asyncio') as server:\n"
        "    with socket.create_connection(server.address, 10) as client:\n"
        "        client.sendall(b'Hello Server!\\n')\n"
        "        print(client.recv(100))\n"
    )
    assert run(home, "-c", code) == "b'\\n!revreS olleH'\n"


def test_it_runs_under_asyncio(home):
    """As an asyncio loop, with a standard queue and a standard task group."""
    code = (
        "import asyncio, my_asyncio\n"
        "from asyncio_lessons.bridge import asyncio_loop_of\n"
        "async def main():\n"
        "    queue = asyncio.Queue()\n"
        "    async with asyncio.TaskGroup() as group:\n"
        "        group.create_task(queue.put(42))\n"
        "        task = group.create_task(queue.get())\n"
        "    print(isinstance(task, my_asyncio.Task), task.result())\n"
        "with asyncio.Runner(loop_factory=asyncio_loop_of(my_asyncio)) as runner:\n"
        "    runner.run(main())\n"
    )
    assert run(home, "-c", code) == "True 42\n"
