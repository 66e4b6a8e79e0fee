"""What was measured, and how much better the first server is than another."""

import dataclasses
import statistics
import sys
from collections.abc import Callable, Sequence

from .load import LoadError


@dataclasses.dataclass
class Measured:
    rate: float  # a second
    cpu: float  # microseconds of the server's CPU for each
    latency: float = 0.0  # milliseconds that 99 of 100 keep within; 0: not measured


@dataclasses.dataclass
class Costs:
    """Of one message, of a run that was not timed; None: not counted here."""
    syscalls: float | None = None
    syncs: float | None = None


@dataclasses.dataclass
class Row:
    """A case's outcome; each list in the order of the servers, Kurir first."""
    name: str
    title: str
    servers: list[str]
    rounds: list[list[Measured]]
    memory: list[int] = dataclasses.field(default_factory=list)
    costs: list[Costs] = dataclasses.field(default_factory=list)
    of_cpu: bool = True  # else the wall rate is what counts in --json

    def ratios(self, of_cpu: bool, other: int = 1) -> list[float]:
        """How many times better the first server is than another, by round."""
        if of_cpu:
            return [of_round[other].cpu / of_round[0].cpu for of_round in self.rounds]
        return [of_round[0].rate / of_round[other].rate for of_round in self.rounds]

    def ratio(self, of_cpu: bool = True, other: int = 1) -> float:
        return statistics.median(self.ratios(of_cpu, other))

    def medians(self) -> list[Measured]:
        return [Measured(*(statistics.median(getattr(m, field.name) for m in column)
                           for field in dataclasses.fields(Measured)))
                for column in zip(*self.rounds)]

    def figures(self) -> dict[str, float]:
        """For --json."""
        found = {}
        for other, server in enumerate(self.servers[1:], 1):
            key = f'{self.name}_vs_{server.lower()}'
            found[key] = round(self.ratio(self.of_cpu, other), 3)
            found[f'{key}_wall'] = round(self.ratio(False, other), 3)
        return found


def in_turns(row: Row, measures: Sequence[Callable[[], Measured]], rounds: int) -> Row:
    """A B A B. All have done it once before: files made, processes started. A server that fails is
    left out of the row; that Kurir fails is for the caller."""
    columns: list[list[Measured] | None] = [[] for _ in measures]
    for _ in range(rounds):
        for at, measure in enumerate(measures):
            column = columns[at]
            if column is None:
                continue
            try:
                column.append(measure())
            except LoadError as failure:
                if at == 0:
                    raise
                print(f'without {row.servers[at]}: {failure}', file=sys.stderr)
                columns[at] = None
    row.servers = [server for server, column in zip(row.servers, columns) if column is not None]
    row.rounds = [list(of_round) for of_round in zip(*(c for c in columns if c is not None))]
    return row
