"""Which cases there are, and with how much load; a quick run has the few that the targets name."""

import dataclasses
import sys
from collections.abc import Callable, Iterator, Sequence

from . import ceiling_case, mailbox_cases, smtp_cases
from .load import LoadError
from .measured import Row
from .servers.server import Missing

PERSISTENT = ['-s', '100', '-l', '4k', '-d']
PIPELINED = [*PERSISTENT, '--pipelining']
SINGLE = ['-s', '50', '-l', '4k']
MANY = ['-s', '1000', '-l', '4k', '-d', '--source', '127.1.0.1-127.1.0.250']
ALL = ['Postfix', 'Exim', 'Haraka', 'OpenSMTPD']
DELIVERERS = ['Postfix', 'Exim', 'OpenSMTPD', 'Dovecot']
ONE = ['Postfix']


@dataclasses.dataclass
class Scope:
    """Of a run; the cases that are wanted, all where none is named."""
    quick: bool
    rounds: int
    scale: float  # of the messages
    wanted: Sequence[str] = ()

    def has(self, name: str, of_quick: bool) -> bool:
        return name in self.wanted if self.wanted else of_quick or not self.quick


@dataclasses.dataclass
class Case:
    """Against other servers; its name is the key of --json up to "_vs_"."""
    name: str
    title: str
    kind: Callable[..., Row]
    messages: int
    flags: Sequence[str]
    peers: Sequence[str]
    options: dict[str, int] = dataclasses.field(default_factory=dict)
    quick: bool = False

    def run(self, scope: Scope) -> Row:
        return self.kind(self.name, self.title, int(self.messages * scope.scale), self.flags,
                         ONE if scope.quick else self.peers, scope.rounds, **self.options)


def sized(octets: str) -> list[str]:
    return ['-s', '100', '-l', octets, '-d', '--pipelining']


CASES = [
    Case('accept', 'accept, persistent, pipelined', smtp_cases.accept, 40_000, PIPELINED, ALL,
         quick=True),
    Case('accept_lockstep', 'accept, persistent, lockstep', smtp_cases.accept, 30_000, PERSISTENT,
         ALL),
    Case('accept_one_per_connection', 'accept, one a connection', smtp_cases.accept, 20_000,
         SINGLE, ALL, quick=True),
    Case('accept_one_pipelined', 'accept, one a connection, pipelined', smtp_cases.accept, 20_000,
         [*SINGLE, '--pipelining'], ONE),
    Case('accept_1k', 'accept, 1 KiB, pipelined', smtp_cases.accept, 40_000, sized('1k'), ONE),
    Case('accept_100k', 'accept, 100 KiB, pipelined', smtp_cases.accept, 5000, sized('100k'), ONE),
    Case('accept_50', 'accept, 50 connections, lockstep', smtp_cases.accept, 30_000,
         ['-s', '50', '-l', '4k', '-d'], ONE),
    Case('accept_200', 'accept, 200 connections, lockstep', smtp_cases.accept, 30_000,
         ['-s', '200', '-l', '4k', '-d'], ONE),
    Case('accept_1000', 'accept, 1,000 connections, lockstep', smtp_cases.accept, 40_000, MANY,
         ['Postfix', 'Haraka']),
    Case('relay', 'accept, relay, empty queue', smtp_cases.relay, 20_000, PERSISTENT, ALL,
         quick=True),
    Case('relay_one_per_connection', 'accept, relay, one a connection', smtp_cases.relay, 20_000,
         SINGLE, ONE),
    Case('relay_100k', 'accept, relay, 100 KiB', smtp_cases.relay, 4000,
         ['-s', '100', '-l', '100k', '-d'], ONE),
    Case('local', 'accept, local delivery, 1 user', smtp_cases.local, 20_000, PERSISTENT,
         DELIVERERS, quick=True),
    Case('local_1000', 'accept, local delivery, 1,000 users', smtp_cases.local, 20_000, PERSISTENT,
         DELIVERERS, {'users': 1000}),
]


@dataclasses.dataclass
class Ceiling:
    """Against fixed replies; its name is the key of --json."""
    name: str
    title: str
    durable: bool
    flags: Sequence[str]
    quick: bool = False

    def run(self, scope: Scope) -> Row:
        return ceiling_case.against_ceiling(self.name, self.title, self.durable,
                                            int(40_000 * scope.scale), self.flags, scope.rounds)


CEILINGS = [
    Ceiling('server', 'no disk, lockstep', False, PERSISTENT, quick=True),
    Ceiling('server_pipelined', 'no disk, pipelined', False, PIPELINED),
    Ceiling('durable', 'durable, lockstep', True, PERSISTENT, quick=True),
    Ceiling('durable_pipelined', 'durable, pipelined', True, PIPELINED),
]
QUICK_OPERATIONS = ['imap_fetch_flags', 'imap_fetch_body']


def attempted(name: str, run: Callable[[], Row]) -> Iterator[Row]:
    """A case that fails is told; the others go on."""
    try:
        yield run()
    except LoadError as failure:
        print(f'{name} failed: {failure}', file=sys.stderr)


def rows(scope: Scope) -> Iterator[Row]:
    for case in [*CASES, *CEILINGS]:
        if scope.has(case.name, case.quick):
            yield from attempted(case.name, lambda case=case: case.run(scope))
    operations = [operation.key for operation in mailbox_cases.OPERATIONS
                  if scope.has(operation.key, operation.key in QUICK_OPERATIONS)]
    try:
        yield from mailbox_cases.mailboxes(operations, 2000 if scope.quick else 10_000,
                                           scope.rounds, scope.scale)
    except (LoadError, Missing) as failure:
        print(f'mailboxes failed: {failure}', file=sys.stderr)


def names() -> list[str]:
    return [*(case.name for case in CASES),
            *(operation.key for operation in mailbox_cases.OPERATIONS),
            *(ceiling.name for ceiling in CEILINGS), 'idle_smtp', 'idle_imap', 'half_load']
