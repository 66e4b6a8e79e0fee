"""Whom a connection is from where somebody stands between: the PROXY protocol, and XCLIENT."""

import re
import socket
import struct
import subprocess
import unittest

from harness import ALICE, BOB, Server, message, new_token, wait_until

SIGNATURE = b'\r\n\r\n\0\r\nQUIT\n'
CLIENT = b'\xc0\0\2\7\x7f\0\0\1\x12\x67\0\x19'  # 192.0.2.7:4711 to 127.0.0.1:25


def version_2(command, family, content):
    return SIGNATURE + bytes([command, family]) + struct.pack('>H', len(content)) + content


class Proxy(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.server = Server('--set', 'proxy.listeners=["smtp", "pop3"]',
                            '--set', 'proxy.networks=["127.0.0.0/8"]',
                            '--set', 'proxy.timeout="500ms"')
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()

    def connect(self, octets, listener='smtp'):
        peer = socket.create_connection(self.server.address(listener), timeout=15)
        self.addCleanup(peer.close)
        if octets:
            peer.sendall(octets)
        return peer

    def deliver(self, header):
        """The Received field of a message that comes behind the header."""
        peer, token = self.connect(header), new_token()
        lines = peer.makefile('rb')
        for command in (b'', b'HELO client.test\r\n', b'MAIL FROM:<a@b.test>\r\n',
                        f'RCPT TO:<{BOB}>\r\n'.encode(), b'DATA\r\n', message(token) + b'.\r\n'):
            peer.sendall(command)
            self.assertRegex(lines.readline(), rb'^[23]')
        found = []

        def has_come():
            found[:] = [content for _, content in self.server.messages(BOB)
                        if token.encode() in content]
            return found
        wait_until(has_come, 15, 'the mail')
        return re.search(rb'^Received:.*?\r\n(?=\S)', found[0], re.S | re.M)[0]

    def test_the_clients_address_is_that_of_the_header(self):
        for header in (b'PROXY TCP4 192.0.2.7 127.0.0.1 4711 25\r\n',
                       version_2(0x21, 0x11, CLIENT), version_2(0x21, 0x11, CLIENT + b'\4\0\1x')):
            self.assertIn(b'([192.0.2.7])', self.deliver(header))
        header = b'PROXY TCP6 2001:db8::7 ::1 4711 25\r\n'
        self.assertIn(b'([IPv6:2001:db8::7])', self.deliver(header))

    def test_what_comes_in_pieces_or_with_the_first_commands(self):
        header = version_2(0x21, 0x11, CLIENT)
        peer = self.connect(b'')
        for octet in header:
            peer.sendall(bytes([octet]))
        self.assertTrue(peer.recv(4).startswith(b'220'))
        peer = self.connect(b'PROXY TCP4 192.0.2.7 127.0.0.1 4711 110\r\nQUIT\r\n', 'pop3')
        self.assertIn(b'+OK', b''.join(iter(lambda: peer.recv(4096), b'')))

    def test_a_health_check_is_the_proxys_own(self):
        for header in (version_2(0x20, 0, b''), b'PROXY UNKNOWN\r\n'):
            self.assertIn(b'([127.0.0.1])', self.deliver(header))

    def test_what_is_no_header_ends_the_connection_without_a_word(self):
        for octets in (b'EHLO x\r\n', b'PROXY TCP4 192.0.2.7 127.0.0.1 4711\r\n',
                       b'PROXY TCP4 192.0.2.7 127.0.0.1 04711 25\r\n', b'PROXY ' + b'x' * 200,
                       version_2(0x22, 0x11, CLIENT), version_2(0x21, 0x12, CLIENT),
                       version_2(0x21, 0x11, CLIENT[1:]), SIGNATURE + b'\x21\x11\xff\xff',
                       b'', b'PROXY TCP4 192'):  # these two wait for the timeout
            peer = self.connect(octets)
            try:
                self.assertEqual(peer.recv(4096), b'', octets)
            except ConnectionResetError:
                pass


class Xclient(unittest.TestCase):

    def received(self, server, *arguments):
        token = new_token()
        host, port = server.address('smtp')
        done = subprocess.run(
            ['swaks', '--server', f'{host}:{port}', '--from', 'a@b.test', '--to', BOB, '--header',
             f'X-Token: {token}', *arguments], capture_output=True, text=True, timeout=60,
            check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        wait_until(lambda: any(token.encode() in content
                               for _, content in server.messages(BOB)), 15, 'the mail')
        content = next(content for _, content in server.messages(BOB) if token.encode() in content)
        return re.search(rb'^Received:.*?\r\n(?=\S)', content, re.S | re.M)[0]

    def test_whom_a_trusted_host_speaks_for(self):
        server = Server('--set', 'smtp.xclient_networks=["127.0.0.1"]')
        self.addCleanup(server.remove)
        server.start()
        field = self.received(server, '--xclient',
                              'NAME=client.example ADDR=192.0.2.7 PORT=4711 HELO=said.example')
        self.assertIn(b'from said.example (client.example [192.0.2.7])', field)
        field = self.received(server, '--xclient-addr', 'IPV6:2001:db8::7', '--xclient-optional')
        self.assertIn(b'[IPv6:2001:db8::7]', field)

    def test_a_user_of_ours_is_that_user(self):
        server = Server('--set', 'smtp.xclient_networks=["127.0.0.1"]')
        self.addCleanup(server.remove)
        server.start()
        with server.smtp('submission') as client:
            client.ehlo()
            self.assertEqual(client.docmd('XCLIENT', f'LOGIN={BOB}')[0], 220)
            client.ehlo()
            self.assertEqual(client.mail(BOB)[0], 250)
            client.rset()
            self.assertEqual(client.mail(ALICE)[0], 553)

    def test_who_is_spoken_for_is_a_stranger_to_the_end(self):
        server = Server('--set', 'smtp.xclient_networks=["127.0.0.1"]', '--set',
                        'limits.trusted=["127.0.0.1"]', '--set', 'strangers.hello_check="syntax"')
        self.addCleanup(server.remove)
        server.start()
        for address in ('203.0.113.5', '[UNAVAILABLE]'):
            with server.smtp() as client:
                client.ehlo()
                self.assertTrue(client.has_extn('starttls'))
                self.assertEqual(client.docmd('XCLIENT', f'ADDR={address}')[0], 220)
                client.ehlo('!bad!')
                self.assertFalse(client.has_extn('starttls'))
                self.assertEqual(client.docmd('STARTTLS')[0], 502)
                self.assertEqual(client.mail('a@b.test')[0], 250)
                self.assertEqual(client.rcpt(BOB)[0], 550)

    def test_others_are_not_offered_it(self):
        server = Server('--set', 'smtp.xclient_networks=["192.0.2.0/24"]')
        self.addCleanup(server.remove)
        server.start()
        with server.smtp() as client:
            client.ehlo()
            self.assertFalse(client.has_extn('xclient'))
            self.assertEqual(client.docmd('XCLIENT', 'ADDR=192.0.2.7')[0], 550)


if __name__ == '__main__':
    unittest.main()
