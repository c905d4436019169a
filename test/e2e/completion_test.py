#!/usr/bin/env python3
"""Completion as a person meets it: an interactive zsh on a terminal, and the key Tab.

bash is asked by //test/tools/ctl:convoyctl_test; zsh completes only where its line editor runs.
"""

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.getcwd(), "test/e2e"))

import results  # noqa: E402

SECONDS = 60
KILL_LINE = "\x15"


class Zsh:
    """A shell that starts from `start_up` alone. Use as a context manager."""

    def __init__(self, folder, start_up):
        with open(os.path.join(folder, ".zshrc"), "w", encoding="utf-8") as file:
            file.write(start_up)
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            path = os.path.join(os.getcwd(), "tools") + ":" + os.environ["PATH"]
            os.execvpe("zsh", ["zsh", "--no-globalrcs", "-i"], {"PATH": path, "ZDOTDIR": folder, "TERM": "dumb", "HOME": folder})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)

    def type(self, text):
        os.write(self.terminal, text.encode())

    def await_text(self, text):
        """Reads what the terminal shows until `text` is among it."""
        shown = ""
        end = time.monotonic() + SECONDS
        while text not in shown:
            if not select.select([self.terminal], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"not within {SECONDS} s: {text!r}; the terminal shows {shown!r}")
            shown += os.read(self.terminal, 4096).decode(errors="replace")


class CompletionTest(unittest.TestCase):
    def test_zsh_completes_commands_flags_and_values(self):
        self.assertIsNotNone(shutil.which("zsh"), "zsh is missing; tools/setup installs it")
        with tempfile.TemporaryDirectory() as folder:
            script = os.path.join(folder, "convoyctl.zsh")
            with open(script, "wb") as file:
                subprocess.run(["tools/convoyctl", "completion", "zsh"], stdout=file, timeout=SECONDS, check=True)
            with Zsh(folder, f"PS1='ready> '\nautoload -U compinit && compinit -u -D\nsource {script}\n") as zsh:
                zsh.await_text("ready> ")
                for typed, completed in (("node bootst", "node bootstrap "), ("apply --se", "apply --server "),
                                         ("get cert", "get certificate "), ("list -o j", "list -o json ")):
                    with self.subTest(typed=typed):
                        zsh.type(f"convoyctl {typed}\t")
                        zsh.await_text(f"convoyctl {completed}")
                        zsh.type(KILL_LINE)


if __name__ == "__main__":
    results.main()
