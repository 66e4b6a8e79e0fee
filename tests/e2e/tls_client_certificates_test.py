"""Certificates of clients, asked for and required; what is chosen where a client leaves it open."""

import re
import smtplib
import socket
import ssl
import unittest

from harness import ALICE, BOB, Case, Server, message, new_token, run
from tls_test import TlsWire, context_for, make_certificate

USER_LISTENERS = ('submissions', 'imaps', 'pop3s')


def make_authority(folder, name):
    return make_certificate(folder, name)


def make_client(folder, authority, name, addresses):
    """(chain, key) of a client's certificate with mail addresses, signed by the authority."""
    chain, key, request = (folder / f'{name}.{kind}' for kind in ('pem', 'key', 'csr'))
    extensions = folder / f'{name}.extensions'
    extensions.write_text('extendedKeyUsage=clientAuth\nsubjectAltName='
                          + ','.join(f'email:{address}' for address in addresses) + '\n')
    run(['openssl', 'req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
         '-nodes', '-subj', f'/CN={name}', '-keyout', key, '-out', request])
    run(['openssl', 'x509', '-req', '-in', request, '-CA', authority[0], '-CAkey', authority[1],
         '-CAcreateserial', '-days', '30', '-extfile', extensions, '-out', chain])
    return chain, key


class AskedCase(unittest.TestCase):
    use = 'required'

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.remove)
        folder = self.server.folder
        self.authority = make_authority(folder, 'authority')
        self.known = make_client(folder, self.authority, 'known', [BOB])
        self.strange = make_client(folder, make_authority(folder, 'stranger'), 'strange', [BOB])
        self.trusted = folder / 'trusted.pem'
        self.trusted.write_bytes(self.authority[0].read_bytes())
        self.server.arguments += ('--set', f'tls.client_certificates={self.use}',
                                  '--set', f'tls.client_ca_file={self.trusted}')
        self.server.start()

    def is_served(self, listener, shown, version=ssl.TLSVersion.TLSv1_3):
        context = context_for(self.server, version)
        if shown:
            context.load_cert_chain(*shown)
        try:
            with TlsWire(self.server.address(listener), context) as wire:
                return wire.line() is not None
        except (ssl.SSLError, ConnectionError):
            return False


class RequiredTest(AskedCase):
    def test_only_who_has_one_is_served(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for listener in USER_LISTENERS:
                for shown, served in ((self.known, True), (self.strange, False), (None, False)):
                    self.assertEqual(self.is_served(listener, shown, version), served,
                                     (version, listener, shown))

    def test_hosts_that_bring_mail_are_not_asked(self):
        token = new_token()
        with smtplib.SMTP('localhost', self.server.port('smtp'), timeout=20) as client:
            client.starttls(context=context_for(self.server))
            client.sendmail(ALICE, [BOB], message(token))
        with smtplib.SMTP('localhost', self.server.port('submission'), timeout=20) as client:
            with self.assertRaises((ssl.SSLError, smtplib.SMTPException, OSError)):
                client.starttls(context=context_for(self.server))
                client.ehlo()

    def test_a_ticket_does_not_stand_for_a_certificate(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = context_for(self.server, version)
            client = smtplib.SMTP('localhost', self.server.port('smtp'), timeout=20)
            client.starttls(context=context)
            client.ehlo()
            session = client.sock.session
            self.assertTrue(session.has_ticket)
            client.quit()
            with socket.create_connection(self.server.address('imaps'), 20) as raw:
                try:
                    with context.wrap_socket(raw, server_hostname='localhost',
                                             session=session) as wrapped:
                        self.assertFalse(wrapped.session_reused)
                        self.assertEqual(wrapped.recv(100), b'')
                except (ssl.SSLError, ConnectionError):
                    pass

    def test_other_authorities_count_after_a_reload(self):
        self.trusted.write_text('nonsense')
        self.assertNotEqual(self.server.run('reload', check=False).returncode, 0)
        self.assertTrue(self.is_served('imaps', self.known))
        self.trusted.write_bytes((self.server.folder / 'stranger.ec.pem').read_bytes())
        self.server.run('reload')
        self.assertFalse(self.is_served('imaps', self.known))
        self.assertTrue(self.is_served('imaps', self.strange))


class RequestedTest(AskedCase):
    use = 'requested'

    def test_everybody_is_served(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for shown in (self.known, self.strange, None):
                self.assertTrue(self.is_served('imaps', shown, version), (version, shown))


class ChoiceTest(Case):
    def seen(self, *arguments):
        """(key exchange, cipher, whether extended master secret) by openssl s_client."""
        done = run(['openssl', 's_client', '-connect',
                    'localhost:%d' % self.server.port('imaps'), *arguments], check=False)
        text = done.stdout.decode('latin-1')
        group = re.search(r'Server Temp Key: ([^\n]+) bits', text)
        cipher = re.search(r'Cipher is (\S+)', text)
        return group and group.group(1), cipher and cipher.group(1)

    def test_x25519_and_aes_128_are_preferred(self):
        for arguments, group, cipher in (
                ([], 'X25519, 253', 'TLS_AES_128_GCM_SHA256'),
                (['-ciphersuites', 'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256'],
                 'X25519, 253', 'TLS_AES_128_GCM_SHA256'),
                (['-groups', 'X448:X25519:P-256'], 'X25519, 253', 'TLS_AES_128_GCM_SHA256'),
                (['-groups', 'P-521:P-384'], 'ECDH, secp384r1, 384', 'TLS_AES_128_GCM_SHA256'),
                (['-tls1_2'], 'X25519, 253', 'ECDHE-ECDSA-AES128-GCM-SHA256')):
            self.assertEqual(self.seen(*arguments), (group, cipher), arguments)

    def test_no_other_groups(self):
        for version in ('-tls1_2', '-tls1_3'):
            for group in ('secp256k1', 'brainpoolP256r1', 'P-521', 'X448'):
                self.assertEqual(self.seen(version, '-groups', group + ':P-256')[0],
                                 'ECDH, prime256v1, 256', (version, group))
                self.assertEqual(self.seen(version, '-groups', group)[1], '(NONE)', group)

    def test_no_other_ciphers(self):
        for cipher in ('ECDHE-ECDSA-AES128-SHA', 'AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA256',
                       'DHE-RSA-AES128-GCM-SHA256', 'NULL', 'aNULL', 'ECDHE-ECDSA-AES128-CCM8'):
            self.assertEqual(self.seen('-tls1_2', '-cipher', cipher + ':@SECLEVEL=0')[1],
                             '(NONE)', cipher)


class MinimumTest(unittest.TestCase):
    def test_only_the_newest_where_that_is_said(self):
        with Server('--set', 'tls.minimum_version=1.3') as server:
            with TlsWire(server.address('imaps'), context_for(server)) as wire:
                self.assertEqual(wire.socket.version(), 'TLSv1.3')
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                TlsWire(server.address('imaps'), context_for(server, ssl.TLSVersion.TLSv1_2))


if __name__ == '__main__':
    unittest.main()
