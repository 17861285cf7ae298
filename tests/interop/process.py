"""Child processes that do not outlive the suite, and are ended by their id alone."""

import ctypes
import signal
import subprocess
import threading

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A program whose standard error is read as it comes; used as a context, it is gone at the end of it."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.lines = []
        self._changed = threading.Condition()
        self._over = False
        self._child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE, text=True, errors="replace",
                                       preexec_fn=die_with_parent)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._child.stderr:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def wait_for_line(self, beginning, seconds):
        """The first line that begins so; an error that tells what was said instead if none comes."""
        def found():
            return next((line for line in self.lines if line.startswith(beginning)), None)

        with self._changed:
            self._changed.wait_for(lambda: found() or self._over, seconds)
            line = found()
        if line is None:
            self.kill()
            raise RuntimeError(f"{' '.join(self.arguments)} never said {beginning!r}\n{self.said()}")
        return line

    @property
    def pid(self):
        return self._child.pid

    @property
    def running(self):
        return self._child.poll() is None

    def said(self):
        return "\n".join(self.lines[-10:])

    def signal(self, number):
        self._child.send_signal(number)

    def wait(self, seconds=60):
        status = self._child.wait(seconds)
        self._reader.join(5)
        return status

    def kill(self):
        self._child.kill()
        return self.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.running:
            self.kill()
