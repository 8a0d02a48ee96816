"""The tree of a workspace from Python, by libvfscap.so: no preload is needed, and nothing outside is reached.

    import vfscap
    with vfscap.get("workspace") as workspace:
        print(workspace.list())
        with workspace.open(b"hello.txt") as file:
            print(file.read())

Paths and contents are bytes (text is taken as UTF-8). Errors are OSError, with the errno that vfs/vfs.h describes.
The library is looked for as VFSCAP_LIBRARY says, else where the system has its libraries.
"""
import ctypes
import os

READ, WRITE, CREATE, NEW, TRUNCATE, APPEND, DIRECTORY, NO_FOLLOW = (1 << bit for bit in range(8))
CONSOLE_INTERFACE, DIRECTORY_INTERFACE, FILE_INTERFACE = 1, 2, 3
ABI_VERSION = 1


class Time(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_int64), ("nanoseconds", ctypes.c_uint32), ("zero", ctypes.c_uint32)]

    def in_nanoseconds(self):
        return self.seconds * 1_000_000_000 + self.nanoseconds


class Status(ctypes.Structure):
    _fields_ = ([(name, ctypes.c_uint64) for name in ("device", "inode", "size", "blocks", "links", "special_device")] +
                [(name, ctypes.c_uint32) for name in ("mode", "user", "group", "block_size")] +
                [(name, Time) for name in ("accessed", "modified", "changed")])


class Entry(ctypes.Structure):
    _fields_ = [("inode", ctypes.c_uint64), ("next", ctypes.c_uint64), ("size", ctypes.c_uint16),
                ("name_length", ctypes.c_uint16), ("type", ctypes.c_uint8), ("zero", ctypes.c_uint8 * 3)]


_library = ctypes.CDLL(os.environ.get("VFSCAP_LIBRARY", "libvfscap.so"))
_library.vfs_abi_version.restype = ctypes.c_uint32
if _library.vfs_abi_version() != ABI_VERSION:
    raise ImportError(f"libvfscap.so has interface {_library.vfs_abi_version()}, this module knows {ABI_VERSION}")

_cap, _size, _text, _u32, _u64 = ctypes.c_uint32, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_uint32, ctypes.c_uint64
_signatures = {
    "cap_get": [_text, _size, ctypes.POINTER(_cap), ctypes.POINTER(_u32)],
    "cap_rights": [_cap],
    "cap_narrow": [_cap, _u32, ctypes.POINTER(_cap)],
    "cap_close": [_cap],
    "console_write_line": [_cap, _text, _size],
    "directory_open": [_cap, _text, _size, _u32, _u32, ctypes.POINTER(_cap)],
    "directory_stat": [_cap, _text, _size, _u32, ctypes.POINTER(Status)],
    "directory_list": [_cap, _u64, ctypes.c_void_p, _size],
    "directory_make": [_cap, _text, _size, _u32],
    "directory_rename": [_cap, _text, _size, _cap, _text, _size, _u32],
    "directory_remove": [_cap, _text, _size, _u32],
    "directory_link": [_cap, _text, _size, _cap, _text, _size],
    "directory_symlink": [_cap, _text, _size, _text, _size],
    "directory_read_link": [_cap, _text, _size, ctypes.c_void_p, _size],
    "file_pread": [_cap, ctypes.c_void_p, _size, _u64],
    "file_pwrite": [_cap, _text, _size, _u64],
    "file_write": [_cap, _text, _size],
    "file_truncate": [_cap, _u64],
    "file_set_times": [_cap, ctypes.POINTER(Time), ctypes.POINTER(Time)],
    "file_sync": [_cap],
    "file_stat": [_cap, ctypes.POINTER(Status)],
}


def _call(name, *arguments):
    function = getattr(_library, "vfs_" + name)
    function.argtypes, function.restype = _signatures[name], ctypes.c_int64
    result = function(*arguments)
    if result < 0:
        raise OSError(-result, os.strerror(-result), name)
    return result


def _bytes(text):
    return text if isinstance(text, bytes) else os.fsencode(text)


def _sized(text):
    text = _bytes(text)
    return text, len(text)


class Capability:
    def __init__(self, identity):
        self.id = identity

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.id:
            identity, self.id = self.id, 0
            _call("cap_close", identity)

    def rights(self):
        return _call("cap_rights", self.id)

    def narrow(self, rights):
        made = _cap()
        _call("cap_narrow", self.id, rights, ctypes.byref(made))
        return type(self)(made.value)


class Console(Capability):
    def write_line(self, text):
        _call("console_write_line", self.id, *_sized(text))


class File(Capability):
    def read(self):
        """All of it, from the beginning."""
        parts, position, buffer = [], 0, ctypes.create_string_buffer(65536)
        while count := _call("file_pread", self.id, buffer, len(buffer), position):
            parts.append(buffer.raw[:count])
            position += count
        return b"".join(parts)

    def write(self, data, position=None):
        data = _bytes(data)
        while data:
            if position is None:
                count = _call("file_write", self.id, data, len(data))
            else:
                count = _call("file_pwrite", self.id, data, len(data), position)
                position += count
            data = data[count:]

    def truncate(self, size):
        _call("file_truncate", self.id, size)

    def set_times(self, accessed, modified):
        """Both in nanoseconds."""
        times = [Time(value // 1_000_000_000, value % 1_000_000_000, 0) for value in (accessed, modified)]
        _call("file_set_times", self.id, ctypes.byref(times[0]), ctypes.byref(times[1]))

    def sync(self):
        _call("file_sync", self.id)

    def stat(self):
        status = Status()
        _call("file_stat", self.id, ctypes.byref(status))
        return status


class Directory(Capability):
    def open(self, path, flags=READ, mode=0o666):
        made = _cap()
        _call("directory_open", self.id, *_sized(path), flags, mode, ctypes.byref(made))
        return Directory(made.value) if flags & DIRECTORY else File(made.value)

    def stat(self, path, follow=True):
        status = Status()
        _call("directory_stat", self.id, *_sized(path), 0 if follow else 1, ctypes.byref(status))
        return status

    def list(self):
        """Pairs of name and type (DT_* of readdir(3))."""
        found, start, buffer = [], 0, ctypes.create_string_buffer(65536)
        while size := _call("directory_list", self.id, start, buffer, len(buffer)):
            at = 0
            while at < size:
                entry = Entry.from_buffer_copy(buffer, at)
                name = at + ctypes.sizeof(Entry)
                found.append((buffer.raw[name:name + entry.name_length], entry.type))
                start, at = entry.next, at + entry.size
        return found

    def make(self, path, mode=0o777):
        _call("directory_make", self.id, *_sized(path), mode)

    def rename(self, path, new_path, to=None, flags=0):
        _call("directory_rename", self.id, *_sized(path), (to or self).id, *_sized(new_path), flags)

    def remove(self, path, directory=False):
        _call("directory_remove", self.id, *_sized(path), 1 if directory else 0)

    def link(self, path, new_path, to=None):
        _call("directory_link", self.id, *_sized(path), (to or self).id, *_sized(new_path))

    def symlink(self, target, path):
        _call("directory_symlink", self.id, *_sized(target), *_sized(path))

    def read_link(self, path):
        buffer = ctypes.create_string_buffer(4096)
        length = _call("directory_read_link", self.id, *_sized(path), buffer, len(buffer))
        return buffer.raw[:length]


def get(name):
    """The capability of this name; OSError with ENOENT if the process has none."""
    made, interface = _cap(), _u32()
    _call("cap_get", *_sized(name), ctypes.byref(made), ctypes.byref(interface))
    return {CONSOLE_INTERFACE: Console, DIRECTORY_INTERFACE: Directory, FILE_INTERFACE: File}[interface.value](made.value)
