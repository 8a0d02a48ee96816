"""Draws sequences from a seed."""
import random

import fixture
from language import BASES, Sequence

SLOTS = "abcd"
OLD = [*fixture.FILES, *fixture.HARD_LINKS]
OPEN_EXTRAS = ["CREAT"] * 4 + ["EXCL", "TRUNC", "TRUNC", "APPEND", "APPEND", "DIRECTORY", "NOFOLLOW",
                               "PATH", "CLOEXEC"]
MODES = ["644", "600", "755", "700", "444", "400", "555", "0", "666", "777", "4755", "2755", "1777",
         "311", "200"]
# Where the search bit is never taken away: README, "search permission on directories of a snapshot
# is not checked for ordinary users".
SEARCHABLE = [mode for mode in MODES if len(mode) >= 3 and int(mode[-3]) & 1]
DATA = ["P*1", "S*5", "T*100", "U*4096", "V*5000", "0*10,Q*3"]
SIZES = [0, 1, 3, 6, 100, 4096, 5000, 65536]
OFFSETS = [0, 0, 1, 5, 100, 4095, 4096, 70000]
TIMES = ["1000000000.000000001", "1100000000.123456789", "1234567890.5", "-100.5", "now", "omit"]


class Draw:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.ordinary = self.random.random() < 0.4
        self.workers = self.random.choice([1, 1, 2, 3])
        # Search bits are taken away only where they are checked: see SEARCHABLE.
        self.searchable = self.ordinary and self.random.random() < 0.7
        # A few names only, so that operations meet; another few for each sequence.
        self.favourites = [self.any_name() for _ in range(12)]

    def chance(self, probability):
        return self.random.random() < probability

    def one(self, choices):
        return self.random.choice(choices)

    def any_name(self):
        kind = self.random.random()
        for limit, names in ((0.38, OLD), (0.58, fixture.DIRECTORIES), (0.74, list(fixture.LINKS)),
                             (0.95, fixture.NEW), (0.96, fixture.FIFOS)):
            if kind < limit:
                return self.one(names)
        return self.one(fixture.WRONG)

    def name(self):
        return self.one(self.favourites) if self.chance(0.5) else self.any_name()

    def path(self, decorated=0.2):
        name = self.name()
        if not self.chance(decorated) or name == "''":
            return name
        shape = self.random.randrange(10)
        if shape < 3:
            return "@/" + name
        if shape == 3:
            return name + self.one(["/", "//", "/.", "/"])
        if shape == 4:
            return "./" + name.replace("/", "//")
        if shape == 5:
            return self.one(["d", "g", "k/../d", "ld"]) + "/../" + name
        if shape == 6:
            return self.one(["ld/", "absd/", "d/e/back/", "slash/", "lde/../", "k/lk/"]) + \
                self.one(["x", "e/w", "h2", "n1", "../a", "r", "e", "w"])
        if shape == 7:
            return self.one([".", "@", "@/.", "d/.", "d/e/..", "ld/.", "./", "lf/", "dang/", "d/e/"])
        if shape == 8:
            return name.split("/")[-1]  # for when the working directory is another
        return name + "/../" + self.one(["x", "a", "n1"])

    def at(self, decorated=0.2):
        kind = self.random.random()
        if kind < 0.55:
            return "- " + self.path(decorated)
        if kind < 0.8:
            return "cwd " + self.path(decorated)
        if kind < 0.97:  # below a directory, if the slot holds one
            return f"{self.one(SLOTS)} {self.one(['x', 'e/w', 'n1', '.', 'h2', 'e', 'f', self.path()])}"
        return f"{self.one(['bad', 'wild'])} {self.path()}"

    def mode(self):
        return self.one(SEARCHABLE if self.searchable else MODES)

    def flags(self, *choices):
        return ",".join(self.random.sample(choices, self.one([0, 0, 1]))) or "."

    def open_flags(self):
        if self.chance(0.02):
            return self.one(["RDWR,TMPFILE", "WRONLY,TMPFILE", "RDWR,TMPFILE,EXCL"])
        if self.chance(0.12):
            return "RDONLY,DIRECTORY"
        flags = [self.one(["RDONLY", "RDONLY", "WRONLY", "RDWR", "RDWR"])]
        flags += self.random.sample(OPEN_EXTRAS, self.one([0, 0, 1, 1, 2, 3]))
        return ",".join(dict.fromkeys(flags))

    def slot(self):
        return self.one(SLOTS) if not self.chance(0.02) else self.one(["bad", "wild", "cwd"])


def operations():
    """Name of an operation, how often, and its words."""
    def t(d):
        return f"{d.one(TIMES)} {d.one(TIMES)}"

    def link_target(d):
        return d.one([d.path(), "@/" + d.name(), "../" + d.name(), "x", "."])

    def owner(d):
        return f"{d.one([-1, 0, 1, 65534])} {d.one([-1, 0, 7, 65534])}"

    return [
        ("open", 14, lambda d: f"{d.at()} {d.open_flags()} {d.mode()} {d.one(SLOTS)}"),
        ("read", 3, lambda d: f"{d.slot()} {d.one(SIZES)}"),
        ("pread", 2, lambda d: f"{d.slot()} {d.one(SIZES)} {d.one(OFFSETS)}"),
        ("readv", 1, lambda d: f"{d.slot()} {d.one(SIZES)}"),
        ("write", 5, lambda d: f"{d.slot()} {d.one(DATA)}"),
        ("pwrite", 2, lambda d: f"{d.slot()} {d.one(DATA)} {d.one(OFFSETS)}"),
        ("writev", 1, lambda d: f"{d.slot()} {d.one(DATA)}"),
        ("lseek", 3, lambda d: f"{d.slot()} {d.one(OFFSETS)} "
                               f"{d.one(['SET', 'CUR', 'END', 'DATA', 'HOLE'])}"),
        ("ftruncate", 2, lambda d: f"{d.slot()} {d.one(SIZES)}"),
        ("truncate", 2, lambda d: f"{d.path()} {d.one([*SIZES, -1])}"),
        ("fsync", 1, lambda d: d.slot()),
        ("fdatasync", 1, lambda d: d.slot()),
        ("close", 3, lambda d: d.one(SLOTS)),
        ("dup", 1, lambda d: f"{d.slot()} {d.one(SLOTS)}"),
        ("dup2", 1, lambda d: f"{d.slot()} {d.one(SLOTS)}"),
        ("flock", 1, lambda d: f"{d.slot()} {d.one(['SH', 'EX', 'UN'])}"),
        ("mmap", 2, lambda d: f"{d.slot()} {d.one(OFFSETS)} {d.one(DATA)}"),
        ("copyrange", 1, lambda d: f"{d.slot()} {d.slot()} {d.one(SIZES)}"),
        ("sendfile", 1, lambda d: f"{d.slot()} {d.slot()} {d.one(SIZES)}"),
        ("stat", 6, lambda d: f"{d.at()} {d.flags('NOFOLLOW', 'EMPTY')}"),
        ("statx", 3, lambda d: f"{d.at()} {d.flags('NOFOLLOW', 'EMPTY')}"),
        ("fstat", 4, lambda d: d.slot()),
        ("access", 3, lambda d: f"{d.at()} {d.random.randrange(8)} "
                                f"{d.flags('EACCESS', 'NOFOLLOW')}"),
        ("list", 4, lambda d: d.at()),
        ("listfd", 2, lambda d: d.slot()),
        ("walk", 1, lambda d: ""),
        ("mkdir", 4, lambda d: f"{d.at()} {d.mode()}"),
        ("rmdir", 3, lambda d: d.path()),
        ("unlink", 4, lambda d: f"{d.at()} {d.flags('REMOVEDIR')}"),
        ("remove", 1, lambda d: d.path()),
        ("rename", 7, lambda d: f"{d.at()} {d.at()} "
                                f"{d.one(['.', '.', '.', 'NOREPLACE', 'EXCHANGE'])}"),
        ("link", 4, lambda d: f"{d.at()} {d.at()} {d.flags('FOLLOW', 'EMPTY')}"),
        ("symlink", 3, lambda d: f"{link_target(d)} {d.at()}"),
        ("readlink", 2, lambda d: f"{d.at()} {d.one([4096, 4096, 3])}"),
        ("chmod", 3, lambda d: f"{d.at()} {d.mode()} {d.flags('NOFOLLOW')}"),
        ("fchmod", 2, lambda d: f"{d.slot()} {d.mode()}"),
        ("chown", 2, lambda d: f"{d.at()} {owner(d)} {d.flags('NOFOLLOW', 'EMPTY')}"),
        ("fchown", 1, lambda d: f"{d.slot()} {owner(d)}"),
        ("utimens", 3, lambda d: f"{d.at()} {t(d)} {d.flags('NOFOLLOW')}"),
        ("futimens", 2, lambda d: f"{d.slot()} {t(d)}"),
        ("chdir", 2, lambda d: d.one([d.path(), d.one(fixture.DIRECTORIES), "@", "@"])),
        ("fchdir", 1, lambda d: d.slot()),
        ("getcwd", 1, lambda d: ""),
        ("realpath", 2, lambda d: d.path()),
        ("mkfifo", 1, lambda d: f"{d.at()} {d.mode()}"),
        ("umask", 1, lambda d: d.one(["022", "077", "002", "0", "027"])),
        ("fputs", 3, lambda d: f"{d.path()} {d.one(['r', 'w', 'a', 'r+', 'w+', 'a+', 'wx'])} "
                               f"{d.one(DATA)}"),
        ("cat", 2, lambda d: d.path()),
        ("fork", 0.3, lambda d: ""),
        ("exec", 0.6, lambda d: ""),
    ]


OPERATIONS = operations()
NAMES = [name for name, _, _ in OPERATIONS]
WEIGHTS = [weight for _, weight, _ in OPERATIONS]
WORDS = {name: words for name, _, words in OPERATIONS}


def sequence(seed, commits=0.3, length=None):
    draw = Draw(seed)
    length = length or draw.one([60, 150, 300, 400])
    commit_at = draw.random.randrange(length) if draw.chance(commits) else None
    lines = []
    worker = 0
    for index in range(length):
        if index == commit_at:
            lines.append("commit")
        if draw.chance(0.3):
            worker = draw.random.randrange(draw.workers)
        name = draw.random.choices(NAMES, WEIGHTS)[0]
        lines.append(f"{worker} {name} {WORDS[name](draw)}".strip())
    bases = BASES if not draw.ordinary or draw.searchable else ["live"]
    return Sequence(lines, ["ordinary" if draw.ordinary else "root"], list(bases))
