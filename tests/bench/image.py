"""A file system of the benchmark's own, in a file: the same wherever it runs, and removed in a moment.
Where the machine's own gives every freed block back to the disk at once (mount option discard), removing a
file takes about a millisecond, and a run with 1,000,000 files would remove for an hour."""
import contextlib
import os
import pathlib
import subprocess
import tempfile

BYTES_PER_INODE = 8192   # half of the usual: there will be many small files


class NoImage(Exception):
    """It could not be made."""


def call(*words):
    done = subprocess.run([str(word) for word in words], check=False, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise NoImage(f"{words[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


@contextlib.contextmanager
def mounted(parent, gigabytes):
    """The directory where an ext4 of so many GiB is mounted; the file is sparse."""
    top = pathlib.Path(tempfile.mkdtemp(prefix="libvfs-bench-image.", dir=parent)).resolve()
    file, directory, device = top / "image", top / "mounted", None
    try:
        directory.mkdir()
        with open(file, "wb") as image:
            os.truncate(image.fileno(), int(gigabytes * 2**30))
        # Not lazily: the kernel would go on making it while we measure.
        call("mkfs.ext4", "-q", "-F", "-m", "0", "-i", BYTES_PER_INODE,
             "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard", file)
        # Direct: or every page would be cached twice.
        device = call("losetup", "--find", "--show", "--direct-io=on", file)
        call("mount", "-t", "ext4", device, directory)
        yield directory
    finally:
        if os.path.ismount(directory):
            call("umount", directory)
        if device:
            call("losetup", "--detach", device)
        file.unlink(missing_ok=True)
        directory.rmdir()
        top.rmdir()
