"""TLS: from the first octet on and by STARTTLS, with the clients of Python's library, which verify
the certificate that the demo made; what is said in plaintext behind STARTTLS; reload."""

import imaplib
import poplib
import re
import smtplib
import socket
import ssl
import subprocess
import threading
import unittest

from harness import ALICE, BOB, Case, Server, Wire, message, new_token, run


def context_for(server, version=None):
    """Believes the demo's certificate and nothing else; checks the name."""
    context = ssl.create_default_context(cafile=server.demo['certificate'])
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def insecure_context():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class TlsWire(Wire):
    """A Wire over TLS from the first octet on."""

    def __init__(self, address, context, name='localhost'):
        super().__init__(address)
        self.socket = context.wrap_socket(self.socket, server_hostname=name)

    def send(self, data):
        try:
            return super().send(data)
        except ssl.SSLError:  # its end was told
            return False


class EncryptedTest(Case):

    def context(self):
        return context_for(self.server)

    def test_submissions(self):
        token = new_token()
        with smtplib.SMTP_SSL('localhost', self.server.port('submissions'), timeout=20,
                              context=self.context()) as client:
            client.ehlo()
            self.assertNotIn('starttls', client.esmtp_features)
            self.assertIn('PLAIN', client.esmtp_features['auth'])
            client.login(ALICE, self.server.password(ALICE))
            client.sendmail(ALICE, [BOB], message(token))
        content = self.server.wait_for(token.encode())
        self.assertRegex(content, rb'with ESMTPSA id')
        self.assertRegex(content, rb'tls TLS_')

    def test_starttls_on_each_smtp_listener(self):
        for listener, keyword in (('smtp', b'ESMTPS'), ('submission', b'ESMTPSA')):
            token = new_token()
            with smtplib.SMTP('localhost', self.server.port(listener), timeout=20) as client:
                client.ehlo()
                self.assertIn('starttls', client.esmtp_features)
                client.starttls(context=self.context())
                client.ehlo()
                self.assertNotIn('starttls', client.esmtp_features)
                self.assertEqual(client.docmd('STARTTLS')[0], 503)
                if listener == 'submission':
                    client.login(ALICE, self.server.password(ALICE))
                client.sendmail(ALICE, [BOB], message(token))
            content = self.server.wait_for(token.encode())
            self.assertIn(b'with ' + keyword + b' id', content)

    def test_imap(self):
        for secure in (True, False):
            if secure:
                client = imaplib.IMAP4_SSL('localhost', self.server.port('imaps'), timeout=20,
                                           ssl_context=self.context())
            else:
                client = imaplib.IMAP4('localhost', self.server.port('imap'), timeout=20)
                self.assertIn('STARTTLS', client.capabilities)
                client.starttls(self.context())
            self.assertNotIn('STARTTLS', client.capabilities)
            self.assertIn('AUTH=PLAIN', client.capabilities)
            client.login(BOB, self.server.password(BOB))
            self.assertEqual(client.select('INBOX')[0], 'OK')
            client.logout()

    def test_pop3(self):
        for secure in (True, False):
            if secure:
                client = poplib.POP3_SSL('localhost', self.server.port('pop3s'), timeout=20,
                                         context=self.context())
            else:
                client = poplib.POP3('localhost', self.server.port('pop3'), timeout=20)
                self.assertIn('STLS', client.capa())
                client.stls(self.context())
            self.assertNotIn('STLS', client.capa())
            client.user(BOB)
            client.pass_(self.server.password(BOB))
            client.stat()
            client.quit()

    def test_large_content_both_ways(self):
        token = new_token()
        body = message(token, octets=6_000_000)
        with smtplib.SMTP_SSL('localhost', self.server.port('submissions'), timeout=60,
                              context=self.context()) as client:
            client.login(ALICE, self.server.password(ALICE))
            client.sendmail(ALICE, [BOB], body)
        self.server.wait_for(token.encode(), seconds=30)
        with imaplib.IMAP4_SSL('localhost', self.server.port('imaps'), timeout=60,
                               ssl_context=self.context()) as client:
            client.login(BOB, self.server.password(BOB))
            client.select('INBOX')
            number = client.search(None, 'HEADER', 'X-Token', token)[1][0]
            content = client.fetch(number.decode(), '(BODY[])')[1][0][1]
        self.assertTrue(content.endswith(body))

    def test_both_versions_and_no_older(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with TlsWire(self.server.address('submissions'),
                         context_for(self.server, version)) as wire:
                self.assertEqual(wire.reply()[0], 220)
                self.assertEqual(wire.socket.version(), version.name.replace('_', '.'))
        refused = run(['openssl', 's_client', '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0', '-connect',
                       'localhost:%d' % self.server.port('imaps')], check=False)
        self.assertNotEqual(refused.returncode, 0)

    def test_resumed_with_a_ticket(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = context_for(self.server, version)
            session = None
            for _ in range(3):
                raw = socket.create_connection(self.server.address('imaps'), 20)
                with context.wrap_socket(raw, server_hostname='localhost',
                                         session=session) as wrapped:
                    self.assertTrue(wrapped.recv(100).startswith(b'* OK'))
                    self.assertEqual(wrapped.session_reused, session is not None)
                    wrapped.sendall(b'a LOGOUT\r\n')
                    while wrapped.recv(1000):
                        pass
                    session = wrapped.session

    def test_another_protocol_is_refused(self):
        for listener, ours in (('imaps', 'imap'), ('pop3s', 'pop3'), ('submissions', 'smtp')):
            for offered, accepted in (([ours], True), (['http/1.1'], False),
                                      (['h2', ours], True)):
                context = self.context()
                context.set_alpn_protocols(offered)
                try:
                    with TlsWire(self.server.address(listener), context) as wire:
                        self.assertEqual(wire.socket.selected_alpn_protocol(), ours)
                        self.assertTrue(wire.line())
                        done = True
                except ssl.SSLError as error:
                    self.assertIn('no application protocol', str(error).lower().replace('_', ' '))
                    done = False
                self.assertEqual(done, accepted, (listener, offered))

    def test_keys_are_updated(self):
        """`K` has s_client change both sides' keys (RFC 8446 4.6.3); it drops what it reads with
        that, and says KEYUPDATE."""
        client = subprocess.Popen(
            ['openssl', 's_client', '-crlf', '-connect',
             'localhost:%d' % self.server.port('imaps')],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(client.stdout.close)
        self.addCleanup(client.kill)
        while not client.stdout.readline().startswith(b'* OK'):
            pass
        for tag in (b'a', b'b', b'c'):
            client.stdin.write(b'K\n')
            client.stdin.flush()
            while not client.stdout.readline().startswith(b'KEYUPDATE'):
                pass
            client.stdin.write(tag + b' NOOP\n')
            client.stdin.flush()
            while not client.stdout.readline().startswith(tag + b' OK'):
                pass
        client.communicate(b'd LOGOUT\n', 20)

    def test_renegotiation_is_refused(self):
        done = subprocess.run(
            ['openssl', 's_client', '-tls1_2', '-connect',
             'localhost:%d' % self.server.port('imaps')],
            input=b'R\nR\n', capture_output=True, timeout=30, check=False)
        self.assertNotIn(b'verify return', done.stderr.split(b'RENEGOTIATING')[-1])
        self.server.assert_alive()


class InjectionTest(Case):
    """threats.md B1: nothing said in plaintext behind STARTTLS is ever executed."""

    BEFORE = {'smtp': [b'EHLO client.test'], 'submission': [b'EHLO client.test'], 'pop3': [],
              'imap': []}
    START = {'smtp': b'STARTTLS', 'submission': b'STARTTLS', 'pop3': b'STLS', 'imap': b'a STARTTLS'}
    INJECTED = {
        'smtp': [b'NOOP\r\n', b'EHLO evil.test\r\n', b'MAIL FROM:<evil@evil.test>\r\n',
                 b'\x16\x03'],
        'submission': [b'AUTH PLAIN AGEAYg==\r\n', b'RSET\r\n'],
        'pop3': [b'CAPA\r\n', b'USER evil\r\n', b'\x00'],
        'imap': [b'b NOOP\r\n', b'b LOGIN evil evil\r\n', b'garbage'],
    }

    def ready(self, listener):
        wire = self.server.wire(listener)
        wire.line()
        for line in self.BEFORE[listener]:
            wire.send(line + b'\r\n')
            wire.reply()
        return wire

    def test_what_lies_behind_starttls_ends_the_connection(self):
        attempts = 0
        for listener, commands in self.INJECTED.items():
            for injected in commands:
                octets = self.START[listener] + b'\r\n' + injected
                begin = len(self.START[listener])
                splits = [None, *range(begin, len(octets))]
                for split in splits:
                    with self.subTest(listener=listener, injected=injected, split=split):
                        self.inject(listener, octets, split)
                        attempts += 1
        print(f'       injected behind STARTTLS and not executed: {attempts} times', flush=True)
        self.server.assert_alive()

    def inject(self, listener, octets, split):
        with self.ready(listener) as wire:
            parts = [octets] if split is None else [octets[:split], octets[split:]]
            wire.send_parts(parts)
            wire.socket.settimeout(5)
            context = insecure_context()
            # The handshake comes to nothing, or nothing was executed within it.
            first = wire.line()
            if first is None or not first.startswith((b'220', b'+OK', b'a OK')):
                while wire.line() is not None:
                    pass
                return
            try:
                with context.wrap_socket(wire.socket) as secure:
                    secure.settimeout(0.5)
                    said = secure.recv(1000)
                    self.assertEqual(said, b'', 'the injected command was answered within TLS')
            except (ssl.SSLError, ConnectionError, TimeoutError, OSError):
                pass

    def test_nothing_is_remembered_from_before(self):
        with self.ready('smtp') as wire:
            wire.send(b'MAIL FROM:<a@a.test>\r\n')
            self.assertEqual(wire.reply()[0], 250)
            wire.send(b'STARTTLS\r\n')
            self.assertEqual(wire.reply()[0], 503)  # within a transaction
            wire.send(b'RSET\r\n')
            self.assertEqual(wire.reply()[0], 250)
            wire.send(b'STARTTLS now\r\n')
            self.assertEqual(wire.reply()[0], 501)
            wire.send(b'STARTTLS\r\n')
            self.assertEqual(wire.reply()[0], 220)
            wire.socket = insecure_context().wrap_socket(wire.socket)
            wire.send(b'MAIL FROM:<a@a.test>\r\n')
            self.assertEqual(wire.reply()[0], 503)  # EHLO was forgotten
            wire.send(b'EHLO client.test\r\n')
            code, text = wire.reply()
            self.assertEqual(code, 250)
            self.assertNotIn('STARTTLS', text)

    def test_not_after_login(self):
        with self.ready('imap') as wire:
            wire.send(f'b LOGIN {BOB} {self.server.password(BOB)}\r\n'.encode())
            self.assertTrue(wire.line().startswith(b'b OK'))
            wire.send(b'c STARTTLS\r\n')
            self.assertTrue(wire.line().startswith(b'c BAD'))


class HandshakeTest(Case):
    server_arguments = ('--set', 'tls.handshake_timeout=1s')

    def test_who_does_not_speak_tls_is_not_waited_for(self):
        for garbage in (b'', b'GET / HTTP/1.1\r\n\r\n', b'\x16\x03\x01'):
            with self.server.wire('imaps') as wire:
                wire.send(garbage)
                self.assertIsNone(wire.line())
        self.server.assert_alive()

    def test_idle_sessions_and_handshakes_do_not_keep_the_server_from_stopping(self):
        server = Server()
        with server:
            quiet = [server.wire('imaps') for _ in range(5)]
            sessions = [TlsWire(server.address('imaps'), context_for(server)) for _ in range(5)]
            for wire in sessions:
                self.assertTrue(wire.line().startswith(b'* OK'))
            server.stop(seconds=8)
            for wire in sessions:
                self.assertTrue(wire.line().startswith(b'* BYE'))
                wire.close()
            for wire in quiet:
                wire.close()


def make_certificate(folder, name, algorithm='ec'):
    """(chain, key) files of a certificate that signs itself."""
    chain, key = folder / f'{name}.{algorithm}.pem', folder / f'{name}.{algorithm}.key'
    kind = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] if algorithm == 'ec' else ['rsa:2048']
    run(['openssl', 'req', '-x509', '-newkey', *kind, '-nodes', '-days', '30', '-subj',
         f'/CN={name}', '-addext', f'subjectAltName=DNS:{name}', '-keyout', key, '-out', chain])
    return chain, key


def seen_certificate(address, name, arguments=()):
    """What openssl s_client sees: subject and kind of key."""
    done = run(['openssl', 's_client', '-servername', name, '-connect', '%s:%d' % address,
                *arguments], check=False)
    text = done.stdout.decode('latin-1')
    subject = re.search(r'subject=.*CN = ([^\s,]+)', text)
    return subject and subject.group(1), 'id-ecPublicKey' if 'ECDSA' in text else 'RSA'


class CertificatesTest(unittest.TestCase):

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.remove)
        folder = self.server.folder
        self.pairs = [make_certificate(folder, 'one.test'),
                      make_certificate(folder, 'one.test', 'rsa'),
                      make_certificate(folder, 'two.test')]
        chains = [str(chain) for chain, _ in self.pairs]
        keys = [str(key) for _, key in self.pairs]
        self.server.arguments += ('--set', f'tls.certificates={chains}',
                                  '--set', f'tls.private_keys={keys}')
        self.server.start()
        self.address = self.server.address('imaps')

    def test_chosen_by_name_and_kind_of_key(self):
        for name, arguments, expected in (
                ('one.test', [], ('one.test', 'id-ecPublicKey')),
                ('two.test', [], ('two.test', 'id-ecPublicKey')),
                ('unknown.test', [], ('one.test', 'id-ecPublicKey')),
                ('one.test', ['-sigalgs', 'RSA-PSS+SHA256'], ('one.test', 'RSA')),
                ('one.test', ['-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256'],
                 ('one.test', 'RSA')),
                ('one.test', ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
                 ('one.test', 'id-ecPublicKey'))):
            self.assertEqual(seen_certificate(self.address, name, arguments), expected,
                             (name, arguments))

    def test_reload_keeps_connections_and_broken_pairs_change_nothing(self):
        chain, key = self.pairs[2]
        wire = TlsWire(self.address, insecure_context(), 'two.test')
        self.assertTrue(wire.line().startswith(b'* OK'))
        before = ssl.get_server_certificate(self.address)

        def replaced():
            with TlsWire(self.address, insecure_context(), 'two.test') as other:
                return other.socket.getpeercert(binary_form=True)
        old = replaced()
        good_chain, good_key = chain.read_text(), key.read_text()
        for broken in ('', good_chain[:200], self.pairs[0][0].read_text(), 'nonsense'):
            chain.write_text(broken)
            failed = self.server.run('reload', check=False)
            self.assertNotEqual(failed.returncode, 0, broken)
            self.assertIn('stay as they are', failed.stderr)
            self.assertEqual(replaced(), old)
        chain.unlink()
        self.assertNotEqual(self.server.run('reload', check=False).returncode, 0)
        self.assertEqual(replaced(), old)
        make_certificate(self.server.folder, 'two.test')
        self.assertNotEqual(chain.read_text(), good_chain)
        self.assertNotEqual(key.read_text(), good_key)
        self.server.run('reload')
        self.assertNotEqual(replaced(), old)
        self.assertEqual(ssl.get_server_certificate(self.address), before)
        wire.send(b'a NOOP\r\n')
        self.assertEqual(wire.line(), b'a OK NOOP completed')
        wire.close()

    def test_sighup_under_handshakes(self):
        failures, stop = [], threading.Event()

        def shake_hands():
            while not stop.is_set():
                try:
                    with TlsWire(self.address, insecure_context(), 'two.test') as wire:
                        if not wire.line().startswith(b'* OK'):
                            failures.append('no greeting')
                except OSError as error:
                    failures.append(repr(error))
        threads = [threading.Thread(target=shake_hands) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(20):
                make_certificate(self.server.folder, 'two.test')
                self.server.process.send_signal(1)
                self.server.run('reload')
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])


class ConfiguredTest(unittest.TestCase):
    """auth.allow_plaintext = false, as a configured server has it."""

    def test_login_only_after_tls(self):
        with Server('--set', 'auth.allow_plaintext=false') as server:
            with server.wire('submission') as wire:
                wire.line()
                wire.send(b'EHLO a\r\n')
                self.assertNotIn('AUTH', wire.reply()[1])
                wire.send(b'AUTH PLAIN AGEAYg==\r\n')
                self.assertEqual(wire.reply()[0], 538)
            with server.wire('imap') as wire:
                self.assertIn(b'LOGINDISABLED', wire.line())
                wire.send(b'a LOGIN x y\r\n')
                self.assertTrue(wire.line().startswith(b'a NO [PRIVACYREQUIRED]'))
            with server.wire('pop3') as wire:
                wire.line()
                wire.send(b'USER bob\r\n')
                self.assertTrue(wire.line().startswith(b'-ERR [AUTH]'))
            with smtplib.SMTP('localhost', server.port('submission'), timeout=20) as client:
                client.starttls(context=context_for(server))
                client.login(ALICE, server.password(ALICE))
            with imaplib.IMAP4('localhost', server.port('imap'), timeout=20) as client:
                client.starttls(context_for(server))
                client.login(BOB, server.password(BOB))


class ProgramsTest(Case):
    """swaks and curl, with the certificate checked where they can."""

    def test_swaks(self):
        for arguments in (['--tls', '--server', 'localhost:%d' % self.server.port('smtp')],
                          ['--tlsc', '--server', 'localhost:%d' % self.server.port('submissions'),
                           '--auth', 'PLAIN', '--auth-user', ALICE, '--auth-password',
                           self.server.password(ALICE)]):
            token = new_token()
            run(['swaks', '--to', BOB, '--from', ALICE, '--body', token, '--tls-verify',
                 '--tls-ca-path', self.server.demo['certificate'], *arguments])
            self.server.wait_for(token.encode())

    def test_curl(self):
        token = new_token()
        mail = self.temporary_folder() / 'mail'
        mail.write_bytes(message(token))
        certificate = self.server.demo['certificate']
        run(['curl', '-sS', '--cacert', certificate, '--mail-from', ALICE, '--mail-rcpt', BOB,
             '--upload-file', mail, '-u', f'{ALICE}:{self.server.password(ALICE)}',
             'smtps://localhost:%d/client.test' % self.server.port('submissions')])
        self.server.wait_for(token.encode())
        for url, extra in (('imaps://localhost:%d/INBOX' % self.server.port('imaps'), []),
                           ('imap://localhost:%d/INBOX' % self.server.port('imap'), ['--ssl-reqd']),
                           ('pop3s://localhost:%d/' % self.server.port('pop3s'), []),
                           ('pop3://localhost:%d/' % self.server.port('pop3'), ['--ssl-reqd'])):
            run(['curl', '-sS', '--cacert', certificate, '-u',
                 f'{BOB}:{self.server.password(BOB)}', *extra, url])


if __name__ == '__main__':
    unittest.main()
