"""Exercises are checked: solutions pass, stubs do not, likely wrong answers are named."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import threading
import time

import pytest

from asyncio_lessons.classroom import exercises, workshop
from asyncio_lessons.classroom.checking import catalog, copied, engine, graft, patience, process
from asyncio_lessons.classroom.checking.catalog import find, names
from asyncio_lessons.classroom.notebook import face


@pytest.fixture(autouse=True)
def own_workshop(tmp_path, monkeypatch):
    """Keep a reader's package on this machine out of the tests."""
    monkeypatch.setenv("ASYNCIO_LESSONS_WORKSHOP", str(tmp_path))


def examine(name: str, code: str):
    """Check `code` among the course's modules."""
    return engine.examine(find(name), code, workshop.course_texts())


# -- every exercise ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", names())
def test_the_solution_passes(name):
    """What %solution prints is accepted by %%exercise, and is as long as the stub says."""
    first, _, code = exercises.solution(name).partition("\n")
    assert first == f"%%exercise {name}"
    report = examine(name, code)
    assert report.status == "passed", str(report)
    assert not report.printed


@pytest.mark.parametrize("name", names())
def test_the_stub_is_not_started(name):
    """The cell as it is given runs nothing, and says so."""
    first, _, code = exercises.stub(name).partition("\n")
    assert first == f"%%exercise {name}"
    report = exercises.check(name, code)
    assert report.status == "not started"
    assert "not started" in str(report)
    assert not workshop.exists()


@pytest.mark.parametrize("name", names())
def test_wrong_answers_are_refused_by_the_sentence_meant_for_them(name):
    """Each wrong answer is refused, and for the reason it is wrong."""
    exercise = find(name)
    assert len(exercise.wrong) >= 5
    cells = [wrong.cell(face.answer(name)) for wrong in exercise.wrong]
    # One after the other: Python before 3.11.8 may fail to parse in two threads at once.
    reports = [examine(name, code) for code in cells]
    for wrong, report in zip(exercise.wrong, reports, strict=True):
        assert report.status == "not yet", f"accepted:\n{wrong}"
        assert wrong.says and wrong.says in report.sentence, f"{wrong}\n{report}"
        assert "Traceback" not in str(report)


@pytest.mark.parametrize("name", [name for name in names() if find(name).right])
def test_right_answers_in_other_shapes_pass(name):
    """A check looks at what the code does, not at how it is written."""
    exercise = find(name)
    assert len(set(exercise.right)) >= 3
    for code in exercise.right:
        report = examine(name, graft.merge(face.answer(name), code))
        assert report.status == "passed", f"{code}\n{report}"


def code_lines(code: str) -> dict[str, int]:
    """Count the lines of each function's body, docstrings apart."""
    found = {}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            texts = [s for s in node.body if isinstance(getattr(s, "value", None), ast.Constant)]
            body = [s for s in node.body if s not in texts or not isinstance(s, ast.Expr)]
            found[node.name] = len(ast.unparse(body).splitlines())
    return found


@pytest.mark.parametrize("name", [name for name in names() if find(name).right])
def test_a_function_that_a_reader_writes_has_15_lines_at_most(name):
    """Lines that the stub gives do not count."""
    given = code_lines(find(name).stub)
    for function, lines in code_lines(face.answer(name)).items():
        assert lines - given.get(function, 0) <= 15, function


@pytest.mark.parametrize("name", names())
def test_an_exercise_is_small_and_has_three_hints(name):
    """About 25 lines at most, a stub that states its size, hints that lead there."""
    exercise = find(name)
    assert len(exercise.hints) == len(set(exercise.hints)) == 3
    assert exercise.lines <= 25  # a whole class may have a few more than a method
    code = [s for s in exercise.stub.splitlines() if s.strip()]
    assert len(code) <= 25
    if exercise.module:
        assert re.search(r"# (about )?\d+ lines?", exercise.stub)
        assert f"  {exercise.lesson}_" not in exercise.stub
    assert all(len(line) <= 100 for line in exercise.stub.splitlines())
    assert exercise.checks


def test_the_list_in_the_docstring_is_true():
    """An author of a lesson reads the names there."""
    listed: dict[str, list[str]] = {}
    for line in exercises.__doc__.splitlines():
        if match := re.fullmatch(r"    (\d\d)  (\S.*)", line):
            listed.setdefault(match[1], []).extend(match[2].split())
    assert listed == {lesson: names(lesson) for lesson in listed}
    assert sum(listed.values(), []) == names()


def test_names_lead_to_their_exercises():
    """The catalogue's names are those of the files, and stand in the order of the lessons."""
    for file, held in catalog.FILES.items():
        assert tuple(catalog._load(file)) == held
        for name in held:
            assert find(name).module in ("", file)
    lessons = [find(name).lesson for name in names()]
    assert lessons == sorted(lessons)


def test_stubs_in_the_lessons_are_the_stubs_of_the_exercises(root):
    """A cell with %%exercise holds what `stub` gives, to the letter; each lesson has its own."""
    for path in sorted(root.glob("notebooks/*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
        found = {s.split()[1]: s for s in sources if s.startswith("%%exercise")}
        assert sorted(found) == sorted(names(path.name[:2])), path.name
        for name, source in found.items():
            assert source.strip() == exercises.stub(name), f"{path.name}: {name}"


# -- whatever the reader writes ----------------------------------------------------------------

BODY = {
    "an endless loop": ("while True: pass", "did not come to an end", "line 3 of your code"),
    "an endless loop that catches all": (
        "while True:\n        try: pass\n        except BaseException: pass",
        "did not come to an end",
    ),
    "a long sleep": ("__import__('time').sleep(60)", "time.sleep blocks the whole loop", "line 3"),
    "work in C": ("10 ** 10 ** 9", "did not come to an end"),
    "a recursion": ("return drive(coro)", "calls itself without end"),
    "input": ("return input('name? ')", "asks for input()"),
    "sys.exit": ("__import__('sys').exit(3)", "sys.exit()"),
    "exit": ("exit()", "sys.exit()"),
    "os._exit": ("__import__('os')._exit(7)", "ended the Python process it ran in (exit status 7)"),
    "a typo": ("return corro.send(None)", "NameError", "line 3 of your code: `return corro"),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", "raised KeyboardInterrupt"),
    "a broken repr": (
        "return type('Odd', (), {'__repr__': lambda self: 1 / 0})()",
        "return stop.value",
    ),
    "an endless repr": (
        "return type('Odd', (), {'__repr__': lambda self: repr(self)})()",
        "return stop.value",
    ),
    "an exception that cannot be shown": (
        "raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})",
        "Your code raised Odd",
    ),
    "a closed stdout": ("__import__('sys').stdout.close(); return 1", "return stop.value"),
    "too much memory": ("return len([0] * 10**15)", "MemoryError"),
}


@pytest.mark.parametrize("what", BODY)
def test_whatever_is_written_ends_in_one_sentence_in_time(what):
    """A check ends in two seconds of its own, with a sentence, and nothing reaches the kernel."""
    body, *says = BODY[what]
    begin, worked = time.monotonic(), os.times().children_user
    report = examine("drive", f"# mine\ndef drive(coro):\n    {body}\n")
    assert os.times().children_user - worked < 2
    assert time.monotonic() - begin < 2 + patience.MOST
    assert report.status == "not yet"
    for fragment in says:
        assert fragment in report.sentence, str(report)
    assert "Traceback" not in str(report)
    assert len(report.sentence) < 500


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("def drive(coro)\n    pass", "Line 1 of your code is not Python yet (expected ':')"),
        ("def drive(coro):\npass", "Line 2 of your code is not Python yet"),
        ("def drive(coro:\n    pass", "is not Python yet"),
        ("x = 1", "does not define `drive`"),
        ("def drvie(coro):\n    return 1", "does not define `drive`"),
        ("def drive(coro):\n    ...", "still as in the stub"),
        ("import asyncio\ndef drive(coro):\n    asyncio.run(coro)", "Line 1 imports `asyncio`"),
        ("def drive(coro):\n    return 1\n" + "(" * 500, "is not Python yet"),
        ("def drive(coro):\n    return '\0'", "cannot be read as Python"),
        ("await drive(1)", "is not Python yet"),
    ],
)
def test_what_cannot_run_is_said_before_it_runs(code, says):
    """No process is needed to say that."""
    report = examine("drive", code)
    assert report.status == "not yet"
    if "\0" in code or says == "still as in the stub":
        assert report.sentence
    else:
        assert says in report.sentence, str(report)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the patch is there in a copy of this process")
@pytest.mark.parametrize("waiting", [True, False])
def test_the_time_that_a_check_waits_for_a_processor_does_not_count(waiting, monkeypatch):
    """A right answer passes on a machine under load, too."""
    begin = time.monotonic()
    waited = (lambda pid: time.monotonic() - begin) if waiting else (lambda pid: 0.0)
    monkeypatch.setattr(patience, "_waited", waited)
    slow = "threading.Event().wait(0.5)\n    try:\n"
    code = "import threading\n" + face.answer("drive").replace("try:\n", slow, 1)
    report = engine.examine(find("drive"), code, workshop.course_texts(), copied.Copy)
    assert (report.status == "passed") == waiting, str(report)


COMPETITION = """
import os, time
from asyncio_lessons.classroom.checking.patience import time_of
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
if not (other := os.fork()):
    while True:
        pass
begin = time.monotonic() - time_of()
end = time.monotonic() + 0.5
while time.monotonic() < end:
    pass
os.kill(other, 9)
print(time.monotonic() - time_of() - begin)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/schedstat"), reason="the system does not say")
def test_a_process_that_shares_a_processor_waits_for_it():
    command = [sys.executable, "-c", COMPETITION]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert 0.1 < float(done.stdout) < 0.5


def test_a_flood_of_prints_is_cut_and_the_answer_counts():
    """A right answer that prints in each round passes; the notebook gets a page of it."""
    code = face.answer("drive").replace(
        "while True:", "while True:\n            print('x' * 10**6)"
    )
    report = examine("drive", code)
    assert report.status == "passed", str(report)
    assert len(report.printed) < 2200
    assert "more characters" in report.printed


def test_prints_and_trials_below_the_answer_are_shown():
    """Lines that try the answer run, and what they print is shown; they do not join."""
    code = face.answer("drive") + "\nasync def one():\n    return 'µ'\n\nprint(drive(one()))\n"
    report = exercises.check("drive", code)
    assert report.status == "passed", str(report)
    assert report.printed == "µ\n"
    assert "print(" not in (workshop.folder() / "coroutines.py").read_text(encoding="utf-8")
    wrong = examine("drive", code + "print(1 / 0)\n")
    assert wrong.status == "not yet"
    assert "ZeroDivisionError: division by zero" in wrong.sentence


def test_threads_and_processes_left_behind_end_with_the_check(tmp_path):
    """Nothing of it runs after the answer is there."""
    sign = tmp_path / "sign"
    start = (
        "    import subprocess, sys, threading, time\n"
        "    threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "    late = 'import sys, time; time.sleep(1.5); open(sys.argv[1], \"w\")'\n"
        f"    subprocess.Popen([sys.executable, '-c', late, {str(sign)!r}])\n"
    )
    code = face.answer("drive").replace("    try:", f"{start}    try:", 1)
    begin = time.monotonic()
    report = examine("drive", code)
    assert report.status == "passed", str(report)
    assert time.monotonic() - begin < 2
    if sys.platform != "win32":
        time.sleep(2)
        assert not sign.exists()


def test_an_interrupt_ends_the_check_and_says_so():
    """Ctrl-C, or the stop button: the process is gone, the notebook continues."""
    code = "def drive(coro):\n    while True: pass\n"
    timer = threading.Timer(0.4, _interrupt_main)
    timer.start()
    report = examine("drive", code)
    timer.join()
    assert report.status == "interrupted"
    assert "You interrupted the check" in str(report)


def _interrupt_main() -> None:
    import _thread

    _thread.interrupt_main()


def test_nothing_of_a_check_stays_in_this_process():
    """No child, no open pipe, no thread after a check that was stopped."""
    import psutil

    examine("drive", "def drive(coro):\n    while True: pass\n")
    end = time.monotonic() + 2
    while time.monotonic() < end and (_pipes() or psutil.Process().children()):
        time.sleep(0.02)
    assert not psutil.Process().children()
    assert not [t for t in threading.enumerate() if t.name.endswith("(_talk)")]


def _pipes() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.endswith("(_talk)")]


# -- how it reads ------------------------------------------------------------------------------


def test_a_report_reads_as_text_and_as_a_table_without_scripts():
    """Both say the same; yours stands beside expected."""
    code = find("round-robin").wrong[0].cell(face.answer("round-robin"))
    report = examine("round-robin", code)
    text = str(report)
    assert text.startswith("round-robin: not yet. 4 of 5 hold.\n")
    assert "✕ coroutines take turns, one step each" in text
    assert "yours     expected\n" in text
    assert "B step 1   <- here" in text
    data = report._repr_mimebundle_()
    assert data["text/plain"] == text == repr(report)
    html = data["text/html"]
    assert "<script" not in html and " id=" not in html
    assert "B step 1" in html


def test_code_in_a_report_is_escaped():
    """The reader's own text cannot break the page."""
    report = examine(
        "drive", "def drive(coro):\n    raise ValueError('<script>alert(1)</script>')\n"
    )
    assert "<script" not in report.html()
    assert "&lt;script&gt;" in report.html()


def test_a_timeline_of_the_readers_own_code_is_shown_also_when_it_is_wrong():
    """As an image that needs no script, and as text."""
    code = find("sequential-repair").wrong[0].code
    report = examine("sequential-repair", code + "async def world():\n    await aio.sleep(2)\n")
    assert report.status == "not yet"
    assert re.search(r"(?s)What your code did\n.*main .*0 +3 s", str(report)), str(report)
    assert 'src="data:image/svg+xml;base64,' in report.html()


def test_an_x_ray_of_the_readers_own_code_is_shown():
    """The suspended tunnel, with its names."""
    report = examine("tunnel-send", face.answer("tunnel-send"))
    assert "X-ray of your code, suspended:\ngenerator tunnel(): suspended" in str(report)
    assert "sent = 'oh hi'" in str(report) and "sent = &#x27;oh hi&#x27;" in report.html()


def test_a_python_that_cannot_start_another_says_so(monkeypatch):
    """As in a browser: a sentence, no traceback."""
    monkeypatch.setattr(sys, "executable", str(process._ROOT / "no-such-python"))
    report = examine("drive", face.answer("drive"))
    assert report.status == "not yet"
    assert report.sentence.startswith("This Python cannot start another one")


def test_an_unknown_name_is_met_with_the_one_that_is_meant():
    """The error names it."""
    with pytest.raises(catalog.UnknownExercise, match="Is it 'future-await'"):
        exercises.check("futur-await", "x = 1")


def test_hints_come_one_by_one():
    """Each call shows one more, the last points to the solution."""
    face._shown.clear()
    first, second, third = (exercises.hint("drive") for _ in range(3))
    assert first.startswith("Hint 1 of 3: ") and "Hint 2" not in first
    assert "Hint 2 of 3" in second and "Hint 3" not in second
    assert third.endswith("%solution drive")
    assert exercises.hint("drive", 1) == first


# -- in a notebook -----------------------------------------------------------------------------


@pytest.fixture
def shell():
    """An IPython shell with the commands loaded."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    shell.run_line_magic("load_ext", "asyncio_lessons.classroom.notebook.exercise_magics")
    yield shell
    InteractiveShell.clear_instance()


def run(shell, capsys, cell: str) -> str:
    """Run a cell; return what it printed."""
    result = shell.run_cell(cell)
    result.raise_error()
    return capsys.readouterr().out


def test_the_commands_in_a_notebook(shell, capsys):
    """Stub, wrong, right; hint, solution, progress, workshop; a wrong name raises nothing."""
    assert "drive: not started." in run(shell, capsys, exercises.stub("drive"))
    wrong = "%%exercise drive\ndef drive(coro):\n    return 1\n"
    assert "drive: not yet. " in run(shell, capsys, wrong)
    assert "Line 2 of your code is not Python" in run(shell, capsys, "%%exercise drive\ndef drive(")
    typo = "%%exercise drive\ndef drive(coro):\n    return corro.send(None)\n"
    assert "(line 3 of your code: `return corro.send(None)`)" in run(shell, capsys, typo)
    assert "✕ drive" in run(shell, capsys, "%progress")
    solution = run(shell, capsys, "%solution drive")
    assert "drive: passed." in run(shell, capsys, solution)
    assert "✓ drive" in run(shell, capsys, "%progress")
    assert "your answer passed earlier" in run(shell, capsys, exercises.stub("drive"))
    assert "Hint 1 of 3" in run(shell, capsys, "%hint tunnel 1")
    assert "coroutines  partly yours" in run(shell, capsys, "%workshop")
    assert "All that has passed still holds." in run(shell, capsys, "%workshop check")
    assert "is the course's again" in run(shell, capsys, "%workshop restore coroutines")
    assert "Is it 'drive'?" in run(shell, capsys, "%%exercise driv\nx")
    assert "There is no exercise ''" in run(shell, capsys, "%hint")
    assert "restore futures" in run(shell, capsys, "%workshop restore")
    assert "drive" not in shell.user_ns


def test_loading_the_commands_is_quick():
    """They load none of the exercises, and no plotting."""
    code = (
        "import sys; from asyncio_lessons.classroom import exercises, workshop;"
        "from asyncio_lessons.classroom.notebook import exercise_magics as magics;"
        "print([m for m in sys.modules if 'matplotlib' in m or m.endswith('exercises.futures')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
