"""Call-level helpers for the end-to-end tests: each prints what a call answered, errno by name."""
import ctypes
import errno
import os
import subprocess
import sys

libc = ctypes.CDLL(None, use_errno=True)


def show(label, call, *arguments, **named):
    """Print LABEL and the result of the call, or the name of its errno."""
    try:
        result = call(*arguments, **named)
    except OSError as error:
        result = errno.errorcode.get(error.errno, error.errno)
    print(label, result, flush=True)
    return result


def raw(name, *arguments):
    """Call a libc function; OSError when it returns -1."""
    ctypes.set_errno(0)
    result = getattr(libc, name)(*arguments)
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def other(code, *arguments, **named):
    """Run Python code in another process, with everything of this module; return what it printed."""
    program = "from calls import *\nimport fcntl, mmap, stat\n" + code
    done = subprocess.run([sys.executable, "-c", program, *map(str, arguments)],
                          stdout=subprocess.PIPE, timeout=60, **named)
    return done.stdout.decode().strip() + ("" if done.returncode == 0 else f" [{done.returncode}]")


def pattern(size, seed=1):
    """SIZE bytes that are not all alike and are the same in every run."""
    return bytes((seed * 131 + i * 7 + (i >> 8)) & 255 for i in range(size))
