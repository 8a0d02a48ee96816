"""What the groups share: laboratory, trees, peers, sizes, and how long anything may take."""
import dataclasses

from .laboratory import Laboratory
from .trees import Trees


@dataclasses.dataclass
class Session:
    laboratory: Laboratory
    trees: Trees
    peers: dict                    # name -> opener of a place
    sizes: list                    # of trees, in files
    quick: bool

    def limit(self, seconds):
        """After so long no further round of a measurement begins."""
        return seconds / 10 if self.quick else seconds
