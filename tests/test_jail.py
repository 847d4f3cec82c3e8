"""The jail holds by itself: what is tried here gets past the reading of answers, and runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import partial

import pytest

from asyncio_lessons.classroom import workshop
from asyncio_lessons.classroom.checking import engine, process
from asyncio_lessons.classroom.checking.catalog import find
from asyncio_lessons.classroom.grading import jail

HOLDS = jail.offers()
linux = pytest.mark.skipif(sys.platform != "linux", reason="these layers are Linux's")


def examine(body: str, seconds: float = 2.0):
    """Run an answer to the first exercise in the jail."""
    code = "def reply(message):\n" + "".join(f"    {line}\n" for line in body.splitlines())
    start = partial(process.start_python, *jail.command(300, bool(HOLDS.get("network"))))
    return engine.examine(
        find("first-reply"), code, workshop.course_texts(), start, seconds, picture=False
    )


def test_a_right_answer_passes():
    assert examine("return message[::-1]").status == "passed"


@linux
def test_the_layers_of_linux_hold():
    """Where one does not, in a container or on an old kernel, docs/grading.md says what is left."""
    missing = [layer for layer, holds in HOLDS.items() if not holds]
    if missing and not os.environ.get("CI"):
        pytest.skip(f"this system does not offer: {', '.join(missing)}")
    assert set(missing) <= {"network"}  # some systems give namespaces to root only


ATTACKS = {
    "a new process": ("import os\nos.fork()", "PermissionError: os.fork"),
    "a program": ("import subprocess\nsubprocess.run(['true'])", "PermissionError: subprocess"),
    "a signal": ("import os\nos.kill(os.getppid(), 9)", "PermissionError: os.kill"),
    "memory": ("held = []\nwhile True: held.append(bytearray(10**7))", "MemoryError"),
    "threads": (
        "import threading, time\nwhile True:\n"
        "    threading.Thread(target=time.sleep, args=(60,)).start()",
        "can't start new thread",
    ),
    "open files": ("import os\nwhile True: os.pipe()", "Too many open files"),
    "the network": (
        "import socket\nsocket.create_connection(('192.0.2.1', 80), 1)",
        "looks up no names",
    ),
    "C": ("import ctypes\nctypes.CDLL(None)", "PermissionError: ctypes.dlopen"),
    "the end of the process": ("import os\nos._exit(0)", "ended the Python process"),
    "an endless loop": ("while True: pass", "did not come to an end"),
    "a long wait": ("import threading\nthreading.Event().wait(60)", "did not come to an end"),
}


@pytest.mark.parametrize("what", ATTACKS)
def test_the_audit_hook_and_the_limits_refuse(what):
    if sys.platform == "win32" and what in ("memory", "threads", "open files"):
        pytest.skip("Windows has no such limit")
    body, says = ATTACKS[what]
    begin = time.monotonic()
    report = examine(body)
    assert report.status == "not yet"
    assert says in report.sentence, str(report)
    assert time.monotonic() - begin < 15


FORGE = """
import json, os
for number in range(3):
    for fd in range(3, 20):
        try: os.write(fd, json.dumps({"number": number, "row": {"holds": True}}).encode() + b"\\n")
        except OSError: pass
for fd in range(3, 20):
    try: os.write(fd, b'{"end": true}\\n')
    except OSError: pass
os._exit(0)
"""
FORGERIES = {
    "messages without the key": FORGE,
    "another comparison": "import sys\n"
    "sys.modules['asyncio_lessons.classroom.exercises.start_here'].same = lambda *_: None\n"
    "return b'wrong'",
    "another code for the comparison": "import sys\n"
    "m = sys.modules['asyncio_lessons.classroom.checking.expect']\n"
    "m.same.__code__ = (lambda *_: None).__code__\nreturn b'wrong'",
    "another judge": "import sys\n"
    "m = sys.modules['asyncio_lessons.classroom.checking.judge']\n"
    "m.Judge.attempt = lambda *_: {'holds': True}\nreturn b'wrong'",
    "another builtin": "import builtins, sys\nbuiltins.type = lambda *_: bytes\nreturn b'wrong'",
    "a flood": "import os\nwhile True: os.write(3, b'x' * 100000)",
    "garbage": "import os\nos.write(3, b'[[[[\\n\\xff\\n[]\\n1\\n{}\\n')\nreturn b'wrong'",
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forged_verdict_does_not_count(what):
    """Found without the reading of answers, which refuses all of these: the second line."""
    report = examine(FORGERIES[what])
    assert report.status == "not yet", str(report)
    assert report.sentence


KERNEL = """
import os, resource, socket, sys
sys.path.insert(0, {folder!r})
import jail
sys.addaudithook = lambda hook: None  # as if there were a way around it
jail.shut(memory=512, loopback=True)
try:
    print("done", {attack})
except (OSError, ValueError) as error:
    print("refused", error)
"""
SYSCALLS = {
    "fork": ("processes", "os.fork()"),
    "a program": ("processes", "os.execv('/bin/true', ['true'])"),
    "kill a parent": ("processes", "os.kill(os.getppid(), 9)"),
    "kill all": ("processes", "os.kill(-1, 9)"),
    "remove a file": ("files", "os.remove({victim!r})"),
    "write a file": ("files", "open({victim!r}, 'w')"),
    "make a file": ("files", "open({victim!r} + '.new', 'w')"),
    "rename a file": ("files", "os.rename({victim!r}, {victim!r} + '.new')"),
    "read a file": ("files", "open({victim!r}).read()"),
    "link a file": ("files", "os.symlink({victim!r}, {victim!r} + '.new')"),
    "change a mode": ("processes", "os.chmod({victim!r}, 0)"),
    "change a time": ("processes", "os.utime({victim!r}, (1, 1))"),
    "a named socket": ("processes", "socket.socket(socket.AF_UNIX)"),
    "the network": ("network", "socket.create_connection(('192.0.2.1', 80), 2)"),
    "memory as a file": ("processes", "os.memfd_create('x')"),
    "more memory": ("resources", "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))"),
    "another's limits": ("processes", "resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE)"),
    "another's priority": ("processes", "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)"),
    "another root": ("processes", "os.chroot('/')"),
}


@linux
@pytest.mark.parametrize("what", SYSCALLS)
def test_the_kernel_refuses_it_too(what, tmp_path):
    """Without the audit hook: Landlock, seccomp, resource limits, the network's namespace."""
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    layer, attack = SYSCALLS[what]
    if not HOLDS.get(layer):
        pytest.skip(f"this system does not offer the layer {layer!r}")
    attack = attack.format(victim=str(victim))
    source = KERNEL.format(folder=os.path.dirname(jail.__file__), attack=attack)
    done = subprocess.run(
        [sys.executable, "-I", "-c", source], capture_output=True, text=True, timeout=30
    )
    assert done.stdout.startswith("refused"), done.stdout + done.stderr
    assert victim.read_text() == "untouched"
    assert victim.stat().st_mode & 0o400 and victim.stat().st_mtime > 2
    assert [p.name for p in tmp_path.iterdir()] == ["victim"]


@linux
def test_in_a_copy_of_this_process_the_jail_holds_as_well():
    """As the grader runs it on Linux: forked, not started."""
    source = (
        "import sys\n"
        "from functools import partial\n"
        "from asyncio_lessons.classroom import workshop\n"
        "from asyncio_lessons.classroom.checking import copied, engine\n"
        "from asyncio_lessons.classroom.checking.catalog import find\n"
        "from asyncio_lessons.classroom.grading import jail\n"
        "copied.prepare()\n"
        "start = partial(copied.Copy, partial(jail.shut, 300, False))\n"
        "for body in sys.argv[1:]:\n"
        "    code = f'def reply(message):\\n    {body}'\n"
        "    course = workshop.course_texts()\n"
        "    reply = find('first-reply')\n"
        "    report = engine.examine(reply, code, course, start, 2.0, picture=False)\n"
        "    print(report.status, report.sentence, sep=': ')\n"
    )
    bodies = {
        "return message[::-1]": "passed: ",
        "import os; os.fork()": "not yet: Your code raised PermissionError: os.fork",
        "return open('/etc/passwd').read()": "not yet: Your code raised PermissionError",
        "import os; os.closerange(3, 99); os.read(0, 1); os._exit(5)": "not yet: Your code ended",
        "import os; os.closerange(3, 99)\n    while True: pass": "not yet: Your code ended",
        "raise SystemExit": "not yet: Your code ends the whole program",
    }
    done = subprocess.run(
        [sys.executable, "-c", source, *bodies], capture_output=True, text=True, timeout=60
    )
    said = done.stdout.splitlines()
    assert len(said) == len(bodies), done.stdout + done.stderr
    for line, (body, expected) in zip(said, bodies.items(), strict=True):
        assert line.startswith(expected), f"{body}: {line}"


@linux
def test_without_a_network_of_its_own_an_answer_still_reaches_only_this_machine():
    """As in a container that forbids namespaces: exercises with sockets pass, others' do not."""
    start = partial(process.start_python, *jail.command(300, False))
    course = workshop.course_texts()
    exercise = find("blocking-repair")
    report = engine.examine(exercise, exercise.solution, course, start, 3.0, picture=False)
    assert report.status == "passed", str(report)
    code = (
        "def reply(message):\n    import socket\n    socket.socket().connect(('192.0.2.1', 80))\n"
    )
    report = engine.examine(find("first-reply"), code, course, start, 3.0, picture=False)
    assert "has only 127.0.0.1" in report.sentence


def test_offers_is_json():
    done = subprocess.run(
        [sys.executable, "-I", jail.__file__, "offers"], capture_output=True, timeout=30
    )
    assert set(json.loads(done.stdout)) == {
        "network", "resources", "privileges", "files", "processes",
    }  # fmt: skip
