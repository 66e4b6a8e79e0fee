"""HAProxy before Kurir, by both versions of the PROXY protocol: whom a connection is from."""

import contextlib
import re
import unittest

from haproxy import HaProxy
from harness import BOB, Server, Wire, message, new_token, wait_until
from relay import events

PROXY = '127.0.7.7'
VERSIONS = {'1': 'send-proxy', '2': 'send-proxy-v2'}


class BehindHaProxy(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.server = Server('--set', 'proxy.listeners=["smtp", "imap"]',
                            '--set', f'proxy.networks=["{PROXY}"]',
                            '--set', 'limits.trusted=[]',
                            '--set', 'limits.connections_per_network_max=3',
                            '--set', 'strangers.greet_pause="0s"')
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()
        listeners, options = {}, {}
        for version, header in VERSIONS.items():
            for listener in ('smtp', 'imap'):
                name = listener + version
                listeners[name] = (cls.server.address(listener), header)
            options[f'smtp{version}'] = 'option smtpchk EHLO haproxy.test'
        cls.proxy = HaProxy(listeners, PROXY, options)
        cls.addClassCleanup(cls.proxy.stop)
        cls.proxy.start()

    def connect(self, name, client):
        wire = Wire(('127.0.0.1', self.proxy.ports[name]), source=(client, 0))
        self.addCleanup(wire.close)
        return wire

    def test_received_and_event_have_the_clients_address(self):
        for version, client in (('1', '127.0.5.11'), ('2', '127.0.6.12')):
            with self.subTest(version):
                token = new_token()
                wire = self.connect(f'smtp{version}', client)
                port = wire.socket.getsockname()[1]
                self.assertEqual(wire.reply()[0], 220)
                for command in (b'EHLO client.test', b'MAIL FROM:<a@b.test>',
                                b'RCPT TO:<%s>' % BOB.encode()):
                    self.assertEqual(wire.ask(command)[0], 250)
                self.assertEqual(wire.ask(b'DATA')[0], 354)
                self.assertEqual(wire.ask(message(token) + b'.')[0], 250)
                self.assertEqual(wire.ask(b'QUIT')[0], 221)
                stored = self.server.wait_for(token.encode())
                received = re.search(rb'^Received:.*?\r\n(?=\S)', stored, re.S | re.M)[0]
                self.assertIn(b'from client.test ([%s])' % client.encode(), received)
                wait_until(lambda: self.receptions(client), 10, f'the event of {client}')
                self.assertEqual(self.receptions(client), [f'{client}:{port}'])

    def receptions(self, client):
        return [event['meta']['received_from'] for event in events(self.server)
                if event['type'] == 'Reception' and event['peer_address']['addr'] == client]

    def test_limits_count_the_clients_network_and_not_the_proxys(self):
        for version in VERSIONS:
            with self.subTest(version):
                crowd = f'127.0.{100 + int(version)}'
                for host in range(1, 4):
                    wire = self.connect(f'imap{version}', f'{crowd}.{host}')
                    self.assertRegex(wire.line(), rb'^\* OK')
                wire = self.connect(f'imap{version}', f'{crowd}.4')
                self.assertRegex(wire.line(), rb'^\* BYE Too many')
                wire = self.connect(f'imap{version}', f'127.0.{110 + int(version)}.1')
                self.assertRegex(wire.line(), rb'^\* OK')

    def test_a_login_by_imap(self):
        for version in VERSIONS:
            wire = self.connect(f'imap{version}', f'127.0.{120 + int(version)}.1')
            self.assertRegex(wire.line(), rb'^\* OK')
            password = self.server.password(BOB).encode()
            self.assertRegex(wire.tagged(b'a', b'LOGIN %s "%s"' % (BOB.encode(), password))[-1],
                             rb'^a OK')
            self.assertRegex(wire.tagged(b'b', b'SELECT INBOX')[-1], rb'^b OK')

    def test_checks_of_health_are_answered(self):
        self.assertEqual({self.proxy.checked()[f'smtp{version}'] for version in VERSIONS},
                         {'L7OK'})
        with contextlib.closing(self.server.wire('smtp')) as wire:  # not from the proxy's address
            self.assertEqual(wire.reply()[0], 220)


if __name__ == '__main__':
    unittest.main()
