"""What the groups share: laboratory, trees, peers, sizes, and how long anything may take."""
import dataclasses

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
    left_out: list = dataclasses.field(default_factory=list)
    repositories: dict = dataclasses.field(default_factory=dict)

    def limit(self, seconds):
        """After so long no further round of a measurement begins."""
        return seconds / 10 if self.quick else seconds

    def repository(self, size):
        """Of git, for the tree of this size; made when it is first asked for."""
        if size not in self.repositories:
            self.repositories[size] = Repository(self.laboratory, self.trees.small_files(size), size)
        return self.repositories[size]
