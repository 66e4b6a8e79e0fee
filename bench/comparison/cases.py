"""What is measured: each case runs the same load against its servers in turns, A B A B."""

import contextlib
import dataclasses
import os
import statistics
import tempfile
import time

from . import load, servers

SERVER_CPUS, LOAD_CPUS = '0', '1'  # where the ceiling is approached


@dataclasses.dataclass
class Measured:
    rate: float  # a second
    cpu: float   # microseconds of the server's CPU for each


@dataclasses.dataclass
class Row:
    """A case's outcome; by round, in the order of the servers."""
    title: str
    names: list
    rounds: list  # of lists of Measured
    peak_memory: list = dataclasses.field(default_factory=list)

    def ratios(self, of_cpu):
        """How many times better the first server is than the second, by round."""
        if of_cpu:
            return [other.cpu / ours.cpu for ours, other in self.rounds]
        return [ours.rate / other.rate for ours, other in self.rounds]

    def ratio(self, of_cpu=True):
        return statistics.median(self.ratios(of_cpu))

    def medians(self):
        return [Measured(statistics.median(m.rate for m in column),
                         statistics.median(m.cpu for m in column))
                for column in zip(*self.rounds)]


@contextlib.contextmanager
def running(kinds, sink, settings=()):
    with contextlib.ExitStack() as stack:
        started = []
        for kind in kinds:
            server = kind(sink, settings) if kind is servers.Kurir else kind(sink)
            stack.callback(server.stop)
            server.start()
            started.append(server)
        yield started


def counted(server, messages, work):
    """Measured: `work` does what counts for so many messages."""
    cpu, began = server.group.cpu(), time.monotonic()
    work()
    seconds = time.monotonic() - began
    return Measured(messages / seconds, (server.group.cpu() - cpu) / messages * 1e6)


def in_turns(title, started, measure, rounds):
    row = Row(title, [server.name for server in started], [])
    for server in started:
        measure(server)  # warm: files made, processes started
    for _ in range(rounds):
        row.rounds.append([measure(server) for server in started])
    row.peak_memory = [server.group.memory() for server in started]
    return row


def scaled(server, messages):
    return max(200, int(messages * server.share))


def accept(title, messages, flags, rounds):
    """Accepted durably, and kept: nothing is delivered."""
    def measure(server):
        count = scaled(server, messages)
        measured = counted(server, count, lambda: load.blast(
            server.smtp, server.held, count, flags))
        server.forget_held()
        return measured
    with contextlib.closing(Sink()) as sink, \
            running([servers.Kurir, servers.Postfix], sink) as started:
        return in_turns(title, started, measure, rounds)


def relay(title, messages, flags, rounds):
    """In, queued durably, and out to smtp-sink, until the queue is empty."""
    with contextlib.closing(Sink()) as sink, \
            running([servers.Kurir, servers.Postfix], sink) as started:
        def measure(server):
            count = scaled(server, messages)
            target = sink.count() + count

            def work():
                load.blast(server.smtp, server.away, count, flags)
                load.wait_until(lambda: sink.count() >= target, f'{target} messages at the sink')
            measured = counted(server, count, work)
            load.wait_until(server.is_idle, f'an empty queue of {server.name}')
            return measured
        return in_turns(title, started, measure, rounds)


def local(title, messages, flags, rounds):
    """In, and into one user's mailbox; Postfix: Maildir."""
    with contextlib.closing(Sink()) as sink, \
            running([servers.Kurir, servers.Postfix], sink) as started:
        for server in started:
            server.in_mailbox = 0

        def measure(server):
            count = scaled(server, messages)
            server.in_mailbox += count

            def work():
                load.blast(server.smtp, server.local, count, flags)
                load.wait_until(lambda: server.delivered() >= server.in_mailbox,
                                f'{server.in_mailbox} messages in the mailbox of {server.name}')
            return counted(server, count, work)
        return in_turns(title, started, measure, rounds)


def fill_mailbox(server, messages):
    if isinstance(server, servers.Dovecot):
        load.blast(server.lmtp, server.local, messages,
                   ['--lmtp', '-d', '-s', '1', '-l', '4k'])
    else:
        load.blast(server.smtp, server.local, messages, ['-d', '-s', '8', '-l', '4k'])
        load.wait_until(lambda: server.delivered() >= messages, 'the mailbox')


# Operations on a mailbox: title, what counts (of n messages), command or function.
def imap_case(command, each):
    def operate(client, _server, messages):
        if each:
            for number in range(1, each + 1):
                client.command(command.format(number))
            return each
        client.command(command)
        return messages
    return operate


def repeated(operation, times):
    def operate(client, server, messages):
        return sum(operation(client, server, messages) for _ in range(times))
    return operate


def cycles(client, server, _messages):
    for _ in range(50):
        load.login_cycle(server.imap, server.user, server.password)
    return 50


def searches(client, _server, _messages):
    for _ in range(20):
        client.command('SEARCH SUBJECT "zebra"')
    return 20


def retrieve(_client, server, _messages):
    return load.pop3_retrieve(server.pop3, server.user, server.password, 1000)


IMAP = {
    'fetch flags': repeated(imap_case('FETCH 1:* (FLAGS UID)', 0), 20),
    'fetch envelope': repeated(imap_case('FETCH 1:* (FLAGS UID ENVELOPE)', 0), 5),
    'fetch body': imap_case('FETCH {} BODY.PEEK[]', 1000),
    'store': imap_case('STORE {} +FLAGS (\\Seen)', 500),
    'search subject': searches,
    'login cycle': cycles,
    'POP3 RETR': retrieve,
}


def mailboxes(titles, messages, rounds):
    """Rows of IMAP and POP3 operations against Dovecot, on a mailbox of so many messages."""
    rows = []
    with contextlib.closing(Sink()) as sink, \
            running([servers.Kurir, servers.Dovecot], sink) as started:
        for server in started:
            fill_mailbox(server, messages)
        for title in titles:
            operate = IMAP[title]

            def measure(server):
                client = load.ImapClient(server.imap, server.user, server.password)
                client.command('SELECT INBOX')
                done = [1]

                def work():
                    done[0] = operate(client, server, messages)
                measured = counted(server, 1, work)
                client.close()
                return Measured(measured.rate * done[0], measured.cpu / done[0])
            rows.append(in_turns(title, started, measure, rounds))
    return rows


@contextlib.contextmanager
def pinned(cpus):
    """What is started meanwhile runs there only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(',')})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def without_disk():
    """Folders made meanwhile lie in memory."""
    before, tempfile.tempdir = tempfile.tempdir, '/dev/shm'
    try:
        yield
    finally:
        tempfile.tempdir = before


def against_ceiling(title, durable, messages, flags, rounds):
    """Wall rates: the server on one core, the load on another."""
    settings = () if durable else ('store.durability="none"',)
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(contextlib.closing(Sink()))
        ceiling = servers.Ceiling(durable, SERVER_CPUS)
        stack.callback(ceiling.stop)
        ceiling.start()
        with contextlib.nullcontext() if durable else without_disk():
            kurir = servers.Kurir(sink, settings)
        stack.callback(kurir.stop)
        with pinned(SERVER_CPUS):
            kurir.start()

        def measure(port, recipient):
            return Measured(load.blast(port, recipient, messages, flags, LOAD_CPUS)['rate'], 1)
        row = Row(title, ['Kurir', 'ceiling'], [])
        measure(kurir.smtp, kurir.held)
        for _ in range(rounds):
            row.rounds.append([measure(kurir.smtp, kurir.held), measure(ceiling.port, 'x@y.test')])
            kurir.forget_held()
        return row


class Sink(servers.Sink):
    close = servers.Sink.stop
