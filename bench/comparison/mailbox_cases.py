"""Operations on a mailbox, by IMAP and POP3, against Dovecot."""

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence

from . import encryption, load
from .measured import Measured, Row, in_turns
from .servers.dovecot import Dovecot
from .servers.kurir import Kurir
from .servers.server import Server, running
from .smtp_cases import latency_of, names_of


@dataclasses.dataclass
class Operation:
    """A mix of kurir-blast's that is one operation only."""
    key: str
    title: str
    mix: str
    count: int  # of Kurir's operations in a round
    share: float  # of them for Dovecot
    sessions: int = 8
    protocol: str = 'imap'


READERS = 16  # of POP3, which serves one session a mailbox

OPERATIONS = [
    Operation('imap_fetch_flags', 'FETCH 1:* (FLAGS UID)', 'fetch-flags', 400, 0.25),
    Operation('imap_fetch_envelope', 'FETCH 1:* (FLAGS UID ENVELOPE)', 'fetch-envelope', 60, 0.25),
    Operation('imap_fetch_body', 'FETCH n BODY.PEEK[], 4 KiB', 'fetch-body', 20_000, 0.25),
    Operation('imap_store', 'STORE n FLAGS', 'store', 10_000, 0.1),
    Operation('imap_login_cycle', 'LOGIN, SELECT, LOGOUT', 'login', 4000, 0.1),
    Operation('imap_search_subject', 'SEARCH SUBJECT', 'search', 800, 0.1),
    Operation('imap_append', 'APPEND, 1 KiB', 'append', 4000, 0.1),
    Operation('imap_idle', 'APPEND to EXISTS in IDLE', 'idle', 2000, 0.02),
    Operation('pop3_retr', f'POP3 RETR, 4 KiB, {READERS} users', 'fetch-body', 20_000, 0.25,
              READERS, 'pop3'),
]


def fill(server: Server, messages: int) -> None:
    """On one connection: several that deliver to one mailbox Dovecot may answer with 451."""
    flags = ['-d', '-l', '4k', *server.flags]
    load.send(server.smtp, server.local, messages, flags)
    server.add_readers(READERS)
    load.send(server.smtp, server.locals_, messages, [*flags, '--users', str(READERS)])
    load.wait_until(server.is_idle, 'the mailbox')


def perform(server: Server, operation: Operation, scale: float) -> Measured:
    share = operation.share if isinstance(server, Dovecot) else 1.0
    count = max(operation.sessions, int(operation.count * share * scale))
    is_pop3 = operation.protocol == 'pop3'
    port = server.pop3 if is_pop3 else server.imap
    name = server.locals_ if is_pop3 else server.user
    users = ['--users', str(READERS)] if is_pop3 else []
    cpu = server.group.cpu()
    summary = load.run_blast(port, [
        '--protocol', operation.protocol, '--mix', operation.mix, '-m', str(count),
        '-s', str(operation.sessions), '--auth', f'{name}:{server.password}', *users,
        *encryption.load_flags()])
    cpu = server.group.cpu() - cpu
    stage = operation.mix.replace('-', '_')
    return Measured(summary['rate'], cpu / count * 1e6, latency_of(summary, stage))


@contextlib.contextmanager
def started(messages: int) -> Iterator[list[Server]]:
    """Both with so many messages in one user's INBOX, and as many in those of READERS others."""
    with running(Kurir()) as kurir, running(Dovecot()) as dovecot:
        for server in (kurir, dovecot):
            fill(server, messages)
        yield [kurir, dovecot]


def mailboxes(keys: Sequence[str], messages: int, rounds: int, scale: float) -> Iterator[Row]:
    operations = [operation for operation in OPERATIONS if operation.key in keys]
    if not operations:
        return
    with started(messages) as servers:
        for operation in operations:
            measures = [lambda server=server, operation=operation:
                        perform(server, operation, scale) for server in servers]
            row = Row(operation.key, f'{operation.title}, {messages:,} messages',
                      names_of(servers), [])
            for measure in measures:
                measure()
            in_turns(row, measures, rounds)
            row.memory = [server.group.memory() for server in servers]
            yield row

