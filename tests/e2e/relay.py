"""What the tests of the way out share: Kurir with a name server of its own and a port that all next
hops have, each on its own address of 127.0.0.0/8; and bounces, taken apart."""

import contextlib
import email
import json
import random
import re
import socket
import threading
import unittest

from harness import BOB, Server, message, wait_until
from name_server import NameServer
from next_hop import NextHop

DOMAINS = 100  # the last ones are for zones that name them


class Network:
    """An address range of this run's, and a port that is free on its addresses."""

    def __init__(self):
        self.prefix = f'127.{random.randrange(20, 250)}.'
        while True:
            with socket.socket() as probe:
                probe.bind((self.address(1), 0))
                self.port = probe.getsockname()[1]
            if self.port > 20_000:
                return

    def address(self, number):
        return f'{self.prefix}{number // 100}.{number % 100 + 1}'


class Domain:
    """`name` has mx1.name (preference 10) and mx2.name (20)."""

    def __init__(self, network, number):
        self.name = f'd{number}.test'
        self.mx = [network.address(2 * number + 200), network.address(2 * number + 201)]
        self.port = network.port

    def zone_lines(self):
        return (f'{self.name}. MX 10 mx1.{self.name}.\n{self.name}. MX 20 mx2.{self.name}.\n'
                f'mx1.{self.name}. A {self.mx[0]}\nmx2.{self.name}. A {self.mx[1]}\n')

    def address(self, local_part='someone'):
        return f'{local_part}@{self.name}'


class RelayCase(unittest.TestCase):
    """Tests that share a Kurir, a name server and a network; each takes domains of its own."""
    settings = {}       # on top of short waits
    zone = ''           # more lines of the zone "test."; {1} to {99} are addresses of the network
    broken = ('broken.test',)

    @classmethod
    def setUpClass(cls):
        cls.network = Network()
        cls.domains = [Domain(cls.network, number) for number in range(DOMAINS)]
        lines = ''.join(domain.zone_lines() for domain in cls.domains)
        lines += re.sub(r'\{(\d+)\}', lambda found: cls.network.address(int(found[1])), cls.zone)
        cls.names = NameServer({'test': lines}, cls.broken)
        cls.addClassCleanup(cls.names.stop)
        cls.names.start()
        cls.server = Server(*relay_arguments(cls.names, cls.network, cls.settings))
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()

    def domain(self):
        return type(self).domains.pop(0)

    def hop(self, host, behaviour=None, **options):
        """A next hop at the address, until the test ends."""
        hop = NextHop(host, self.network.port, behaviour, **options)
        self.addCleanup(hop.stop)
        return hop.start()

    def submit(self, token, *recipients, sender=BOB, content=None):
        with self.server.smtp('submission', BOB) as client:
            refused = client.sendmail(sender, recipients,
                                      content or message(token, sender=sender))
        self.assertEqual(refused, {})

    def wait_for_mail(self, hop, token, seconds=15.0):
        """The one accepted mail with the token."""
        wait_until(lambda: hop.received(token), seconds,
                   f'mail at {hop.host}\nqueue: {self.server.queue()}\n{self.server.log_tail()}')
        mail, = hop.received(token)
        return mail

    def wait_for_empty_queue(self, seconds=15.0):
        try:
            wait_until(lambda: not self.server.queue(), seconds, 'an empty queue of Kurir')
        except AssertionError as late:
            left = f'{late}: {self.server.queue()}\n{self.server.log_tail()}'
            raise AssertionError(left) from None

    def waiting(self, token_recipient):
        """The queue's entries for a recipient."""
        return [entry for entry in self.server.queue()
                if token_recipient in json.dumps(entry)]

    def bounces(self, token, user=BOB):
        """The notifications about the message with the token in the user's mailbox."""
        return [Bounce(content) for _, content in self.server.messages(user)
                if token.encode() in content and b'multipart/report' in content]

    def wait_for_bounce(self, token, user=BOB, seconds=15.0):
        """The one there is."""
        wait_until(lambda: self.bounces(token, user), seconds,
                   f'a bounce about {token}\nqueue: {self.server.queue()}\n'
                   f'{self.server.log_tail()}')
        bounce, = self.bounces(token, user)
        return bounce

    def events(self, kind, recipient):
        """Those of a type about a recipient, oldest first."""
        return [event for event in events(self.server)
                if event['type'] == kind and recipient in as_list(event['recipient'])]

    def wait_for_event(self, kind, recipient, seconds=15.0):
        wait_until(lambda: self.events(kind, recipient), seconds,
                   f'{kind} of {recipient}\n{self.server.log_tail()}')
        return self.events(kind, recipient)[-1]


def relay_arguments(names, network, settings):
    """The contract of the tests: a name server, one port for all next hops, short waits."""
    chosen = {'dns.servers': json.dumps([names.address]), 'relay.port': network.port,
              'queue.retry_interval': '"500ms"', 'queue.max_retry_interval': '"2s"',
              'queue.max_age': '"60s"', **settings}
    return [argument for key, value in chosen.items() for argument in ('--set', f'{key}={value}')]


def events(server):
    """All that the server has told so far, as dictionaries."""
    found = []
    for line in (server.folder / 'log').read_text(errors='replace').splitlines():
        if line.startswith('{'):
            with contextlib.suppress(json.JSONDecodeError):  # the last line may be half written
                found.append(json.loads(line))
    return found


def as_list(value):
    return value if isinstance(value, list) else [value]


class Bounce:
    """A delivery status notification as its recipient reads it; anything that RFC 3464 does not
    allow fails here."""

    def __init__(self, content):
        self.content = content
        self.message = email.message_from_bytes(content)
        assert self.message.get_content_type() == 'multipart/report'
        assert self.message.get_param('report-type') == 'delivery-status'
        assert self.message['Auto-Submitted'] == 'auto-replied'
        assert 'MAILER-DAEMON@' in self.message['From']
        assert self.message['Return-Path'] == '<>', self.message['Return-Path']
        text, status, self.returned = self.message.get_payload()
        assert text.get_content_type() == 'text/plain'
        assert status.get_content_type() == 'message/delivery-status'
        self.text = text.get_payload(decode=True).decode()
        self.about, *groups = status.get_payload()
        assert self.about['Reporting-MTA'].startswith('dns; ')
        self.recipients = {group['Final-Recipient'].removeprefix('rfc822; '): group
                           for group in groups}
        assert len(self.recipients) == len(groups)

    def only(self, recipient):
        """The fields of the one recipient that it is about."""
        assert list(self.recipients) == [recipient], f'{list(self.recipients)}'
        return self.recipients[recipient]


class CountingThreads:
    """Sends from several threads at once; `refused` has what went wrong."""

    def __init__(self, server, count, each):
        self.refused = []
        self.threads = [threading.Thread(target=self.work, args=(server, number, each))
                        for number in range(count)]

    def work(self, server, number, each):
        try:
            with server.smtp('submission', BOB) as client:
                each(client, number)
        except Exception as error:  # reported by run()
            self.refused.append(error)

    def run(self):
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join(60)
        assert not self.refused, self.refused[:3]
