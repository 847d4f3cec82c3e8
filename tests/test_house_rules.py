"""The rules this house lives by, each held by a test: arrows, sizes, names, notebooks, pins."""

from __future__ import annotations

import ast
import inspect
import re
import shutil
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import language
import measure_lessons
import nbformat
import pytest
from run_notebooks import NOTEBOOKS, ROOT, is_meaningful, normalise, number_of, read, write

import asyncio_lessons

PACKAGE = ROOT / "asyncio_lessons"
# In the order in which they are taught: a module may import those before it, and no other.
STAIRCASE = (
    "generators delegation coroutines futures tasks event_loop sockets waiting queues locks"
).split()
HEART = ("futures", "tasks", "event_loop", "sockets")
CEILING = 2438  # the goal was 1,841: what the readable and the fast form of a thing cost together


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def steps() -> list[Path]:
    """The files of the staircase, in order."""
    return [PACKAGE / f"{name}.py" for name in STAIRCASE]


# Arrows


def imports(node: ast.AST, package: str) -> Iterator[str]:
    """Yield the full name of every module (or name in one) that is imported anywhere in `node`."""
    for found in ast.walk(node):
        if isinstance(found, ast.Import):
            yield from (alias.name for alias in found.names)
        elif isinstance(found, ast.ImportFrom):
            parents = package.split(".")[: 1 - found.level or None] if found.level else []
            base = ".".join([*parents, *filter(None, [found.module])])
            yield from (f"{base}.{alias.name}" for alias in found.names)


def imports_of(path: Path) -> list[str]:
    package = ".".join(path.relative_to(ROOT).parent.parts)
    return list(imports(tree_of(path), package))


def part_of(module: str) -> str:
    """The part of the package a module's full name lies in: `futures`, `classroom`, `demos`, ...

    Of a public name that the package hands on, it is the module of the heart that has it.
    """
    part = module.split(".")[1] if module.startswith("asyncio_lessons.") else ""
    return asyncio_lessons._HOMES[part][-1] if part in asyncio_lessons._HOMES else part


@pytest.mark.parametrize("step", STAIRCASE)
def test_a_module_imports_only_what_is_taught_before_it(step: str) -> None:
    allowed = set(STAIRCASE[: STAIRCASE.index(step)])
    used = {part_of(name) for name in imports_of(PACKAGE / f"{step}.py")} - {""}
    assert used <= allowed, f"{step} imports {sorted(used - allowed)}, taught after it"


@pytest.mark.parametrize("step", STAIRCASE)
def test_the_staircase_imports_its_own_only_relatively(step: str) -> None:
    for node in ast.walk(tree_of(PACKAGE / f"{step}.py")):
        absolute = isinstance(node, ast.ImportFrom) and not node.level
        named = [node.module] if absolute else [a.name for a in getattr(node, "names", [])]
        if absolute or isinstance(node, ast.Import):
            assert not any(name.startswith("asyncio_lessons") for name in named), ast.unparse(node)


@pytest.mark.parametrize("step", STAIRCASE)
def test_the_staircase_does_not_name_asyncio_in_an_import(step: str) -> None:
    assert not [name for name in imports_of(PACKAGE / f"{step}.py") if is_asyncio(name)]


def is_asyncio(name: str) -> bool:
    return name.split(".")[0] in ("asyncio", "_asyncio")


def test_the_whole_staircase_runs_without_asyncio() -> None:
    loads = "".join(f"import asyncio_lessons.{step}\n" for step in STAIRCASE)
    run_python(f"{loads}import sys\nassert 'asyncio' not in sys.modules")


def test_importing_the_package_loads_no_module_of_it() -> None:
    check = "assert not [m for m in sys.modules if m.startswith('asyncio_lessons.')]"
    run_python(f"import sys, asyncio_lessons\n{check}")


def test_the_classroom_does_not_import_the_demos() -> None:
    for path in (PACKAGE / "classroom").rglob("*.py"):
        assert "demos" not in {part_of(name) for name in imports_of(path)}, path


def test_no_two_modules_of_the_classroom_import_each_other() -> None:
    used = {}
    for path in (PACKAGE / "classroom").rglob("*.py"):
        if path.name != "__init__.py":
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            used[name] = set(imports_of(path))
    for name in used:
        reached, left = set(), {name}
        while left:
            now = left.pop()
            deeper = {m for m in used if any(f"{i}.".startswith(f"{m}.") for i in used[now])}
            left |= deeper - reached
            reached |= deeper
        assert name not in reached, f"{name} imports itself through others"


def test_a_demo_runs_without_the_classroom() -> None:
    for path in (PACKAGE / "demos").rglob("*.py"):
        for node in tree_of(path).body:  # inside a function is allowed: to draw, when asked to
            if isinstance(node, ast.Import | ast.ImportFrom):
                package = ".".join(path.relative_to(ROOT).parent.parts)
                assert "classroom" not in {part_of(name) for name in imports(node, package)}, path


def run_python(source: str, folder: Path = ROOT) -> str:
    """Run a program in a Python of its own, in `folder`, and return what it prints."""
    command = [sys.executable, "-W", "error", "-c", source]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


PROGRAM = """
import sys
sys.modules["asyncio_lessons"] = None
import my_own as aio

async def worker(name, jobs, said):
    while (job := await jobs.get()) is not None:
        await aio.sleep(job)
        said.append((name, job, aio.get_running_loop().time()))

async def main():
    jobs, said = aio.Queue(), []
    async with aio.TaskGroup() as group:
        for name in "ab":
            group.create_task(worker(name, jobs, said))
        for job in (3, 1, 2, None, None):
            await jobs.put(job)
    async with aio.Lock():
        return said

print(aio.run(main(), loop_factory=lambda: aio.EventLoop(clock=aio.VirtualClock())))
"""


def test_a_copy_of_the_staircase_under_another_name_is_a_working_package(tmp_path: Path) -> None:
    copy = tmp_path / "my_own"
    copy.mkdir()
    shutil.copytree(PACKAGE / "annexes", copy / "annexes")
    for path in [PACKAGE / "__init__.py", *steps()]:
        shutil.copy(path, copy)
    assert run_python(PROGRAM, tmp_path) == "[('b', 1, 1.0), ('a', 3, 3.0), ('b', 2, 3.0)]\n"


# Sizes


def doc_lines(tree: ast.AST) -> set[int]:
    """The numbers of the lines that are docstrings."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if ast.get_docstring(node, clean=False) is not None:
                lines.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return lines


def code_lines(path: Path) -> set[int]:
    """The numbers of the lines that are code: not empty, not a comment, not in a docstring."""
    source = path.read_text(encoding="utf-8")
    lines = enumerate(map(str.strip, source.splitlines()), 1)
    code = {number for number, line in lines if line and not line.startswith("#")}
    return code - doc_lines(ast.parse(source))


def annexes() -> list[Path]:
    """The files of the annexes."""
    return sorted((PACKAGE / "annexes").rglob("*.py"))


def lengths_of_functions(path: Path) -> dict[str, int]:
    """How many lines of code each function of a file has."""
    code = code_lines(path)
    return {
        f"{path.stem}.{node.name}:{node.lineno}": len(
            code & {*range(node.lineno, node.end_lineno + 1)}
        )
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_the_heart_is_small() -> None:
    assert sum(len(code_lines(PACKAGE / f"{name}.py")) for name in HEART) <= 480


def test_the_staircase_and_its_annexes_do_not_grow() -> None:
    assert sum(len(code_lines(path)) for path in [*steps(), *annexes()]) <= CEILING


@pytest.mark.parametrize("path", [*steps(), *annexes()], ids=lambda path: path.stem)
def test_a_module_is_small(path: Path) -> None:
    assert len(code_lines(path)) <= (380 if path.stem == "waiting" else 190)


@pytest.mark.parametrize("path", [*steps(), *annexes()], ids=lambda path: path.stem)
def test_no_function_is_long(path: Path) -> None:
    assert not {name for name, length in lengths_of_functions(path).items() if length > 20}


def test_the_median_function_is_short() -> None:
    lengths = [n for path in [*steps(), *annexes()] for n in lengths_of_functions(path).values()]
    assert statistics.median(lengths) <= 6, sorted(lengths)


def test_the_heart_imports_no_annex_and_the_annexes_nothing_but_the_staircase() -> None:
    for name in HEART:
        assert "annexes" not in {part_of(each) for each in imports_of(PACKAGE / f"{name}.py")}
    for path in annexes():
        assert {part_of(each) for each in imports_of(path)} - {""} <= {*STAIRCASE, "annexes"}, path


# Names


@pytest.mark.parametrize("name", asyncio_lessons.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    thing = getattr(asyncio_lessons, name)
    if inspect.isclass(thing) or inspect.isroutine(thing):
        assert "__doc__" in vars(thing) or inspect.isroutine(thing)
        assert (thing.__doc__ or "").strip(), f"{name} has no docstring"


# Notebooks

PATHS = [pytest.param(path, id=path.stem) for path in sorted(NOTEBOOKS.glob("*.ipynb"))]
PATTERNS = {
    "an address": r"\b0x[0-9a-fA-F]{6,}",
    "a process id": r"\bipykernel_\d+|\b[Pp][Ii][Dd][ =:]+\d+",
    "a path": r"(?<![\w.])(/(home|Users|tmp|root|usr|opt|var|private)/|[A-Z]:\\)|site-packages",
    "a traceback with a file": r'\bFile "(?!<)',
}


@pytest.fixture(params=PATHS)
def notebook(request: pytest.FixtureRequest) -> nbformat.NotebookNode:
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def texts(output: nbformat.NotebookNode) -> Iterator[str]:
    """Yield what a reader could read in an output; pictures packed into text are left out."""
    for kind, text in {"stream": output.get("text", ""), **output.get("data", {})}.items():
        if kind.startswith(("stream", "text/")):
            yield re.sub(r"data:[\w/+]+;base64,[\w+/=]+", "", text)


def test_notebooks_hold_nothing_but_numbered_lessons() -> None:
    names = [path.name for path in NOTEBOOKS.glob("[!.]*") if path.name != "my_asyncio"]
    assert all(re.fullmatch(r"\d\d_[a-z_]+\.ipynb", name) for name in names), names


@pytest.mark.parametrize("path", PATHS)
def test_a_notebook_is_in_the_one_form(path: Path) -> None:
    assert write(normalise(read(path), number_of(path))) == path.read_bytes(), "make notebooks"


@pytest.mark.parametrize("path", PATHS)
def test_cell_ids_mean_something(path: Path) -> None:
    ids = [cell.id for cell in nbformat.read(path, as_version=4).cells]
    assert not [id for id in ids if not is_meaningful(id, number_of(path))]
    assert len(set(ids)) == len(ids)


def test_cells_are_counted_from_one_without_a_gap(notebook: nbformat.NotebookNode) -> None:
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_code_cells_are_short_and_end_without_a_semicolon(notebook: nbformat.NotebookNode) -> None:
    for cell in code_cells(notebook):
        lines = cell.source.strip().splitlines()
        most = 30 if lines[0].startswith("%%exercise") else 20  # a stub may hold a whole class
        assert 1 <= len(lines) <= most, f"{cell.id} has {len(lines)} lines"
        assert not lines[-1].endswith(";"), f"{cell.id}: nbval runs without history, and shows it"


def test_outputs_hold_no_error(notebook: nbformat.NotebookNode) -> None:
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type != "error", f"{cell.id}: catch it and show its message"


@pytest.mark.parametrize("what", PATTERNS)
def test_outputs_are_the_same_everywhere(notebook: nbformat.NotebookNode, what: str) -> None:
    for cell in code_cells(notebook):
        for text in (text for output in cell.outputs for text in texts(output)):
            found = re.search(PATTERNS[what], text)
            assert not found, (
                f"{cell.id} shows {what}: {text[found.start() - 40 : found.end() + 40]}"
            )


def test_a_cell_prints_to_one_stream_only(notebook: nbformat.NotebookNode) -> None:
    for cell in code_cells(notebook):
        streams = {output.name for output in cell.outputs if output.output_type == "stream"}
        assert len(streams) <= 1, f"{cell.id}: stdout and stderr have no order between them"


# Words and measures

MEASURED = measure_lessons.derived()


@pytest.mark.parametrize("path", language.files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_language_is_plain_and_of_today(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    if name not in language.EXEMPT:
        assert not list(language.found_in(path)), f"what to write instead: {language.INSTEAD}"


@pytest.mark.parametrize("path", MEASURED, ids=lambda path: path.name)
def test_lessons_are_measured(path: Path) -> None:
    as_measured = path.read_bytes() == MEASURED[path]  # pytest would compare the two for minutes
    assert as_measured, ".venv/bin/python tests/measure_lessons.py"


# Pages, pins and tools


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)|(?:src|srcset)=\"([^\"]+)", text)
    local = [name for pair in targets for name in pair if name and "://" not in name]
    assert not [name for name in local if not (ROOT / name).exists()]


def test_the_readme_lists_the_staircase_in_order() -> None:
    table = re.findall(r"\(asyncio_lessons/(\w+)\.py\)", (ROOT / "README.md").read_text())
    assert table == [*STAIRCASE, "bridge"]


def test_the_readmes_program_runs() -> None:
    program = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert run_python(program[1]) == "['hello', 'world']\n"


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pins(lines: list[str]) -> dict[str, str]:
    """The exact versions among requirements."""
    found = (re.match(r"([\w-]+)==([\w.]+)", line) for line in lines)
    return {match[1]: match[2] for match in found if match}


def test_binder_draws_with_what_drew_the_committed_pictures() -> None:
    wanted = pins(project()["project"]["optional-dependencies"]["course"])
    binder = pins((ROOT / "binder" / "requirements.txt").read_text().splitlines())
    assert wanted.keys() == {"matplotlib", "pillow"}
    assert wanted.items() <= binder.items()


def test_pre_commit_formats_as_the_tests_do() -> None:
    ruff = pins(project()["project"]["optional-dependencies"]["test"])["ruff"]
    config = (ROOT / ".pre-commit-config.yaml").read_text()
    assert f"rev: v{ruff}" in config


def test_the_sources_are_linted_and_formatted() -> None:
    for command in (["check", "--output-format=concise"], ["format", "--check"]):
        arguments = [sys.executable, "-m", "ruff", *command, "--quiet", "--no-cache", "."]
        done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"make format\n{done.stdout}{done.stderr}"


# The heart alone


def run_small_programs(folder: Path, *left_out: str) -> str:
    """Run the lessons' programs on a copy of the package without some of its folders."""
    ignored = shutil.ignore_patterns("classroom", *left_out)
    shutil.copytree(PACKAGE, folder / "asyncio_lessons", ignore=ignored)
    return run_python((ROOT / "tests" / "heart_programs.py").read_text(encoding="utf-8"), folder)


def test_the_heart_stands_alone(tmp_path: Path) -> None:
    whole = run_small_programs(tmp_path / "whole")
    assert run_small_programs(tmp_path / "without_speed", "speed") == whole
    assert run_small_programs(tmp_path / "without_annexes", "annexes") == whole
    assert whole.endswith("worker 3 ends 10\n-- 12: echo reverse\nb'\\nolleh'\n")
