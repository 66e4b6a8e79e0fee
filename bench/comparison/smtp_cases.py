"""SMTP: accepted and held, relayed until the queue is empty, delivered to mailboxes."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from . import counting, load
from .measured import Costs, Measured, Row, in_turns
from .servers.dovecot import Dovecot
from .servers.exim import Exim
from .servers.haraka import Haraka
from .servers.kurir import Kurir
from .servers.opensmtpd import OpenSMTPD
from .servers.postfix import Postfix
from .servers.server import Missing, Server, running
from .sinks import sink

Make = Callable[[int], Server]
ACCEPTING: dict[str, Make] = {
    'Postfix': Postfix, 'Exim': lambda port: Exim(port, holds=True),
    'Haraka': lambda port: Haraka(port, holds=True),
    'OpenSMTPD': lambda port: OpenSMTPD(port, holds=True)}
RELAYING: dict[str, Make] = {
    'Postfix': Postfix, 'Exim': Exim, 'Haraka': Haraka, 'OpenSMTPD': OpenSMTPD}
DELIVERING: dict[str, Make] = {
    'Postfix': Postfix, 'Exim': Exim, 'OpenSMTPD': OpenSMTPD, 'Dovecot': Dovecot}
COUNTED_SHARE = 0.2  # of a round's messages, where system calls are counted


def scaled(server: Server, messages: int) -> int:
    return max(100, int(messages * server.share))


def latency_of(summary: dict[str, Any], stage: str) -> float:
    return summary['milliseconds'].get(stage, {}).get('p99', 0.0)


class Measure:
    """One server's part of a case: `finish` waits for what comes after the last reply."""

    def __init__(self, server: Server, recipient: str, messages: int, flags: Sequence[str],
                 finish: Callable[[], None] | None = None,
                 forget: Callable[[], None] | None = None) -> None:
        self.server, self.recipient = server, recipient
        self.messages, self.flags = scaled(server, messages), server.flags_of(flags)
        self.finish, self.forget = finish, forget
        self.sent = 0

    def send(self, messages: int) -> dict[str, Any]:
        summary = load.send(self.server.smtp, self.recipient, messages, self.flags)
        self.sent += messages
        if self.finish:
            self.finish()
        return summary

    def __call__(self) -> Measured:
        cpu, began = self.server.group.cpu(), time.monotonic()
        summary = self.send(self.messages)
        seconds = time.monotonic() - began if self.finish else summary['seconds']
        cpu = self.server.group.cpu() - cpu
        if self.forget:
            self.forget()
        return Measured(self.messages / seconds, cpu / self.messages * 1e6,
                        latency_of(summary, 'content'))

    def costs(self) -> Costs:
        messages = max(100, int(self.messages * COUNTED_SHARE))
        with counting.counted(self.server.group.pids()) as counts:
            self.send(messages)
        if self.forget:
            self.forget()
        return Costs(*(None if count is None else count / messages
                       for count in (counts.syscalls, counts.syncs)))


@contextlib.contextmanager
def started(kinds: dict[str, Make], names: Sequence[str]) -> Iterator[list[Server]]:
    """Kurir and those of the names that can run here, beside a sink."""
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(sink()).port
        servers = [stack.enter_context(running(Kurir(port)))]
        for name in names:
            try:
                servers.append(stack.enter_context(running(kinds[name](port))))
            except Missing as missing:
                print(f'without {name}: {missing} (tools/setup --compare)', file=sys.stderr)
            except (load.LoadError, AssertionError) as failure:
                print(f'without {name}: {failure}', file=sys.stderr)
        yield servers


def able(measures: Sequence[Measure]) -> list[Measure]:
    """Those of Kurir and of servers that can do the case: each tries it once."""
    found = []
    for measure in measures:
        try:
            measure()
            found.append(measure)
        except load.LoadError as failure:
            if measure is measures[0]:
                raise
            print(f'without {measure.server.name}: {failure}', file=sys.stderr)
    return found


def measured(name: str, title: str, measures: Sequence[Measure], rounds: int) -> Row:
    measures = able(measures)
    row = Row(name, title, [measure.server.name for measure in measures], [])
    in_turns(row, measures, rounds)
    measures = [measure for measure in measures if measure.server.name in row.servers]
    row.memory = [measure.server.group.memory() for measure in measures]
    row.costs = [measure.costs() for measure in measures]
    return row


def names_of(servers: Sequence[Server]) -> list[str]:
    return [server.name for server in servers]


def accept(name: str, title: str, messages: int, flags: Sequence[str], peers: Sequence[str],
           rounds: int) -> Row:
    """Accepted durably, and kept: nothing is delivered."""
    with started(ACCEPTING, peers) as servers:
        measures = [Measure(server, server.held, messages, flags, forget=server.forget_held)
                    for server in servers]
        return measured(name, title, measures, rounds)


def until_idle(server: Server) -> Callable[[], None]:
    return lambda: load.wait_until(server.is_idle, f'an empty queue of {server.name}')


def relay(name: str, title: str, messages: int, flags: Sequence[str], peers: Sequence[str],
          rounds: int) -> Row:
    """In, queued durably, and out to the sink, until the queue is empty."""
    with started(RELAYING, peers) as servers:
        measures = [Measure(server, server.away, messages, flags, finish=until_idle(server))
                    for server in servers]
        return measured(name, title, measures, rounds)


def local(name: str, title: str, messages: int, flags: Sequence[str], peers: Sequence[str],
          rounds: int, users: int = 1) -> Row:
    """In, and into mailboxes, until the queue is empty."""
    if users > 1:
        flags = [*flags, '--users', str(users)]
    with started(DELIVERING, peers) as servers:
        measures = []
        for server in servers:
            if users > 1:
                server.add_users()
            measures.append(Measure(server, server.locals_ if users > 1 else server.local,
                                    messages, flags, finish=until_idle(server)))
        row = measured(name, title, measures, rounds)
        if users == 1:
            check_delivered(measures)
        return row


def check_delivered(measures: Sequence[Measure]) -> None:
    for measure in measures:
        if isinstance(measure.server, Dovecot):
            continue  # LMTP's reply is the delivery
        found = measure.server.delivered()
        if found != measure.sent:
            raise load.LoadError(f'{measure.server.name}: {found} of {measure.sent} messages are '
                                 'in the mailbox')
