"""Running commands: always bounded in time, and what fails says why."""
import os
import signal
import subprocess


class Failed(Exception):
    """A command did not do what it should."""


CLEARED = ("LD_PRELOAD", "LD_LIBRARY_PATH", "VFS_WORKSPACE", "VFS_DISABLE", "VFS_LOG", "VFS_STORE", "MAKEFLAGS",
           "MAKELEVEL", "CDPATH", "CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS", "DESTDIR", "NINJA_STATUS",
           "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "XDG_CONFIG_HOME")


def clean_environment(home):
    """The system's own tools, one locale, one zone, no state of the user's."""
    kept = {key: value for key, value in os.environ.items() if key not in CLEARED}
    kept.update(LC_ALL="C", TZ="UTC", HOME=str(home), GIT_CONFIG_NOSYSTEM="1",
                PATH="/usr/sbin:/usr/bin:/sbin:/bin:" + os.environ.get("PATH", ""),
                GIT_AUTHOR_NAME="bench", GIT_AUTHOR_EMAIL="bench@example.org",
                GIT_COMMITTER_NAME="bench", GIT_COMMITTER_EMAIL="bench@example.org")
    return kept


def run(words, cwd, environment, limit=600, output=None):
    """Standard output as text; raises Failed unless the exit status is 0. With `output` (an open file)
    standard output goes there, and the answer is empty."""
    words = [str(word) for word in words]
    try:
        # A session of its own, so that all it started can be ended with it.
        process = subprocess.Popen(words, cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=output or subprocess.PIPE, stderr=subprocess.PIPE,
                                   start_new_session=True)
    except OSError as error:
        raise Failed(f"{words[0]}: {error.strerror}") from None
    try:
        said, complaint = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(words[:4])}: not done after {limit:.0f} s") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode != 0:
        lines = (complaint or said or b"").decode(errors="replace").strip().splitlines()
        raise Failed(f"{' '.join(words[:4])}: status {process.returncode}: {' | '.join(lines[-2:])[-300:]}")
    return (said or b"").decode(errors="replace")
