"""Run a program of Python under limits that it cannot lift: ``python -I jail.py LIMITS PROGRAM``.

LIMITS is JSON: ``memory`` in MiB and ``loopback``, whether this system gives a network of one's own
(`offers` finds out). Each system offers its own layers; docs/grading.md says what holds where:

- everywhere, an audit hook refuses what no answer needs: processes, signals, changes to files, and
  every network address but this machine's own;
- on Linux and macOS, resource limits: memory, CPU time, open files, no byte written to a file;
- on Linux, Landlock leaves only Python and the course to be read and nothing to be written, and
  seccomp refuses new processes, signals to others, and what else could reach out of the process;
- on Linux with user namespaces, the network is an empty one of its own.

Standard library only, and nothing of the course: this runs before all else in the process.
"""

import ctypes
import json
import os
import runpy
import struct
import sys
from pathlib import Path

CPU_SECONDS = 20  # the last resort, where the clock outside has failed
_COURSE = Path(__file__).parents[2]


def command(memory: int, loopback: bool) -> tuple[str, ...]:
    """Return what to put before a program: memory in MiB, loopback as `offers` says."""
    return str(Path(__file__)), json.dumps({"memory": memory, "loopback": loopback})


def offers() -> dict[str, bool]:
    """Return which layers hold on this system, found out in a process of its own."""
    import subprocess

    process = [sys.executable, "-I", "-X", "utf8", __file__, "offers"]
    try:
        done = subprocess.run(process, capture_output=True, timeout=20, check=True)
        return json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}


def shut(memory: int, loopback: bool) -> dict[str, bool]:
    """Shut this process in; return which layers hold."""
    held = {"network": loopback and _own_network()}
    held["resources"] = _limit_resources(memory)
    held["privileges"] = _drop_privileges()
    held["files"] = _landlock()
    held["processes"] = _seccomp()
    sys.addaudithook(_refuse)
    return held


# -- everywhere: an audit hook --------------------------------------------------------------------

_REFUSED = (
    "os.system os.exec os.fork os.forkpty os.posix_spawn os.spawn os.startfile pty.spawn "
    "subprocess.Popen os.kill os.killpg signal.pthread_kill os.remove os.rename os.rmdir os.mkdir "
    "os.link os.symlink os.chmod os.chown os.chflags os.truncate os.utime os.setxattr "
    "os.removexattr os.chdir tempfile.mkstemp tempfile.mkdtemp sys.addaudithook "
    "gc.get_objects gc.get_referrers gc.get_referents resource.prlimit "
    "ctypes.dlopen ctypes.dlsym ctypes.cdata ctypes.addressof ctypes.string_at ctypes.memmove"
).split()
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_HERE = ("127.0.0.1", "localhost", "::1", b"127.0.0.1", b"localhost", b"::1")


def _refuse(event: str, args: tuple) -> None:
    if event in _REFUSED_SET:
        raise PermissionError(f"{event}: an answer that is graded may not do this")
    if event == "open" and not isinstance(args[0], int) and args[0] != os.devnull:
        if args[2] & _WRITING or any(letter in (args[1] or "") for letter in "wax+"):
            raise PermissionError("open: an answer that is graded may not write files")
    if event in ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"):
        address = args[1]
        if isinstance(address, tuple) and address[0] in _HERE or address is None:
            return
        raise PermissionError(f"{event}: an answer that is graded has only 127.0.0.1")
    if event in ("socket.getaddrinfo", "socket.gethostbyname") and args[0] not in (*_HERE, None):
        raise PermissionError(f"{event}: an answer that is graded looks up no names")


_REFUSED_SET = frozenset(_REFUSED)


# -- Linux and macOS: resources -------------------------------------------------------------------


def limit_memory(memory: int) -> bool:
    """Limit this process to so many MiB; return whether this system has such a limit."""
    return _limit({"RLIMIT_AS": memory << 20})


def _limit_resources(memory: int) -> bool:
    rest = {
        "RLIMIT_CPU": CPU_SECONDS,
        "RLIMIT_FSIZE": 0,  # no byte to a file, of memory either
        "RLIMIT_NOFILE": 256,
        "RLIMIT_CORE": 0,
        "RLIMIT_MSGQUEUE": 0,
    }
    return limit_memory(memory) and _limit(rest)


def _limit(limits: dict[str, int]) -> bool:
    try:
        import resource
    except ImportError:
        return False
    held = True
    for name, most in limits.items():
        if number := getattr(resource, name, None):
            try:
                resource.setrlimit(number, (most, most))
            except (ValueError, OSError):
                held = False
    return held


# -- Linux: the network ---------------------------------------------------------------------------

_NEWUSER, _NEWNET = 0x10000000, 0x40000000


def _own_network() -> bool:
    """Enter a network that has nothing but its own 127.0.0.1."""
    if not _is_linux() or _libc().unshare(_NEWUSER | _NEWNET):
        return False
    import fcntl
    import socket

    try:
        with socket.socket() as any_socket:  # bring the loopback up: SIOCSIFFLAGS, UP and RUNNING
            fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH22x", b"lo", 0x41))
    except OSError:
        return False
    return True


# -- Linux: privileges ----------------------------------------------------------------------------

_SEARCH = 1 << 2  # CAP_DAC_READ_SEARCH: the course may lie in another user's folder
_DROP_BOUNDING, _NO_NEW_PRIVILEGES = 24, 38


def _drop_privileges() -> bool:
    """Give up what root may, for this process and for what it could start."""
    if not _is_linux():
        return False
    libc = _libc()
    for number in range(64):
        libc.prctl(_DROP_BOUNDING, number, 0, 0, 0)
    version = struct.pack("Ii", 0x20080522, 0)
    keep = _SEARCH if os.geteuid() == 0 else 0
    if libc.capset(version, struct.pack("6I", keep, keep, 0, 0, 0, 0)):
        libc.capset(version, struct.pack("6I", 0, 0, 0, 0, 0, 0))
    return libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0


# -- Linux: files ---------------------------------------------------------------------------------

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers on every processor
_READ_FILE, _READ_FOLDER, _WRITE_FILE = 1 << 2, 1 << 3, 1 << 1
_ETC = "hosts host.conf nsswitch.conf resolv.conf gai.conf localtime ld.so.cache".split()


def _landlock() -> bool:
    """Leave only Python and the course to be read, and nothing to be written."""
    if not _is_linux():
        return False
    libc = _libc()
    version = libc.syscall(_CREATE, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    rights = (1 << 13) - 1
    for since, bit in ((2, 13), (3, 14), (5, 15)):
        rights |= (version >= since) << bit
    fields = [rights] + [0] * (version >= 4) + [3] * (version >= 6)  # no signals, no named sockets
    packed = struct.pack(f"{len(fields)}Q", *fields)
    rules = libc.syscall(_CREATE, packed, ctypes.c_size_t(len(packed)), 0)
    if rules < 0:
        return False
    for path in _readable():
        rights = _READ_FILE | (_READ_FOLDER if os.path.isdir(path) else 0)
        rights |= _WRITE_FILE if path == os.devnull else 0
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
        libc.syscall(_ADD, rules, 1, struct.pack("=Qi", rights, beneath), 0)
        os.close(beneath)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    return libc.syscall(_RESTRICT, rules, 0) == 0 and not os.close(rules)


def _readable() -> list[str]:
    paths = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, str(_COURSE)}
    paths |= {"/usr/lib", "/lib", "/usr/lib64", "/lib64", "/usr/local/lib", "/usr/share/zoneinfo"}
    paths |= {"/dev/urandom", "/dev/null", *(f"/etc/{name}" for name in _ETC)}
    return [path for path in paths if path not in ("", "/", "/usr") and os.path.exists(path)]


# -- Linux: system calls --------------------------------------------------------------------------

# What is refused, by its number on x86_64 and on aarch64 (None: not there).
_CALLS = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "tkill": (200, 130),
    "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "kcmp": (312, 272), "setpriority": (141, 140),
    "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118),
    "sched_setattr": (314, 274), "ioprio_set": (251, 30), "migrate_pages": (256, 238),
    "move_pages": (279, 239), "memfd_create": (319, 279), "memfd_secret": (447, 447),
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190),
    "msgget": (68, 186), "mq_open": (240, 180), "unshare": (272, 97), "setns": (308, 268),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "bpf": (321, 280),
    "perf_event_open": (298, 241), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "userfaultfd": (323, 282), "keyctl": (250, 219),
    "add_key": (248, 217), "request_key": (249, 218), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "acct": (163, 89), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171),
    "sethostname": (170, 161), "setdomainname": (171, 162), "iopl": (172, None),
    "ioperm": (173, None), "quotactl": (179, 60), "syslog": (103, 116),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
    # Landlock says nothing of these: attributes of files
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "removexattrat": (466, 466), "file_setattr": (469, 469), "truncate": (76, 45),
    "flock": (73, 32),
}  # fmt: skip
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_CLONE, _CLONE3, _KILL, _TGKILL = (56, 220), (435, 435), (62, 129), (234, 131)
_PRLIMIT, _SOCKET = (302, 261), (41, 198)
_ALLOW, _EPERM, _ENOSYS, _END = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
_LOAD, _EQUAL, _ABOVE, _BITS, _ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _MACHINE, _FIRST = 0, 4, 16  # where in what the filter is given


def _filter(column: int, machine: int) -> bytes:
    """Return the seccomp filter for this process as the kernel's instructions, 8 bytes each."""
    code = [(_LOAD, 0, 0, _MACHINE), (_EQUAL, 1, 0, machine), (_ANSWER, 0, 0, _END)]
    code += [(_LOAD, 0, 0, _NUMBER), (_ABOVE, 0, 1, 0x40000000), (_ANSWER, 0, 0, _END)]

    def only_if(call: tuple, test: tuple[int, int], otherwise: int = _EPERM) -> None:
        """Allow `call` only if the test holds for its first argument."""
        code.extend([(_EQUAL, 0, 4, call[column]), (_LOAD, 0, 0, _FIRST), (test[0], 0, 1, test[1])])
        code.extend([(_ANSWER, 0, 0, _ALLOW), (_ANSWER, 0, 0, otherwise)])

    only_if(_CLONE, (_BITS, 0x10000))  # threads: CLONE_THREAD
    code += [(_EQUAL, 0, 1, _CLONE3[column]), (_ANSWER, 0, 0, _ENOSYS)]  # then clone is tried
    only_if(_KILL, (_EQUAL, os.getpid()))
    only_if(_TGKILL, (_EQUAL, os.getpid()))
    only_if(_PRLIMIT, (_EQUAL, 0))
    code += [(_EQUAL, 0, 5, _SOCKET[column]), (_LOAD, 0, 0, _FIRST)]  # AF_INET and AF_INET6 only
    code += [
        (_EQUAL, 1, 0, 2),
        (_EQUAL, 0, 1, 10),
        (_ANSWER, 0, 0, _ALLOW),
        (_ANSWER, 0, 0, _EPERM),
    ]
    for call in _CALLS.values():
        if call[column] is not None:
            code += [(_EQUAL, 0, 1, call[column]), (_ANSWER, 0, 0, _EPERM)]
    code += [(_ANSWER, 0, 0, _ALLOW)]
    return b"".join(struct.pack("HBBI", kind, yes, no, value) for kind, yes, no, value in code)


def _seccomp() -> bool:
    """Refuse new processes, signals to others, and what else reaches out of this process."""
    if not _is_linux() or os.uname().machine not in _MACHINES:
        return False
    code = _filter(*_MACHINES[os.uname().machine])
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(held))
    return _libc().prctl(22, 2, program, 0, 0) == 0


def _is_linux() -> bool:
    return sys.platform == "linux"


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Shut this process in and run the program, or tell what holds here."""
    if sys.argv[1] == "offers":
        print(json.dumps(shut(memory=1024, loopback=True)))
        return
    _, limits, program = sys.argv
    shut(**json.loads(limits))
    sys.argv = [program]
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
