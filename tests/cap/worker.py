"""worker.py library|system: makes the operations that it is told, a JSON list a line, in the working directory, and
answers with a JSON list a line: an errno (0: none) and what was found. By libvfscap, or by the system's calls (natively,
or under libvfs.so)."""
import errno
import json
import os
import stat
import sys


class System:
    def hold(self, path):
        self.held = os.open(path, os.O_RDONLY)

    def ask_held(self):
        status = os.fstat(self.held)
        return [status.st_mode, status.st_nlink, status.st_size, status.st_mtime_ns,
                os.pread(self.held, 10000, 0).decode()]

    def write(self, path, text, position):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(fd, text.encode(), position)
        finally:
            os.close(fd)

    def create(self, path):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644))

    def truncate(self, path, size):
        fd = os.open(path, os.O_WRONLY)
        try:
            os.ftruncate(fd, size)
        finally:
            os.close(fd)

    def set_times(self, path, accessed, modified):
        fd = os.open(path, os.O_WRONLY)
        try:
            os.utime(fd, ns=(accessed, modified))
        finally:
            os.close(fd)

    def read(self, path):
        with open(path, "rb") as file:
            return file.read().decode()

    def make(self, path):
        os.mkdir(path, 0o755)

    def rename(self, path, new_path):
        os.rename(path, new_path)

    def remove(self, path, directory):
        os.rmdir(path) if directory else os.unlink(path)

    def link(self, path, new_path):
        os.link(path, new_path, follow_symlinks=False)

    def symlink(self, target, path):
        os.symlink(target, path)

    def read_link(self, path):
        return os.readlink(path)

    def stat(self, path, follow):
        status = os.stat(path, follow_symlinks=follow)
        return {"inode": status.st_ino, "device": status.st_dev, "mode": status.st_mode, "links": status.st_nlink,
                "size": status.st_size, "user": status.st_uid, "group": status.st_gid, "blocks": status.st_blocks,
                "modified": status.st_mtime_ns, "changed": status.st_ctime_ns}

    def list(self, path):
        with os.scandir(path) as entries:
            return sorted([entry.name, stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode) >> 12]
                          for entry in entries)


class Library:
    def __init__(self):
        import vfscap
        self.vfscap = vfscap
        self.top = vfscap.get("workspace")

    def hold(self, path):
        self.held = self.top.open(path)

    def ask_held(self):
        status = self.held.stat()
        return [status.mode, status.links, status.size, status.modified.in_nanoseconds(), self.held.read().decode()]

    def write(self, path, text, position):
        with self.top.open(path, self.vfscap.WRITE | self.vfscap.CREATE, 0o644) as file:
            file.write(text, position)

    def create(self, path):
        v = self.vfscap
        self.top.open(path, v.READ | v.WRITE | v.CREATE | v.NEW, 0o644).close()

    def truncate(self, path, size):
        with self.top.open(path, self.vfscap.WRITE) as file:
            file.truncate(size)

    def set_times(self, path, accessed, modified):
        with self.top.open(path, self.vfscap.WRITE) as file:
            file.set_times(accessed, modified)

    def read(self, path):
        with self.top.open(path) as file:
            return file.read().decode()

    def make(self, path):
        self.top.make(path, 0o755)

    def rename(self, path, new_path):
        self.top.rename(path, new_path)

    def remove(self, path, directory):
        self.top.remove(path, directory)

    def link(self, path, new_path):
        self.top.link(path, new_path)

    def symlink(self, target, path):
        self.top.symlink(target, path)

    def read_link(self, path):
        return self.top.read_link(path).decode()

    def stat(self, path, follow):
        found = self.top.stat(path, follow)
        return {"inode": found.inode, "device": found.device, "mode": found.mode, "links": found.links,
                "size": found.size, "user": found.user, "group": found.group, "blocks": found.blocks,
                "modified": found.modified.in_nanoseconds(), "changed": found.changed.in_nanoseconds()}

    def list(self, path):
        with self.top.open(path, self.vfscap.DIRECTORY) as directory:
            return sorted([name.decode(), kind] for name, kind in directory.list())


def main():
    worker = Library() if sys.argv[1] == "library" else System()
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        try:
            answer = [0, getattr(worker, name)(*arguments)]
        except OSError as error:
            answer = [error.errno, errno.errorcode.get(error.errno)]
        print(json.dumps(answer), flush=True)


main()
