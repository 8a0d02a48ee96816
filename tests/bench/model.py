"""What a measurement is: ways of doing one thing, their times, and the goal."""
import dataclasses
import math
import statistics

NATIVE = "native"


@dataclasses.dataclass
class Samples:
    """One way's values, a round each; a way that is too slow to repeat has one."""
    values: list = dataclasses.field(default_factory=list)

    @property
    def median(self):
        return statistics.median(self.values)

    def summary(self):
        low, high = quartiles(self.values)
        return {"median": self.median, "quartiles": [low, high], "minimum": min(self.values),
                "maximum": max(self.values), "rounds": len(self.values), "values": self.values}


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


@dataclasses.dataclass
class Goal:
    """`kind` says of what: "ratio" to the reference, or the "value" itself; `least` turns it round."""
    limit: float
    kind: str = "ratio"
    least: bool = False

    def reached(self, figure):
        return figure >= self.limit if self.least else figure <= self.limit


@dataclasses.dataclass
class Row:
    """One line of the table: `subject` against `reference`, all ways measured in turns."""
    group: str
    what: str
    unit: str                      # "s", "B" or "B/s"
    samples: dict                  # way -> Samples
    subject: str = "snapshot"
    reference: str = NATIVE        # or None
    goal: Goal = None
    line: str = ""                 # the line of the summary it is a part of, and its name there
    short: str = ""
    notes: list = dataclasses.field(default_factory=list)
    failures: dict = dataclasses.field(default_factory=dict)  # way -> why it has no figure

    @property
    def failed(self):
        """A peer that fails is told of; that ours or the reference fails is an error."""
        return any(way in self.failures or way not in self.samples for way in self.needed())

    def needed(self):
        return [way for way in (self.subject, self.reference) if way is not None]

    def ratio(self, way=None):
        """The median of the ratios of single rounds, whose two sides ran next to each other; of medians
        where one side has fewer rounds. None if one of them is not there."""
        paired = self.paired(way)
        if paired:
            return statistics.median(paired)
        mine = self.samples.get(way or self.subject)
        other = self.samples.get(self.reference)
        return mine.median / other.median if mine and other and other.median else None

    def paired(self, way=None):
        mine, other = self.samples.get(way or self.subject), self.samples.get(self.reference)
        if not mine or not other or len(mine.values) != len(other.values) or not all(other.values):
            return None
        return [a / b for a, b in zip(mine.values, other.values)]

    def ratio_spread(self):
        paired = self.paired()
        return quartiles(paired) if paired and len(paired) > 1 else None

    def figure(self):
        """What the goal speaks of."""
        if self.failed:
            return None
        if self.goal is not None and self.goal.kind == "value":
            return self.samples[self.subject].median
        return self.ratio()

    def verdict(self):
        if self.failed:
            return "failed"
        if self.goal is None:
            return ""
        return "reached" if self.goal.reached(self.figure()) else "missed"

    def as_json(self):
        return {
            "group": self.group, "what": self.what, "unit": self.unit, "subject": self.subject,
            "reference": self.reference, "goal": dataclasses.asdict(self.goal) if self.goal else None,
            "verdict": self.verdict(), "ratio": None if self.failed else self.ratio(),
            "ratio_quartiles": None if self.failed or self.reference is None else self.ratio_spread(),
            "ways": {way: samples.summary() for way, samples in self.samples.items()},
            "notes": self.notes, "failures": self.failures,
        }


def growth_row(group, what, rows_by_size, limit):
    """How much the subject's cost grows per decade of the size, between the smallest and the largest."""
    sizes = sorted(size for size, row in rows_by_size.items() if not row.failed)
    if len(sizes) < 2:
        return None
    small, large = (rows_by_size[size] for size in (sizes[0], sizes[-1]))
    decades = math.log10(sizes[-1] / sizes[0])
    factor = lambda way: (large.samples[way].median / small.samples[way].median) ** (1 / decades)  # noqa: E731
    ways = [way for way in large.samples if way in small.samples]
    return Row(group, what, "x", {way: Samples([factor(way)]) for way in ways}, subject=small.subject,
               reference=None, goal=Goal(limit, kind="value"))
