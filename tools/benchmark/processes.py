"""Starts the processes that take part in a run, and ends every one of them.

Each child is pinned to a core, is in a session of its own (so that Ctrl-C reaches only us), and dies with us even if
we are killed. Files go to one temporary folder, which goes away with the `Processes`.
"""

import ctypes
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time

from tools.benchmark.system import BenchError, read

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def raise_file_limit():
    """Lets us and our children open as many files as is allowed at all; returns that number."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Processes:
    """Use as a context manager."""

    def __init__(self):
        self.folder = None
        self._children = []
        self._named = 0

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="convoy-bench-")
        return self

    def __exit__(self, *unused):
        # A second Ctrl-C must not leave anything behind.
        before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for child in reversed(self._children):
                end(child, grace=0.0)
            shutil.rmtree(self.folder, ignore_errors=True)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def path(self, name):
        return os.path.join(self.folder, name)

    def unique_path(self, name):
        self._named += 1
        return self.path(f"{name}.{self._named}")

    def start(self, command, core, stdout=None, stderr=None, environment=None):
        """Starts `command` pinned to `core` (None: to none), with `environment` added to ours.

        Output goes to files of the folder, by default of a name of its own.
        """
        path = self.unique_path(os.path.basename(command[0]))
        out_path = stdout or f"{path}.out"
        err_path = stderr or f"{path}.err"
        parent = os.getpid()

        def prepare():
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)
            os.sched_setaffinity(0, {core} if core is not None else range(os.cpu_count()))

        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        out, err = os.open(out_path, flags, 0o600), os.open(err_path, flags, 0o600)
        try:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=self.folder,
                                     start_new_session=True, preexec_fn=prepare,
                                     env={**os.environ, **(environment or {})})
        except OSError as error:
            raise BenchError(f"cannot start {command[0]}: {error.strerror}") from error
        finally:
            os.close(out)
            os.close(err)
        child.out_path, child.err_path = out_path, err_path
        self._children.append(child)
        return child

    def run(self, command, core, seconds):
        """Runs `command` to its end and returns what it printed."""
        child = self.start(command, core)
        try:
            status = child.wait(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise BenchError(f"{' '.join(command)}: not done within {seconds:g} s") from error
        finally:
            self.stop(child)
        if status != 0:
            raise BenchError(f"{' '.join(command)}: exit status {status}\n{output_of(child)}")
        return read(child.out_path)

    def stop(self, child, grace=5.0):
        """Ends a child: SIGTERM, after `grace` seconds SIGKILL."""
        end(child, grace)
        if child in self._children:
            self._children.remove(child)


def end(child, grace):
    if child.poll() is None and grace > 0:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(timeout=grace)
        except subprocess.TimeoutExpired:
            pass
    # The whole session: a child may have children.
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def output_of(child, most=2000):
    """The last words of a child, for an error message."""
    time.sleep(0.05)
    return (read(child.err_path, " ") + read(child.out_path, " ")).strip()[-most:]
