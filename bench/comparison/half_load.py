"""Latency at half load: messages begin at a fixed rate, and each counts from when it was due, so
that a server which stalls cannot hide it."""

import dataclasses
import statistics

from . import load
from .servers.kurir import Kurir
from .servers.server import running

FLAGS = ['-s', '200', '-l', '4k', '-d']
SECONDS = 5


@dataclasses.dataclass
class HalfLoad:
    full: float  # messages a second, of the closed loop
    rate: float  # that was kept
    content: dict[str, float]  # milliseconds, the last octet of the content to 250
    message: dict[str, float]  # from when the message was due


def half_load(rounds: int) -> HalfLoad:
    """Of the rounds the one whose 99th percentile is the median."""
    with running(Kurir()) as kurir:
        load.send(kurir.smtp, kurir.held, 10_000, FLAGS)
        full = load.send(kurir.smtp, kurir.held, 30_000, FLAGS)['rate']
        seen = []
        for _ in range(rounds):
            kurir.forget_held()
            seen.append(load.send(kurir.smtp, kurir.held, int(full / 2 * SECONDS),
                                  [*FLAGS, '--rate', f'{full / 2:.0f}/s']))
    middle = statistics.median_low(run['milliseconds']['content']['p99'] for run in seen)
    chosen = next(run for run in seen if run['milliseconds']['content']['p99'] == middle)
    times = chosen['milliseconds']
    return HalfLoad(full, chosen['rate'], times['content'], times['message'])


def text_of(seen: HalfLoad) -> str:
    shares = ('p50', 'p99', 'p99_9', 'max')
    lines = [f'Full load {seen.full:,.0f} a second; at {seen.rate:,.0f}, durable, milliseconds:',
             '', '| | p50 | p99 | p99.9 | max |', '| --- | --- | --- | --- | --- |']
    for title, times in (('content to 250', seen.content), ('due to 250', seen.message)):
        lines.append(f'| {title} | ' + ' | '.join(f'{times[share]:.2f}' for share in shares) + ' |')
    return '\n'.join(lines)
