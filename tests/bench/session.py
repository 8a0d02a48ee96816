"""What the groups share: laboratory, trees, peers, sizes, and how long anything may take."""
import dataclasses
import time

from .changing import Repository
from .laboratory import Laboratory
from .trees import Trees


@dataclasses.dataclass
class Session:
    laboratory: Laboratory
    trees: Trees
    peers: dict                    # name -> opener of a place
    sizes: list                    # of trees, in files
    quick: bool
    end: float                     # in time.monotonic(): nothing begins later
    left_out: list = dataclasses.field(default_factory=list)
    repositories: dict = dataclasses.field(default_factory=dict)

    def limit(self, seconds):
        """After so long no further round of a measurement begins; nor after the end of the time of all."""
        return min(seconds / 10 if self.quick else seconds, max(self.left(), 1))

    def left(self):
        """Seconds. Then nothing more is begun; what has begun still takes its time, as does cleaning up."""
        return self.end - time.monotonic()

    def leave_out(self, what):
        self.left_out.append(f"{what}: the time of this run was over")
        self.laboratory.say(f"left out: {self.left_out[-1]}")

    def repository(self, size):
        """Of git, for the tree of this size; made when it is first asked for."""
        if size not in self.repositories:
            self.repositories[size] = Repository(self.laboratory, self.trees.small_files(size), size)
        return self.repositories[size]
