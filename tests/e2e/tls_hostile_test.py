"""TLS with clients who mean harm or break off: threats.md B3, B5 to B8."""

import base64
import json
import os
import pathlib
import random
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import unittest

from harness import BOB, Case, Server, message, new_token, run, wait_until
from tls_test import TlsWire, context_for, insecure_context, make_certificate

NAME_OCTETS_MAX = 255
GROWTH_MAX = 1 << 20  # 350 octets a name


def first_message(name='localhost'):
    """A ClientHello as OpenSSL makes it: its handshake message, without the record's head."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = insecure_context().wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return client, incoming, outgoing


def record(octets):
    return b'\x16\x03\x01' + struct.pack('>H', len(octets)) + octets


def with_server_name(hello, name):
    """The message with another name of the same length in it, or of another one."""
    begin = hello.index(b'localhost') - 9  # type, extension's, list's and name's lengths
    extension = struct.pack('>HHHBH', 0, len(name) + 5, len(name) + 3, 0, len(name)) + name
    changed = hello[:begin] + extension + hello[begin + 18:]
    longer = len(changed) - len(hello)
    at = extensions_at(changed)
    total = struct.unpack('>H', changed[at:at + 2])[0] + longer
    changed = changed[:at] + struct.pack('>H', total) + changed[at + 2:]
    return changed[:1] + struct.pack('>I', len(changed) - 4)[1:] + changed[4:]


def extensions_at(hello):
    """Where the length of its extensions lies."""
    at = 4 + 2 + 32
    at += 1 + hello[at]
    at += 2 + struct.unpack('>H', hello[at:at + 2])[0]
    return at + 1 + hello[at]


class HandshakesTest(Case):
    server_arguments = ('--set', 'tls.handshake_timeout=5s')

    def test_first_message_in_records_of_one_octet(self):
        client, incoming, outgoing = first_message()
        hello = outgoing.read()[5:]
        with socket.create_connection(self.server.address('imaps'), 20) as raw:
            raw.sendall(b''.join(record(hello[at:at + 1]) for at in range(len(hello))))
            while True:
                try:
                    client.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    raw.sendall(outgoing.read())
                    answer = raw.recv(65536)
                    self.assertNotEqual(answer, b'')
                    incoming.write(answer)
            raw.sendall(outgoing.read())
            self.assertEqual(client.version(), 'TLSv1.3')

    def test_first_messages_that_are_too_long_are_cut_off(self):
        hello = first_message()[2].read()[5:]
        for octets in (record(with_server_name(hello, b'x' * 60_000)[:16_384]) * 4,
                       record(b'\x01\xff\xff\xff' + bytes(1000)),
                       b''.join(record(b'\x01\x00\x3f\xff'[at:at + 1] or b'x')
                                for at in range(16_000))):
            with self.server.wire('imaps') as wire:
                wire.send(octets)
                alert = b''
                while len(alert) < 7:
                    piece = wire.socket.recv(100)
                    if not piece:
                        break
                    alert += piece
                self.assertIn(alert[:1], (b'', b'\x15'))
        self.server.assert_alive()

    def say_hello(self, hello, name):
        with self.server.wire('imaps') as wire:
            wire.send(record(with_server_name(hello, name)))
            wire.socket.recv(10)

    def test_names_of_hosts_leave_nothing_behind(self):
        hello = first_message()[2].read()[5:]

        def flood(count):
            for _ in range(count):
                self.say_hello(hello, bytes(random.choices(b'abcdefghij.', k=NAME_OCTETS_MAX)))
        flood(1500)
        before = self.server.rss()
        flood(3000)
        self.assertLess(self.server.rss() - before, GROWTH_MAX)

    def test_renegotiations_end_the_connection_at_the_first(self):
        before = self.processor_seconds()
        done = subprocess.run(
            ['openssl', 's_client', '-tls1_2', '-connect',
             'localhost:%d' % self.server.port('imaps')],
            input=b'R\n' * 1000, capture_output=True, timeout=60, check=False)
        self.assertEqual(done.stderr.count(b'RENEGOTIATING'), 1, done.stderr[-500:])
        self.assertLess(self.processor_seconds() - before, 0.5)

    def processor_seconds(self):
        fields = pathlib.Path(f'/proc/{self.server.process.pid}/stat').read_text().split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf('SC_CLK_TCK')

    def test_records_that_hold_nothing_are_not_read_for_ever(self):
        """Alerts that mean nothing, in a session of TLS 1.2, where they may be said."""
        with TlsWire(self.server.address('imaps'),
                     context_for(self.server, ssl.TLSVersion.TLSv1_2)) as wire:
            self.assertTrue(wire.line())
            raw = socket.socket(fileno=os.dup(wire.socket.fileno()))
            with raw:
                raw.settimeout(20)
                try:
                    for _ in range(1000):
                        raw.sendall(b'\x15\x03\x03\x00\x02\x01\x64' * 100)
                except OSError:
                    pass
                else:
                    self.assertEqual(raw.recv(1 << 20)[:1], b'\x15')
        self.server.assert_alive()


class StateTest(Case):
    """B3: where STARTTLS may not be said."""

    def test_smtp(self):
        secret = base64.b64encode(f'\0{BOB}\0{self.server.password()}'.encode())
        with self.server.wire('submission') as wire:
            wire.reply()
            wire.ask(b'EHLO client.test')
            self.assertEqual(wire.ask(b'AUTH PLAIN ' + secret)[0], 235)
            self.assertEqual(wire.ask(b'STARTTLS')[0], 503)
        with TlsWire(self.server.address('submissions'), context_for(self.server)) as wire:
            wire.reply()
            self.assertNotIn('STARTTLS', wire.ask(b'EHLO client.test')[1])
            self.assertEqual(wire.ask(b'STARTTLS')[0], 503)
            self.assertEqual(wire.ask(b'NOOP')[0], 250)

    def test_pop3(self):
        with self.server.wire('pop3') as wire:
            wire.line()
            wire.send(b'USER ' + BOB.encode() + b'\r\n')
            self.assertTrue(wire.line().startswith(b'+OK'))
            wire.send(b'PASS ' + self.server.password().encode() + b'\r\n')
            self.assertTrue(wire.line().startswith(b'+OK'))
            wire.send(b'STLS\r\n')
            self.assertTrue(wire.line().startswith(b'-ERR'))
        with TlsWire(self.server.address('pop3s'), context_for(self.server)) as wire:
            wire.line()
            wire.send(b'STLS\r\n')
            self.assertTrue(wire.line().startswith(b'-ERR'))

    def test_imap(self):
        with TlsWire(self.server.address('imaps'), context_for(self.server)) as wire:
            wire.line()
            self.assertTrue(wire.tagged(b'a', b'STARTTLS')[-1].startswith(b'a BAD'))
            self.assertTrue(wire.tagged(b'b', b'NOOP')[-1].startswith(b'b OK'))


class TruncationTest(Case):
    """B8: what ends in the middle is not kept, whether the end was told or not."""

    def cut(self, wire, told):
        if told:
            try:
                wire.socket.unwrap().close()
            except (ssl.SSLError, OSError):
                pass
        else:
            wire.socket.shutdown(socket.SHUT_RDWR)
        wire.close()

    def test_within_data(self):
        for told in (True, False):
            token = new_token()
            for end in (len(message(token)) // 2, len(message(token))):
                with TlsWire(self.server.address('submissions'),
                             context_for(self.server)) as wire:
                    wire.reply()
                    wire.ask(b'EHLO client.test')
                    secret = base64.b64encode(f'\0{BOB}\0{self.server.password()}'.encode())
                    self.assertEqual(wire.ask(b'AUTH PLAIN ' + secret)[0], 235)
                    for command, code in ((b'MAIL FROM:<' + BOB.encode() + b'>', 250),
                                          (b'RCPT TO:<' + BOB.encode() + b'>', 250),
                                          (b'DATA', 354)):
                        self.assertEqual(wire.ask(command)[0], code)
                    wire.send(message(token)[:end])
                    self.cut(wire, told)
            self.nothing_came(token)

    def test_within_a_literal(self):
        for told in (True, False):
            token = new_token()
            content = message(token)
            with TlsWire(self.server.address('imaps'), context_for(self.server)) as wire:
                wire.line()
                wire.tagged(b'a', f'LOGIN {BOB} {self.server.password()}'.encode())
                wire.send(b'b APPEND INBOX {%d}\r\n' % len(content))
                self.assertTrue(wire.line().startswith(b'+'))
                wire.send(content[:-1])
                self.cut(wire, told)
            self.nothing_came(token)

    def nothing_came(self, token):
        """What comes behind it is there, so that it would be."""
        after = new_token()
        self.server.send(message(after))
        self.server.wait_for(after.encode())
        self.assertFalse([c for _, c in self.server.messages() if token.encode() in c])
        self.assertEqual(self.server.queue(), [])


class LimitTest(unittest.TestCase):
    def test_a_connection_too_many_is_told_nothing_in_plaintext(self):
        with Server('--set', 'limits.connections_per_address_max=2',
                    '--set', 'limits.trusted=[]') as server:
            with server.wire('imap') as one, server.wire('imap') as two:
                self.assertTrue(one.line() and two.line())
                with server.wire('imap') as wire:
                    self.assertTrue(wire.line().startswith(b'* BYE'))
                for listener in ('imaps', 'pop3s', 'submissions'):
                    with server.wire(listener) as wire:
                        self.assertIsNone(wire.line(), listener)


class ReloadTest(unittest.TestCase):
    """B7."""
    RELOADS = 300

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.remove)
        self.folder = self.server.folder
        self.pair = make_certificate(self.folder, 'one.test')
        self.server.arguments += (
            '--set', f'tls.certificates={[str(self.pair[0])]}',
            '--set', f'tls.private_keys={[str(self.pair[1])]}')
        self.server.start()

    def shown(self):
        with TlsWire(self.server.address('imaps'), insecure_context()) as wire:
            return wire.socket.getpeercert(binary_form=True)

    def refuses(self, break_it):
        break_it(*self.pair)
        done = self.server.run('reload', check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('stay as they are', done.stderr)
        self.assertEqual(self.shown(), self.before)
        for path in self.pair:
            if path.is_dir():
                path.rmdir()
            path.unlink(missing_ok=True)
            shutil.copy(str(path) + '.good', path)

    def test_what_cannot_be_used_leaves_the_old_pair(self):
        for path in self.pair:
            shutil.copy(path, str(path) + '.good')
        self.before = self.shown()
        other = make_certificate(self.folder, 'other.test')
        expired = self.expired()

        def replace_by_folder(chain, _):
            chain.unlink()
            chain.mkdir()
        for break_it in (lambda chain, key: chain.write_bytes(b''),
                         lambda chain, key: key.write_bytes(b''),
                         lambda chain, key: key.write_bytes(key.read_bytes()[:100]),
                         lambda chain, key: shutil.copy(other[1], key),
                         lambda chain, key: (shutil.copy(expired[0], chain),
                                             shutil.copy(expired[1], key)),
                         lambda chain, key: key.unlink(),
                         replace_by_folder):
            self.refuses(break_it)
        self.server.run('reload')

    def expired(self):
        chain, key = self.folder / 'expired.pem', self.folder / 'expired.key'
        request = self.folder / 'expired.csr'
        run(['openssl', 'req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
             '-nodes', '-subj', '/CN=one.test', '-keyout', key, '-out', request])
        run(['openssl', 'x509', '-req', '-in', request, '-signkey', key, '-days', '-1', '-out',
             chain])
        return chain, key

    def reload(self):
        """What `kurir reload` says to the server, without starting a program."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self.server.data / 'control.sock'))
            control.sendall(b'{"command":"reload","arguments":{}}\n')
            with control.makefile('rb') as answer:
                self.assertTrue(json.loads(answer.readline())['ok'])

    def test_many_reloads_break_no_handshake(self):
        pairs = [self.pair, make_certificate(self.folder, 'two.test')]
        contents = [[path.read_bytes() for path in pair] for pair in pairs]
        known = [ssl.PEM_cert_to_DER_cert(chain.decode()) for chain, _ in contents]
        failures, seen, stop = [], set(), threading.Event()

        def shake_hands():
            while not stop.is_set():
                try:
                    seen.add(self.shown())
                except OSError as error:
                    failures.append(repr(error))
        threads = [threading.Thread(target=shake_hands) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for number in range(self.RELOADS):
                for path, octets in zip(self.pair, contents[number % 2]):
                    path.write_bytes(octets)
                self.reload()
            wait_until(lambda: len(seen) == 2, 20, 'both certificates')
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(seen, set(known))


if __name__ == '__main__':
    unittest.main()
