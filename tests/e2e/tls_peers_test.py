"""Postfix and Exim, both ways: each of the four hops by STARTTLS with the next one's certificate
checked, or the mail would wait."""

import pathlib
import shutil
import tempfile
import unittest

import exim
from exim import Exim
from harness import Server, assert_trace_and, message, new_token, run, wait_until
from name_server import NameServer
from postfix import Postfix
from relay import Network, events, relay_arguments

ANN, BEN = 'ann@a.test', 'ben@b.test'
PASSWORD = 'two words'
POSTFIX = """
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = {pair}
smtpd_tls_received_header = yes
smtp_tls_security_level = verify
smtp_tls_verify_cert_match = localhost
smtp_tls_CAfile = {next_hop}
"""


def encrypting_exim(pair, next_hop):
    """The tests' configuration of Exim, to which nothing goes in plaintext."""
    configuration = exim.CONFIGURATION
    for old, new in (
            ('tls_advertise_hosts =', f'tls_advertise_hosts = *\ntls_certificate = {pair}'),
            ('acl_smtp_rcpt = accept', 'acl_smtp_rcpt = encrypted'),
            ('begin routers', 'begin acl\nencrypted:\n  accept encrypted = *\nbegin routers'),
            ('<+ 127.0.0.1"', '<+ localhost" byname'),
            ('hosts_avoid_tls = *', 'hosts_require_tls = *\n  tls_verify_hosts = *\n'
                                    f'  tls_verify_certificates = {next_hop}')):
        assert configuration.count(old) == 1, old
        configuration = configuration.replace(old, new)
    return configuration


class TlsChain(unittest.TestCase):
    """a.test is reached through Exim, b.test through Postfix."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix='kurir-e2e-'))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.folder.chmod(0o755)  # Exim reads as a user of its own
        pairs = {name: cls.pair(name) for name in ('postfix.b.test', 'exim.a.test')}
        cls.network = Network()
        to_a, to_b = cls.network.address(1), cls.network.address(2)
        cls.names = NameServer({'a.test': f'@ MX 10 exim\nexim A {to_a}\n',
                                'b.test': f'@ MX 10 postfix\npostfix A {to_b}\n'})
        cls.addClassCleanup(cls.names.stop)
        cls.names.start()
        cls.a = cls.kurir(ANN, pairs['postfix.b.test'])
        cls.b = cls.kurir(BEN, pairs['exim.a.test'])
        trusted = [shutil.copy(server.demo['certificate'], cls.folder / f'{number}.pem')
                   for number, server in enumerate((cls.a, cls.b))]
        cls.postfix = Postfix(
            cls.b.port('smtp'), host=to_b, port=cls.network.port,
            settings=POSTFIX.format(pair=pairs['postfix.b.test'], next_hop=trusted[1]))
        cls.addClassCleanup(cls.postfix.stop)
        cls.postfix.start()
        cls.exim = Exim(cls.a.port('smtp'), to_a, cls.network.port,
                        configuration=encrypting_exim(pairs['exim.a.test'], trusted[0]))
        cls.addClassCleanup(cls.exim.stop)
        cls.exim.start()

    @classmethod
    def pair(cls, name):
        """A file with a key and a certificate that signs itself."""
        key, chain, both = (cls.folder / f'{name}.{kind}' for kind in ('key', 'chain', 'pem'))
        run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
             '-nodes', '-days', '30', '-subj', f'/CN={name}', '-addext',
             f'subjectAltName=DNS:{name}', '-keyout', key, '-out', chain])
        both.write_text(key.read_text() + chain.read_text())
        both.chmod(0o644)
        return both

    @classmethod
    def kurir(cls, user, authority):
        """Sends to nobody whose certificate is not `authority`."""
        server = Server(*relay_arguments(cls.names, cls.network, {
            'default.enable_tls': 'Required', 'tls.ca_file': authority}))
        cls.addClassCleanup(server.remove)
        server.start()
        server.run('domain', 'add', user.partition('@')[2])
        server.run('user', 'add', user, '--password', PASSWORD)
        server.demo['users'].append({'name': user, 'password': PASSWORD})
        return server

    def travels(self, start, sender, end, recipient, peer, word):
        """`word`: how the peer notes that Kurir came to it by TLS."""
        token = new_token()
        sent = message(token, 20_000, sender, recipient)
        start.send(sent, recipient, sender, 'submission', sender)
        stored = end.wait_for(token.encode(), recipient, seconds=30)
        assert_trace_and(sent, stored)
        trace = ' '.join(stored[:len(stored) - len(sent)].decode().split())
        last, among, first = trace.split('Received: ')[1:]
        self.assertRegex(last, f'{peer}.* with ESMTPS id .*tls TLS_')
        self.assertRegex(among, word)
        self.assertIn('with ESMTPA id', first)
        wait_until(lambda: self.deliveries(start, recipient), 10, 'the event of the delivery')
        event, = self.deliveries(start, recipient)
        self.assertEqual(event['tls_protocol_version'], 'TLSv1.3')

    @staticmethod
    def deliveries(server, recipient):
        return [event for event in events(server)
                if event['type'] == 'Delivery' and recipient in str(event['recipient'])]

    def test_there_through_postfix(self):
        self.travels(self.a, ANN, self.b, BEN, 'relay.example.org',
                     r'using TLSv1\.3 with cipher TLS_\w+ .*key-exchange X25519')

    def test_back_through_exim(self):
        self.travels(self.b, BEN, self.a, ANN, 'exim.example.org', r'with esmtps \(TLS1\.3\)')


if __name__ == '__main__':
    unittest.main()
