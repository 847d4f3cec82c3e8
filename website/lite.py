"""Build JupyterLite with the course in it: a JupyterLab that runs in the reader's browser.

All it needs is put into the folder: Pyodide (Python for the browser) from npm, the packages of its
kernel from PyPI, and the course's own wheel. So the site asks no other host for anything, and the
tests can run it with the network cut.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import nbformat
from jupyterlite_pyodide_kernel.constants import PYODIDE_PYTHON_VERSION, PYODIDE_VERSION

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
DOWNLOADS = ROOT / "build" / "downloads"
KERNEL = "@jupyterlite/pyodide-kernel-extension"
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
# What a kernel loads when it starts. With all of it named in Pyodide's own list of packages, it
# comes at once, and micropip has nothing to look up.
LOADED = ("micropip", "piplite", "ipykernel", "comm", "pyodide-kernel", "jedi", "ipython")
COURSE = "asyncio-lessons"


def build(target: Path) -> None:
    """Build JupyterLite into `target`; downloads what is not in build/downloads yet."""
    work = ROOT / "build" / "lite"
    shutil.rmtree(work, ignore_errors=True)
    contents = work / "contents"
    contents.mkdir(parents=True)
    for notebook in NOTEBOOKS:  # each text in one piece: JupyterLite trips over lists of lines
        (contents / notebook.name).write_text(json.dumps(nbformat.read(notebook, 4)))
    (work / "jupyter-lite.json").write_text(json.dumps(_settings()))
    (work / "overrides.json").write_text(json.dumps(_overrides()))
    _build_pyodide(work / "static" / "pyodide")
    shutil.rmtree(target, ignore_errors=True)
    command = [sys.executable, "-m", "jupyterlite_core.app", "build", "--apps", "lab"]
    command += ["--lite-dir", str(work), "--contents", str(contents), "--output-dir", str(target)]
    _run(command, cwd=work)
    for source_map in target.rglob("*.map"):  # half of the folder, for those who mend JupyterLab
        source_map.unlink()


def _settings() -> dict:
    kernel = {
        "pyodideUrl": "./static/pyodide/pyodide.mjs",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"packages": [*LOADED, COURSE]},
    }
    return {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {
            "appName": "asyncio lessons",
            "exposeAppInBrowser": True,  # the tests speak to it
            "contentsStorageName": "asyncio-lessons",
            "settingsStorageName": "asyncio-lessons settings",
            "litePluginSettings": {f"{KERNEL}:kernel": kernel},
        },
    }


def _overrides() -> dict:
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    return {"@jupyterlab/apputils-extension:notification": quiet}


# -- Pyodide ------------------------------------------------------------------------------------


def _build_pyodide(folder: Path) -> None:
    """Put Pyodide, and the packages a kernel starts with, into `folder`."""
    folder.mkdir(parents=True)
    with tarfile.open(_pyodide()) as archive:
        for name in CORE:
            (folder / name).write_bytes(archive.extractfile(f"package/{name}").read())
        lock = json.load(archive.extractfile("package/pyodide-lock.json"))
    packages = _needed(lock["packages"])
    others = [*_kernel_wheels(), _wheel("comm"), _course_wheel()]
    wheels = {_name_of(wheel): wheel for wheel in others}
    packages |= {name: _entry(name, wheel) for name, wheel in wheels.items()}
    for name, package in packages.items():
        wheel = wheels.get(name) or _wheel(name, package["version"])
        shutil.copy(wheel, folder)
        package |= {"file_name": wheel.name, "sha256": _sum(wheel)}
    lock["packages"] = packages
    (folder / "pyodide-lock.json").write_text(json.dumps(lock))


def _pyodide() -> Path:
    archive = DOWNLOADS / f"pyodide-{PYODIDE_VERSION}.tgz"
    if not archive.exists():
        _fetch("Pyodide", ["npm", "pack", "--loglevel=error", f"pyodide@{PYODIDE_VERSION}"])
    return archive


def _needed(packages: dict) -> dict:
    """Return what `LOADED` names of Pyodide's packages, and what those depend on."""
    found: dict = {}
    names = [name for name in LOADED if name in packages]
    while names:
        name = names.pop().replace("_", "-")
        if name not in found:
            found[name] = packages[name]
            names += packages[name]["depends"]
    return found


def _entry(name: str, wheel: Path) -> dict:
    """Return what Pyodide's list says of a package that is not in it."""
    return {
        "name": name,
        "version": wheel.name.split("-")[1],
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": _sum(wheel),
        "package_type": "package",
        "imports": [name.replace("-", "_")],
        "depends": [],
        "unvendored_tests": False,
    }


# -- wheels -------------------------------------------------------------------------------------


def _wheel(name: str, version: str = "") -> Path:
    """Return a wheel from PyPI, in this version or the newest, downloaded once."""
    stem = f"{name.replace('-', '_')}-{version or '*'}-*.whl"
    if not (found := [*DOWNLOADS.glob(stem)]):
        wanted = f"{name}=={version}" if version else name
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "download"]
        pip += ["--no-deps", "--only-binary=:all:", "--python-version", PYODIDE_PYTHON_VERSION]
        _fetch(wanted, [*pip, "--dest", str(DOWNLOADS), wanted])
        found = [*DOWNLOADS.glob(stem)]
    return found[0]


def _kernel_wheels() -> list[Path]:
    """Return the wheels that JupyterLite's kernel brings along, and its labextension serves."""
    folder = Path(sys.prefix) / "share" / "jupyter" / "labextensions" / KERNEL / "static" / "pypi"
    return [wheel for wheel in folder.glob("*.whl") if _name_of(wheel) in LOADED]


def _course_wheel() -> Path:
    """Build the course's own package, as PyPI would get it."""
    folder = ROOT / "build" / "wheel"
    shutil.rmtree(folder, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "wheel", "--no-deps"]
    pip += ["--no-build-isolation"]  # what builds it is installed: nothing to fetch
    _run([*pip, "--wheel-dir", str(folder), str(ROOT)])
    return next(folder.glob("*.whl"))


def _name_of(wheel: Path) -> str:
    return wheel.name.partition("-")[0].replace("_", "-")


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _fetch(what: str, command: list[str]) -> None:
    """Download something into build/downloads; stop the build with one sentence if that fails."""
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    if not shutil.which(command[0]):
        raise SystemExit(f"{command[0]} is missing; it fetches {what}. Install it, and try again.")
    done = subprocess.run(command, cwd=DOWNLOADS, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise SystemExit(f"{said}\n{what} could not be fetched. Is there a network?")


def _run(command: list[str], cwd: Path = ROOT) -> None:
    """Run a tool, and show what it says only if it fails."""
    done = subprocess.run(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{done.stdout}\nThis did not work: {' '.join(command)}")
