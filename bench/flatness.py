#!/usr/bin/env python3
"""The cost of one more message when many are there: the server's CPU for each at 10,000, 100,000
and 1,000,000 messages, queued for a host that is down, and in one mailbox.

  bench/flatness.py [--levels 10000,100000,1000000] [--json]

The load is kurir-blast's, over persistent connections, pipelined, on a server for each level in
turns; medians count, and `growth` is the greatest level's ÷ the least's. Bounded: ends what it
started and removes its folders, whatever happens."""

import argparse
import contextlib
import json
import pathlib
import statistics
import sys
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from comparison import load  # noqa: E402
from comparison.servers.kurir import Kurir  # noqa: E402
from comparison.servers.server import running  # noqa: E402

FLAGS = ['-s', '50', '-l', '1k', '-d', '--pipelining']
ROUNDS = 7
MEASURED = 4000  # messages of a round
FILLED_AT_ONCE = 100_000


def send(server: Kurir, recipient: str, messages: int) -> None:
    load.send(server.smtp, recipient, messages, FLAGS)
    if recipient == server.local:
        load.wait_until(server.is_idle, 'the mailbox')


def cost(server: Kurir, recipient: str) -> float:
    """Microseconds of CPU for a message, those that come after its reply too."""
    before = server.group.cpu()
    send(server, recipient, MEASURED)
    return (server.group.cpu() - before) / MEASURED * 1e6


def costs(recipient_of: Callable[[Kurir], str], levels: list[int]) -> dict[int, float]:
    """A server for each level; they are measured in turns, as the machine has its moods."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(running(Kurir())) for _ in levels]
        for server, level in zip(servers, levels):
            for done in range(0, level, FILLED_AT_ONCE):
                send(server, recipient_of(server), min(FILLED_AT_ONCE, level - done))
        rounds = [[cost(server, recipient_of(server)) for server in servers]
                  for _ in range(ROUNDS)]
    return {level: statistics.median(column) for level, column in zip(levels, zip(*rounds))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--levels', default='10000,100000,1000000',
                        help='messages that are there, ascending')
    parser.add_argument('--json', action='store_true')
    options = parser.parse_args()
    levels = [int(level) for level in options.levels.split(',')]
    results = {}
    for name, recipient_of in (('queued', lambda server: server.held),
                               ('in one mailbox', lambda server: server.local)):
        found = costs(recipient_of, levels)
        results[name] = {'microseconds': found, 'growth': found[levels[-1]] / found[levels[0]]}
        if not options.json:
            costs_text = ''.join(f'{level:>11,}: {found[level]:6.1f} us' for level in levels)
            print(f'{name:16}{costs_text}   growth {results[name]["growth"]:.2f}', flush=True)
    if options.json:
        print(json.dumps(results))


if __name__ == '__main__':
    main()
