"""Mail between two Kurirs: by MX and Postfix there, by MX and Exim back, read over IMAP."""

import unittest

from exim import Exim
from harness import Server, assert_trace_and, message, new_token
from name_server import NameServer
from postfix import Postfix
from relay import Network, relay_arguments

ANN, BEN = 'ann@a.test', 'ben@b.test'
PASSWORD = 'two words'


class RelayChain(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.network = Network()
        to_a, to_b = cls.network.address(1), cls.network.address(2)
        cls.names = NameServer({'a.test': f'@ MX 10 exim\nexim A {to_a}\n',
                                'b.test': f'@ MX 10 postfix\npostfix A {to_b}\n'})
        cls.addClassCleanup(cls.names.stop)
        cls.names.start()
        cls.a, cls.b = cls.kurir(ANN), cls.kurir(BEN)
        cls.exim = Exim(cls.a.port('smtp'), to_a, cls.network.port)
        cls.addClassCleanup(cls.exim.stop)
        cls.exim.start()
        cls.postfix = Postfix(cls.b.port('smtp'), host=to_b, port=cls.network.port,
                              routes={'a.test': (to_a, cls.network.port)})
        cls.addClassCleanup(cls.postfix.stop)
        cls.postfix.start()

    @classmethod
    def kurir(cls, user):
        server = Server(*relay_arguments(cls.names, cls.network, {}))
        cls.addClassCleanup(server.remove)
        server.start()
        server.run('domain', 'add', user.partition('@')[2])
        server.run('user', 'add', user, '--password', PASSWORD)
        server.demo['users'].append({'name': user, 'password': PASSWORD})
        return server

    def travels(self, start, sender, end, recipient, relay_name):
        token = new_token()
        sent = message(token, 20_000, sender, recipient) + b'.\r\n..\r\nend\r\n'
        start.send(sent, recipient, sender, 'submission', sender)
        stored = end.wait_for(token.encode(), recipient, seconds=30)
        assert_trace_and(sent, stored)
        trace = stored[:len(stored) - len(sent)].decode()
        self.assertEqual(trace.lower().count('\nreceived:'), 3)
        self.assertIn(relay_name, trace)

    def test_there_through_postfix(self):
        self.travels(self.a, ANN, self.b, BEN, 'relay.example.org')

    def test_back_through_exim(self):
        self.travels(self.b, BEN, self.a, ANN, 'exim.example.org')
