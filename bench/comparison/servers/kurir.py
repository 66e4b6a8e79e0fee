"""Kurir itself: the demo, with routes to the sink and to a port where nobody listens."""

from collections.abc import Sequence

import harness
import postfix as postfix_of_tests

from .. import encryption
from ..tree import PROGRAM
from .server import AWAY, HELD, USERS, Server

START_SECONDS = 60
NOBODY = 9  # a port where no sink is
# Of no password: these users only receive mail.
HASH = '$6$comparison$' + 'x' * 86


class Kurir(Server):
    name = 'Kurir'
    durability = 'group commit, one write with RWF_DSYNC'
    held, away, local, locals_ = (f'{name}@example.test' for name in ('held', 'away', 'bob', 'u%d'))

    def __init__(self, sink_port: int = NOBODY, settings: Sequence[str] = ()) -> None:
        super().__init__()
        routes = {'hold.test': postfix_of_tests.free_port(), 'example.net': sink_port}
        settings = ['default.connection_limit=20', 'limits.connections_max=20000',
                    'limits.connections_per_address_max=20000', *settings,
                    *(f'route."{domain}".to="127.0.0.1:{port}"' for domain, port in routes.items())]
        if encryption.wanted:
            certificate, key = encryption.pair()
            settings = [*settings, f'tls.certificates=["{certificate}"]',
                        f'tls.private_keys=["{key}"]', 'default.enable_tls="RequiredInsecure"']
        self.server = harness.Server(
            *(word for setting in settings for word in ('--set', setting)))

    def start(self) -> None:
        with self.group.joined():
            self.server.start(START_SECONDS)
        self.server.program = PROGRAM  # its commands, whatever the server itself is run by
        self.group.leads(self.server.process.pid)
        for alias, target in (('held', HELD), ('away', AWAY)):
            self.server.run('alias', 'add', f'{alias}@example.test', target)
        self.smtp, self.imap, self.pop3 = map(self.server.port, ('smtp', 'imap', 'pop3'))
        self.user, self.password = harness.BOB, self.server.password()

    def add_users(self) -> None:
        for number in range(1, USERS + 1):
            self.server.run('user', 'add', f'u{number}@example.test', '--password-hash', HASH)

    def add_readers(self, count: int) -> None:
        for number in range(1, count + 1):
            self.server.run('user', 'add', f'u{number}@example.test', '--password', self.password)

    def is_idle(self) -> bool:
        return self.server.run('queue', 'summary').stdout.startswith('0 messages')

    def forget_held(self) -> None:
        self.server.run('queue', 'remove', '--everything')

    def delivered(self) -> int:
        with self.server.imap() as client:
            return int(client.select('INBOX', readonly=True)[1][0])

    def stop(self) -> None:
        self.server.remove()
