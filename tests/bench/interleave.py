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


def seconds(call):
    """A way's `run` from a function: how long it takes."""
    def timed():
        start = time.perf_counter()
        call()
        return time.perf_counter() - start
    return timed


def take_turns(ways, rounds, limit, essential=()):
    """(way -> list of values, way -> why it failed). Each round begins with another way. What is not
    essential and takes n times as long as what is takes part in every nth round only. After `limit`
    seconds no further round is begun, and what is not essential is left out of the first."""
    values = {way.name: [] for way in ways}
    failures, spent, strides = {}, {}, {}
    end = time.monotonic() + limit
    for turn in range(rounds):
        if turn and time.monotonic() > end:
            break
        # What runs once does so after the first round, not between two sides of a ratio.
        repeated = [way for way in ways if not way.once]
        shift = turn % len(repeated) if repeated else 0
        order = repeated[shift:] + repeated[:shift]
        if turn == 0:
            order += [way for way in ways if way.once]
        for way in order:
            if way.name in failures or turn % strides.get(way.name, 1):
                continue
            if not values[way.name] and time.monotonic() > end and way.name not in essential:
                failures[way.name] = f"no time left: the limit is {limit:.0f} s"
                continue
            began = time.monotonic()
            try:
                if way.before:
                    way.before()
                try:
                    values[way.name].append(way.run())
                finally:
                    if way.after:
                        way.after()
            except Failed as failure:
                failures[way.name] = str(failure)
            spent[way.name] = time.monotonic() - began
        if turn == 0:
            usual = [spent[name] for name in essential if name in spent]
            strides = {name: max(1, int(taken / max(usual))) for name, taken in spent.items()
                       if usual and name not in essential}
    return {name: found for name, found in values.items() if found and name not in failures}, failures


def samples_of(values):
    """Of ways whose runs give one value each."""
    return {name: Samples(found) for name, found in values.items()}


def samples_by_key(values, key):
    """Of ways whose runs give dictionaries: the values under one key."""
    return {name: Samples([each[key] for each in found]) for name, found in values.items()
            if all(key in each for each in found)}
