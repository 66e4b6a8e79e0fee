"""nginx's mail module before Kurir: XCLIENT by SMTP, the PROXY protocol by IMAP and POP3. Kurir
believes it whom it speaks for and who has logged in."""

import base64
import re
import smtplib
import unittest

from harness import BOB, Server, Wire, message, new_token, wait_until
from nginx import Nginx
from relay import events

ELSEWHERE = 'someone@nowhere.test'  # whom only users may write to


class BehindNginx(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.server = Server('--set', 'smtp.xclient_networks=["127.0.0.1"]',
                            '--set', 'limits.trusted=[]',
                            '--set', 'strangers.greet_pause="0s"')
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()
        # nginx always comes from 127.0.0.1, and this Kurir reads headers of the PROXY protocol.
        cls.boxes = Server('--set', 'proxy.listeners=["imap", "pop3"]',
                           '--set', 'proxy.networks=["127.0.0.1"]',
                           '--set', 'limits.trusted=[]',
                           '--set', 'limits.connections_per_network_max=3')
        cls.addClassCleanup(cls.boxes.remove)
        cls.boxes.start()
        boxes = {BOB: cls.boxes.password(BOB)}
        cls.nginx = Nginx({'smtp': {BOB: cls.server.password(BOB)}, 'imap': boxes, 'pop3': boxes}, {
            ('smtp', True): cls.server.address('submission'),
            ('smtp', False): cls.server.address('smtp'),
            ('imap', True): cls.boxes.address('imap'),
            ('pop3', True): cls.boxes.address('pop3')})
        cls.addClassCleanup(cls.nginx.stop)
        cls.nginx.start()

    def client(self, name, address):
        client = smtplib.SMTP('127.0.0.1', self.nginx.ports[name], 'said.test', 20,
                              source_address=(address, 0))
        self.addCleanup(client.close)
        return client

    def reception(self, client):
        """What is told of the mail to Bob that came from the address `client`."""
        def found():
            return [event for event in events(self.server) if event['type'] == 'Reception'
                    and event['recipient'] == BOB
                    and event['peer_address']['addr'] == client]
        wait_until(found, 10, f'the event of what {client} sent')
        event, = found()
        return event

    def received(self, token):
        stored = self.server.wait_for(token.encode())
        return re.search(rb'^Received:.*?\r\n(?=\S)', stored, re.S | re.M)[0]

    def test_a_client_that_logs_in_at_nginx_is_the_user_at_kurir(self):
        token = new_token()
        with self.client('with_login', '127.0.5.21') as client:
            client.login(BOB, self.server.password(BOB))
            client.sendmail(BOB, [BOB, ELSEWHERE], message(token))
        self.assertRegex(self.received(token), rb'from said\.test \(\[127\.0\.5\.21\]\)\s+by .*'
                                               rb'with ESMTPA id')
        self.assertEqual(self.reception('127.0.5.21')['meta']['authn_id'], BOB)
        self.assertEqual(self.nginx.judge.asked[-1]['Client-IP'], '127.0.5.21')

    def test_who_does_not_know_the_password_stays_outside(self):
        with self.client('with_login', '127.0.5.22') as client:
            client.ehlo()
            guess = base64.b64encode(f'\0{BOB}\0guessed'.encode()).decode()
            try:  # nginx says why and closes
                code, text = client.docmd('AUTH PLAIN', guess)
            except smtplib.SMTPServerDisconnected:
                code, text = 0, b''
        self.assertNotEqual(code, 235, text)
        self.assertEqual(self.nginx.judge.asked[-1]['Auth-Pass'], 'guessed')

    def test_mail_of_strangers_has_their_address(self):
        token = new_token()
        with self.client('without_login', '127.0.5.23') as client:
            client.sendmail('a@elsewhere.test', [BOB], message(token))
        self.assertRegex(self.received(token), rb'from said\.test \(\[127\.0\.5\.23\]\)\s+by .*'
                                               rb'with ESMTP id')
        self.assertNotIn('authn_id', self.reception('127.0.5.23')['meta'])

    def test_a_stranger_behind_nginx_may_not_relay(self):
        with self.client('without_login', '127.0.5.24') as client:
            with self.assertRaises(smtplib.SMTPRecipientsRefused) as refused:
                client.sendmail('a@elsewhere.test', [ELSEWHERE], message(new_token()))
        (code, _), = refused.exception.recipients.values()
        self.assertEqual(code // 100, 5)

    def connect(self, name, client):
        wire = Wire(('127.0.0.1', self.nginx.ports[name]), source=(client, 0))
        self.addCleanup(wire.close)
        return wire

    def logged_in_by_imap(self, client):
        """Whether Kurir let it in; nginx connects to Kurir when the client has told who it is."""
        wire = self.connect('imap', client)
        self.assertRegex(wire.line(), rb'^\* OK')
        lines = wire.tagged(b'a', b'LOGIN %s "%s"' % (
            BOB.encode(), self.boxes.password(BOB).encode()))
        if not lines or not lines[-1].startswith(b'a OK'):
            return False
        return wire.tagged(b'b', b'SELECT INBOX')[-1].startswith(b'b OK')

    def test_mailboxes_by_imap_and_whose_connections_they_are(self):
        self.assertEqual([self.logged_in_by_imap(f'127.0.31.{host}') for host in range(1, 5)],
                         [True, True, True, False])
        self.assertTrue(self.logged_in_by_imap('127.0.32.1'))

    def test_a_mailbox_by_pop3(self):
        wire = self.connect('pop3', '127.0.33.1')
        self.assertRegex(wire.line(), rb'^\+OK')
        for command in (f'USER {BOB}', f'PASS {self.boxes.password(BOB)}', 'STAT', 'QUIT'):
            wire.send(command.encode() + b'\r\n')
            self.assertRegex(wire.line(), rb'^\+OK')


if __name__ == '__main__':
    unittest.main()
