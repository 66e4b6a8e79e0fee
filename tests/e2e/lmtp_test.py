"""LMTP (RFC 2033), both sides: programs of this site that bring mail, and a route to one that takes
it."""

import smtplib
import subprocess
import tempfile
import unittest

from dovecot import Dovecot
from harness import BOB, PROGRAM, Server, message, new_token, wait_until
from postfix import Postfix, free_port

ALICE = 'alice@example.test'


class LmtpServer(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix='kurir-e2e-')
        cls.addClassCleanup(folder.cleanup)
        cls.path = f'{folder.name}/lmtp.sock'
        cls.server = Server('--set', f'listen.lmtp=["127.0.0.1:0", "{cls.path}"]')
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()

    def deliver(self, client, token):
        client.ehlo_or_helo_if_needed()
        self.assertEqual(client.mail('a@b.test')[0], 250)
        self.assertEqual(client.rcpt(BOB)[0], 250)
        self.assertEqual(client.rcpt('nobody@example.test')[0], 550)
        self.assertEqual(client.rcpt(ALICE)[0], 250)
        self.assertEqual(client.docmd('DATA')[0], 354)
        client.send(message(token) + b'.\r\n')
        for recipient in (BOB, ALICE):
            code, text = client.getreply()
            self.assertEqual(code, 250, text)
            self.assertIn(f'<{recipient}> queued as'.encode(), text)

    def test_an_answer_for_each_recipient_by_port_and_by_path(self):
        for address in (self.server.address('lmtp'), (self.path, None)):
            token = new_token()
            with smtplib.LMTP(*address) as client:
                self.deliver(client, token)
            for user in (BOB, ALICE):
                wait_until(lambda: any(token.encode() in content
                                       for _, content in self.server.messages(user)), 15, 'mail')

    def test_blast(self):
        host, port = self.server.address('lmtp')
        done = subprocess.run([PROGRAM.parent / 'kurir-blast', '--lmtp', '-c', '-m', '200', '-s',
                               '5', '-t', BOB, f'{host}:{port}'], capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_postfix_as_the_client(self):
        host, port = self.server.address('lmtp')
        postfix = Postfix(port, port=free_port(), settings=(
            f'mailbox_transport = lmtp:inet:{host}:{port}\nrelay_transport = '
            f'lmtp:inet:[{host}]:{port}\ndefault_transport = lmtp:inet:[{host}]:{port}\n'))
        self.addCleanup(postfix.stop)
        postfix.start()
        token = new_token()
        with smtplib.SMTP('127.0.0.1', postfix.port, timeout=20) as client:
            client.sendmail('a@b.test', [BOB], message(token))
        wait_until(lambda: any(token.encode() in content
                               for _, content in self.server.messages(BOB)), 20,
                   f'mail\n{postfix.log()}')


class LmtpClient(unittest.TestCase):

    def test_a_route_to_dovecot(self):
        dovecot = Dovecot()
        self.addCleanup(dovecot.stop)
        dovecot.start()
        server = Server(
            '--set', f'route."port.test".lmtp=["127.0.0.1:{dovecot.port}"]',
            '--set', f'route."path.test".lmtp=["{dovecot.socket}"]')
        self.addCleanup(server.remove)
        server.start()
        for domain in ('port.test', 'path.test'):
            token = new_token()
            with server.smtp('submission', BOB) as client:
                client.sendmail(BOB, [f'carol@{domain}', f'dave@{domain}'],
                                message(token, sender=BOB))
            for user in ('carol', 'dave'):
                wait_until(lambda: dovecot.received(user, token), 20,
                           f'mail\n{server.queue()}\n{server.log_tail()}')
                self.assertEqual(len(dovecot.received(user, token)), 1)
            wait_until(lambda: not server.queue(), 15, 'an empty queue')


if __name__ == '__main__':
    unittest.main()
