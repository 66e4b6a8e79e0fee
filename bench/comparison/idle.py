"""Memory of connections that do nothing: SMTP after EHLO; IMAP with a mailbox selected."""

import contextlib
import dataclasses
import resource
import socket
from collections.abc import Callable, Sequence

from . import load
from .mailbox_cases import started as started_mailboxes
from .servers.server import Server
from .smtp_cases import ACCEPTING, started

WARM = 64  # connections before the first look: pools and processes that are made once


@dataclasses.dataclass
class IdleRow:
    title: str
    server: str
    connections: int
    octets: float  # of the server's memory, each
    ratio: float = 0.0  # to the first server's


def connect(port: int, number: int) -> socket.socket:
    """From addresses that differ, as those of real clients do."""
    client = socket.socket()
    client.settimeout(30)
    client.bind((f'127.1.{number // 250 % 250}.{1 + number % 250}', 0))
    client.connect(('127.0.0.1', port))
    return client


def answered(client: socket.socket, words: bytes, end: bytes) -> None:
    client.sendall(words)
    answer = b''
    while end not in answer:
        piece = client.recv(65536)
        if not piece:
            raise load.LoadError(f'closed after {words.split()[0]!r}')
        answer += piece


def greet_smtp(server: Server, number: int) -> socket.socket:
    client = connect(server.smtp, number)
    client.recv(1024)
    answered(client, b'EHLO idle.test\r\n', b'250 ')
    return client


def select_imap(server: Server, number: int) -> socket.socket:
    client = connect(server.imap, number)
    client.recv(4096)
    answered(client, f'a LOGIN {server.user} {server.password}\r\n'.encode(), b'a OK')
    answered(client, b'b SELECT INBOX\r\n', b'b OK')
    return client


def octets_each(server: Server, count: int,
                connected: Callable[[Server, int], socket.socket]) -> float:
    with contextlib.ExitStack() as stack:
        for number in range(WARM):
            stack.enter_context(connected(server, number))
        before = server.group.memory()
        for number in range(WARM, WARM + count):
            stack.enter_context(connected(server, number))
        return (server.group.memory() - before) / count


def raise_descriptor_limit() -> None:
    """Of this process and of what it starts."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def rows_of(title: str, servers: Sequence[Server], counts: Sequence[int],
            connected: Callable[[Server, int], socket.socket]) -> list[IdleRow]:
    rows: list[IdleRow] = []
    for server, count in zip(servers, counts):
        octets = octets_each(server, count, connected)
        rows.append(IdleRow('' if rows else title, server.name, count, octets,
                            octets / rows[0].octets if rows else 0.0))
    return rows


# A process a connection is Postfix's, Exim's and Dovecot's way: fewer do.
COUNTS = {'Kurir': 10_000, 'Postfix': 500, 'Exim': 200, 'Haraka': 5000, 'OpenSMTPD': 1000}


def idle_smtp(peers: Sequence[str]) -> list[IdleRow]:
    raise_descriptor_limit()
    with started(ACCEPTING, peers) as servers:
        return rows_of('SMTP, EHLO said', servers, [COUNTS[server.name] for server in servers],
                       greet_smtp)


def idle_imap(messages: int) -> list[IdleRow]:
    raise_descriptor_limit()
    with started_mailboxes(messages) as servers:
        return rows_of(f'IMAP, {messages:,} messages selected', servers, [10_000, 300],
                       select_imap)
