"""Logins without a password: access tokens (OAUTHBEARER, XOAUTH2) and clients' certificates
(EXTERNAL), by hand and by curl; and how much one user may hand in."""

import base64
import imaplib
import json
import re
import smtplib
import socket
import time
import unittest

from harness import ALICE, BOB, Case, Server, greeted, message, new_token, run
from tls_client_certificates_test import make_authority, make_client
from tls_test import context_for

ISSUER = 'https://issuer.test'


def url_safe(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b'=').decode()


class Signer:
    """A key of the openssl program, as an issuer of tokens has it."""

    def __init__(self, folder, name, algorithm):
        self.name, self.algorithm = name, algorithm
        self.folder, self.file = folder, folder / f'{name}.key'
        kind = {'EdDSA': ['ed25519'], 'RS256': ['rsa', '-pkeyopt', 'rsa_keygen_bits:2048'],
                'ES256': ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']}[algorithm]
        run(['openssl', 'genpkey', '-algorithm', *kind, '-out', self.file])

    def public(self):
        """A key of a JWKS."""
        der = run(['openssl', 'pkey', '-in', self.file, '-pubout', '-outform', 'DER']).stdout
        made = {'kid': self.name, 'use': 'sig', 'alg': self.algorithm}
        if self.algorithm == 'EdDSA':
            return made | {'kty': 'OKP', 'crv': 'Ed25519', 'x': url_safe(der[-32:])}
        if self.algorithm == 'ES256':
            return made | {'kty': 'EC', 'crv': 'P-256', 'x': url_safe(der[-64:-32]),
                           'y': url_safe(der[-32:])}
        text = run(['openssl', 'rsa', '-in', self.file, '-noout', '-modulus']).stdout
        modulus = bytes.fromhex(text.decode().strip().partition('=')[2])
        return made | {'kty': 'RSA', 'n': url_safe(modulus), 'e': 'AQAB'}

    def sign(self, text):
        said = self.folder / 'said'
        said.write_bytes(text)
        if self.algorithm == 'EdDSA':
            return run(['openssl', 'pkeyutl', '-sign', '-rawin', '-inkey', self.file, '-in',
                        said]).stdout
        signature = run(['openssl', 'dgst', '-sha256', '-sign', self.file, said]).stdout
        if self.algorithm == 'RS256':
            return signature
        numbers, at = [], 2
        for _ in range(2):
            length = signature[at + 1]
            numbers.append(int.from_bytes(signature[at + 2:at + 2 + length], 'big'))
            at += 2 + length
        return b''.join(number.to_bytes(32, 'big') for number in numbers)

    def token(self, user=BOB, lifetime=300, **claims):
        head = {'alg': self.algorithm, 'kid': self.name, 'typ': 'JWT'}
        body = {'iss': ISSUER, 'aud': 'mail', 'email': user,
                'exp': int(time.time()) + lifetime} | claims
        text = '.'.join(url_safe(json.dumps(part).encode()) for part in (head, body))
        return text + '.' + url_safe(self.sign(text.encode()))


def oauthbearer(user, token):
    return f'n,a={user},\x01host=localhost\x01port=1\x01auth=Bearer {token}\x01\x01'.encode()


def xoauth2(user, token):
    return f'user={user}\x01auth=Bearer {token}\x01\x01'.encode()


class TokenTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.remove)
        folder = cls.server.folder
        cls.signers = [Signer(folder, name.lower(), name) for name in ('EdDSA', 'RS256', 'ES256')]
        cls.stranger = Signer(folder, 'eddsa', 'EdDSA')
        cls.signers[0] = Signer(folder, 'ed', 'EdDSA')
        cls.keys = folder / 'keys.json'
        cls.write_keys(cls.signers)
        cls.server.arguments += (
            '--set', f'auth.token_keys_file={cls.keys}', '--set', f'auth.token_issuer={ISSUER}',
            '--set', 'auth.token_audience=mail')
        cls.server.start()

    @classmethod
    def write_keys(cls, signers):
        cls.keys.write_text(json.dumps({'keys': [signer.public() for signer in signers]}))

    def submits(self, mechanism, text):
        """The code of the answer to AUTH, after the client has heard why."""
        with greeted(self.server, 'submission') as wire:
            code, _ = wire.ask(b'AUTH ' + mechanism.encode() + b' ' + base64.b64encode(text))
            return code if code != 334 else wire.ask(b'AQ==')[0]

    def test_each_kind_of_key_and_both_mechanisms(self):
        for signer in self.signers:
            with self.subTest(signer.algorithm):
                token = signer.token()
                self.assertEqual(self.submits('OAUTHBEARER', oauthbearer(BOB, token)), 235)
                self.assertEqual(self.submits('XOAUTH2', xoauth2(BOB, token)), 235)

    def test_tokens_that_are_none(self):
        good = self.signers[0].token()
        head, body, signature = good.split('.')
        none = url_safe(b'{"alg":"none"}') + '.' + body + '.'
        other = ('A' if signature[0] != 'A' else 'B') + signature[1:]
        rows = {'a flipped bit': f'{head}.{body}.{other}',
                'unsigned': none, 'another key': self.stranger.token(),
                'expired': self.signers[0].token(lifetime=-120),
                'not yet': self.signers[0].token(nbf=int(time.time()) + 600),
                'another issuer': self.signers[0].token(iss='https://other.test'),
                'another audience': self.signers[0].token(aud=['web']),
                "somebody else's": self.signers[0].token(ALICE),
                'nobody': self.signers[0].token('nobody@example.test'), 'no token': 'x'}
        for what, token in rows.items():
            with self.subTest(what):
                self.assertEqual(self.submits('OAUTHBEARER', oauthbearer(BOB, token)), 535)

    def test_curl_in_three_protocols(self):
        token = new_token()
        mail = self.server.folder / 'mail'
        mail.write_bytes(message(token, sender=BOB))
        for scheme, listener, options in (
                ('smtp', 'submission', ['--mail-from', BOB, '--mail-rcpt', BOB, '-T', mail]),
                ('imap', 'imap', ['-X', 'STATUS INBOX (MESSAGES)']), ('pop3', 'pop3', [])):
            for mechanism in ('OAUTHBEARER', 'XOAUTH2'):
                host, port = self.server.address(listener)

                def curl(bearer):
                    return run(['curl', '-sS', '-v', '--user', f'{BOB}:', '--oauth2-bearer',
                                bearer, '--login-options', f'AUTH={mechanism}', *options,
                                f'{scheme}://{host}:{port}/'], check=False)
                done = curl(self.signers[1].token())
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(mechanism.encode(), done.stderr)
                self.assertEqual(curl(self.stranger.token()).returncode, 67)

    def test_new_keys_are_read_and_broken_ones_are_not(self):
        text = oauthbearer(BOB, self.stranger.token())
        self.addCleanup(self.server.run, 'reload')
        self.addCleanup(self.write_keys, self.signers)
        self.keys.write_text('{"keys": [')
        done = self.server.run('reload', check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('stay as they are', done.stdout + done.stderr)
        good = oauthbearer(BOB, self.signers[0].token())
        self.assertEqual(self.submits('OAUTHBEARER', good), 235)
        self.write_keys([self.stranger])
        self.server.run('reload')
        self.assertEqual(self.submits('OAUTHBEARER', text), 235)
        self.assertEqual(self.submits('OAUTHBEARER', good), 535)


class CertificateTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.remove)
        folder = cls.server.folder
        authority = make_authority(folder, 'authority')
        cls.known = make_client(folder, authority, 'known', [BOB])
        cls.nobody = make_client(folder, authority, 'nobody', ['nobody@example.test'])
        cls.server.arguments += ('--set', 'tls.client_certificates=requested',
                                 '--set', f'tls.client_ca_file={authority[0]}')
        cls.server.start()

    def context(self, shown):
        context = context_for(self.server)
        if shown:
            context.load_cert_chain(*shown)
        return context

    def smtp(self, shown):
        client = smtplib.SMTP_SSL('localhost', self.server.port('submissions'), timeout=20,
                                  context=self.context(shown))
        client.ehlo()
        return client

    def test_submission(self):
        for words, code in (('=', 235), (base64.b64encode(BOB.encode()).decode(), 235),
                            (base64.b64encode(ALICE.encode()).decode(), 535)):
            with self.smtp(self.known) as client:
                self.assertIn('EXTERNAL', client.esmtp_features['auth'].split())
                self.assertEqual(client.docmd('AUTH', 'EXTERNAL ' + words)[0], code)
        with self.smtp(self.known) as client:
            client.docmd('AUTH', 'EXTERNAL =')
            self.assertEqual(client.sendmail(BOB, [BOB], message(new_token(), sender=BOB)), {})
        with self.smtp(self.nobody) as client:
            self.assertEqual(client.docmd('AUTH', 'EXTERNAL =')[0], 535)

    def test_without_a_certificate_it_is_not_offered(self):
        with self.smtp(None) as client:
            self.assertNotIn('EXTERNAL', client.esmtp_features['auth'].split())
            self.assertEqual(client.docmd('AUTH', 'EXTERNAL =')[0], 504)

    def test_imap_and_pop3(self):
        client = imaplib.IMAP4_SSL('localhost', self.server.port('imaps'), timeout=20,
                                   ssl_context=self.context(self.known))
        self.assertIn('AUTH=EXTERNAL', client.capabilities)
        self.assertEqual(client.authenticate('EXTERNAL', lambda _: b'')[0], 'OK')
        client.logout()
        with socket.create_connection(self.server.address('pop3s'), 20) as raw:
            with self.context(self.known).wrap_socket(raw, server_hostname='localhost') as wire:
                file = wire.makefile('rwb')
                file.readline()
                file.write(b'AUTH EXTERNAL =\r\n')
                file.flush()
                self.assertTrue(file.readline().startswith(b'+OK'))


class SendingLimitsTest(Case):
    server_arguments = ('--set', 'submission.messages_per_hour=3',
                        '--set', 'submission.recipients_per_hour=4')

    def test_messages_and_recipients(self):
        with self.server.smtp('submission', BOB) as client:
            for _ in range(3):
                self.assertEqual(client.mail(BOB)[0], 250)
                self.assertEqual(client.rcpt(ALICE)[0], 250)
                client.rset()
            code, text = client.mail(BOB)
            self.assertEqual((code, text[:5]), (450, b'4.7.1'))
        with self.server.smtp('submission', ALICE) as client:  # who has an hour of her own
            client.mail(ALICE)
            codes = [client.rcpt(f'x{n}@elsewhere.test')[0] for n in range(5)]
            self.assertEqual(codes, [250] * 4 + [450])


class ClientsTest(Case):
    """GNU SASL's own client, and msmtp with it: SCRAM over TLS and bound to it."""

    def gsasl(self, listener, option, mechanism, password):
        port = self.server.port(listener)
        return run(['gsasl', '--client', option, '--connect', f'localhost:{port}', '--mechanism',
                    mechanism, '--authentication-id', BOB, '--password', password,
                    '--x509-ca-file', self.server.demo['certificate'],
                    *([] if mechanism.endswith('PLUS') else ['--no-cb'])], check=False)

    def test_gsasl(self):
        for listener, option in (('submission', '--smtp'), ('imap', '--imap')):
            for mechanism in ('SCRAM-SHA-256', 'SCRAM-SHA-1', 'SCRAM-SHA-256-PLUS', 'PLAIN',
                              'LOGIN'):
                with self.subTest(listener=listener, mechanism=mechanism):
                    done = self.gsasl(listener, option, mechanism, self.server.password())
                    said = done.stdout + done.stderr
                    self.assertEqual(done.returncode, 0, said)
                    self.assertRegex(said, re.compile(rb'235 2.7.0|OK .*', re.I))
                    done = self.gsasl(listener, option, mechanism, 'wrong')
                    self.assertNotEqual(done.returncode, 0, done.stdout)

    def test_msmtp(self):
        for mechanism in ('scram-sha-256', 'scram-sha-1', 'plain', 'login'):
            folder, token = self.temporary_folder(), new_token()
            settings = folder / 'msmtprc'
            settings.write_text(
                f'account default\nhost localhost\nport {self.server.port("submissions")}\n'
                f'tls on\ntls_starttls off\ntls_trust_file {self.server.demo["certificate"]}\n'
                f'auth {mechanism}\nuser {BOB}\npassword {self.server.password()}\nfrom {BOB}\n')
            settings.chmod(0o600)
            (folder / 'mail').write_bytes(message(token, sender=BOB))
            with open(folder / 'mail', 'rb') as content:
                run(['msmtp', '-C', settings, BOB], stdin=content)
            self.server.wait_for(token.encode())


if __name__ == '__main__':
    unittest.main()
