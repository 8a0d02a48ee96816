"""Ways of doing one thing take turns, so that what else the machine does meets all of them alike."""
import dataclasses
import time
import typing

from .commands import Failed
from .model import Samples


@dataclasses.dataclass
class Way:
    """`run` gives a value, or a dictionary of values; `before` and `after` are not timed."""
    name: str
    run: typing.Callable
    before: typing.Callable = None
    after: typing.Callable = None
    once: bool = False             # too slow to be repeated

    def turn(self):
        try:
            if self.before:
                self.before()
            return self.run()
        finally:
            if self.after:
                self.after()


def seconds(call):
    """A way's `run` from a function: how long it takes."""
    def timed():
        start = time.perf_counter()
        call()
        return time.perf_counter() - start
    return timed


class Turns:
    """Values and failures by way, and how long a turn took, with all that belongs to it."""

    def __init__(self):
        self.values, self.failures, self.spent = {}, {}, {}

    def take(self, way):
        began = time.monotonic()
        try:
            self.values.setdefault(way.name, []).append(way.turn())
        except Failed as failure:
            self.failures[way.name] = str(failure)
        self.spent[way.name] = time.monotonic() - began

    def leave_out(self, way, limit):
        self.failures[way.name] = f"left out: no time left of {limit:.0f} s"

    def strides(self, essential):
        """What is not essential and takes n times as long as what is takes part in every nth round."""
        usual = max((self.spent[name] for name in essential if name in self.spent), default=0)
        return {name: max(1, int(taken / usual)) for name, taken in self.spent.items()
                if usual and name not in essential}

    def result(self):
        return {name: found for name, found in self.values.items() if name not in self.failures}, self.failures


def take_turns(ways, rounds, limit, essential=(), limit_once=None):
    """(way -> list of values, way -> why it failed). Each round begins with another way. After `limit`
    seconds no further round is begun; what runs once does so after that, and may begin for as long
    again (or `limit_once`). What is essential is never left out."""
    turns = Turns()
    repeated = [way for way in ways if not way.once]
    strides = {}
    end = time.monotonic() + limit
    for turn in range(rounds):
        if turn and time.monotonic() > end:
            break
        shift = turn % max(1, len(repeated))
        for way in repeated[shift:] + repeated[:shift]:
            if way.name in turns.failures or turn % strides.get(way.name, 1):
                continue
            if not turn and time.monotonic() > end and way.name not in essential:
                turns.leave_out(way, limit)
            else:
                turns.take(way)
        if not turn:
            strides = turns.strides(essential)
    limit_once = limit if limit_once is None else limit_once
    end = time.monotonic() + limit_once
    for way in ways:
        if way.once and time.monotonic() > end and way.name not in essential:
            turns.leave_out(way, limit_once)
        elif way.once:
            turns.take(way)
    return turns.result()


def samples_of(values):
    """Of ways whose runs give one value each."""
    return {name: Samples(found) for name, found in values.items()}


def samples_by_key(values, key):
    """Of ways whose runs give dictionaries: the values under one key."""
    return {name: Samples([each[key] for each in found]) for name, found in values.items()
            if all(key in each for each in found)}
