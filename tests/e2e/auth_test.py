"""Logins as clients have them: SCRAM by GNU SASL and by hand in all three protocols, over TLS with
channel binding and without, the login map, what a submission completes, and guessing."""

import base64
import hashlib
import hmac
import imaplib
import os
import time
import unittest

from harness import ALICE, BOB, Case, Wire, greeted, new_token


class Scram:
    """A client of RFC 5802, with what it says as methods."""

    def __init__(self, user, password, binding=None, name='sha256'):
        self.password, self.name = password.encode(), name
        self.header = 'p=%s,,' % binding[0] if binding else 'n,,'
        self.binding = binding[1] if binding else b''
        self.nonce = base64.b64encode(os.urandom(18)).decode()
        self.bare = 'n=%s,r=%s' % (user.replace('=', '=3D').replace(',', '=2C'), self.nonce)

    def first(self):
        return (self.header + self.bare).encode()

    def final(self, challenge):
        fields = dict(part.split('=', 1) for part in challenge.decode().split(','))
        assert fields['r'].startswith(self.nonce) and fields['r'] != self.nonce
        salted = hashlib.pbkdf2_hmac(self.name, self.password, base64.b64decode(fields['s']),
                                     int(fields['i']))
        digest = lambda key, text: hmac.new(key, text, self.name).digest()
        client_key = digest(salted, b'Client Key')
        bound = base64.b64encode(self.header.encode() + self.binding).decode()
        without = 'c=%s,r=%s' % (bound, fields['r'])
        everything = ','.join((self.bare, challenge.decode(), without)).encode()
        signature = digest(hashlib.new(self.name, client_key).digest(), everything)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        self.expected = b'v=' + base64.b64encode(digest(digest(salted, b'Server Key'), everything))
        return without.encode() + b',p=' + base64.b64encode(proof)

    def steps(self):
        """What to say to each challenge."""
        yield lambda challenge: self.first()
        yield self.final
        yield lambda challenge: b'' if challenge == self.expected else b'*'

    def callback(self):
        steps = self.steps()
        return lambda challenge: next(steps)(challenge)


def smtp_scram(client, mechanism, scram):
    """As smtplib's auth() does it, which cannot send an empty answer."""
    code, answer = client.docmd('AUTH', mechanism + ' ' + base64.b64encode(scram.first()).decode())
    if code != 334:
        return code
    code, answer = client.docmd(base64.b64encode(scram.final(base64.b64decode(answer))).decode())
    if code != 334:
        return code
    assert base64.b64decode(answer) == scram.expected
    return client.docmd('')[0]


class ScramTest(Case):

    def test_smtp(self):
        for mechanism, name in (('SCRAM-SHA-256', 'sha256'), ('SCRAM-SHA-1', 'sha1')):
            with self.server.smtp('submission') as client:
                client.ehlo()
                self.assertIn(mechanism, client.esmtp_features['auth'].split())
                scram = Scram(BOB, self.server.password(), name=name)
                self.assertEqual(smtp_scram(client, mechanism, scram), 235)
                client.sendmail(BOB, [BOB], b'Subject: x\r\n\r\n' + new_token().encode())

    def test_imap(self):
        client = imaplib.IMAP4(*self.server.address('imap'), timeout=20)
        self.assertIn('AUTH=SCRAM-SHA-256', client.capabilities)
        scram = Scram(BOB, self.server.password())
        self.assertEqual(client.authenticate('SCRAM-SHA-256', scram.callback())[0], 'OK')
        self.assertEqual(client.select()[0], 'OK')
        client.logout()

    def test_pop3(self):
        with self.server.wire('pop3') as wire:
            wire.line()
            scram = Scram(BOB, self.server.password())
            wire.send(b'AUTH SCRAM-SHA-256 ' + base64.b64encode(scram.first()) + b'\r\n')
            challenge = base64.b64decode(wire.line().strip()[2:])
            wire.send(base64.b64encode(scram.final(challenge)) + b'\r\n')
            self.assertEqual(base64.b64decode(wire.line().strip()[2:]), scram.expected)
            wire.send(b'\r\n')
            self.assertTrue(wire.line().startswith(b'+OK'))

    def test_wrong_passwords_and_strangers_look_alike(self):
        for user, password in ((BOB, 'wrong'), ('nobody@example.test', 'x'), ('nobody', 'x')):
            with self.server.smtp('submission') as client:
                client.ehlo()
                self.assertEqual(smtp_scram(client, 'SCRAM-SHA-256', Scram(user, password)), 535)

    def test_a_stranger_has_the_same_salt_each_time(self):
        def salt():
            with self.server.smtp('submission') as client:
                client.ehlo()
                first = base64.b64encode(Scram('nobody@example.test', 'x').first()).decode()
                answer = base64.b64decode(client.docmd('AUTH', 'SCRAM-SHA-256 ' + first)[1])
                client.docmd('*')
                return answer.split(b',')[1]
        self.assertEqual(salt(), salt())


class LoginMapTest(Case):

    def test_senders_are_ones_own(self):
        with self.server.smtp('submission', BOB) as client:
            self.assertEqual(client.mail(ALICE)[0], 553)
            self.assertEqual(client.mail('bob@elsewhere.test')[0], 553)
            self.assertEqual(client.mail('bob+x@example.test')[0], 250)

    def test_an_alias_is_the_users(self):
        self.server.run('alias', 'add', 'office@example.test', BOB, ALICE)
        with self.server.smtp('submission', BOB) as client:
            self.assertEqual(client.mail('office@example.test')[0], 250)


class CompletionTest(Case):

    def submitted(self, content, token):
        with self.server.smtp('submission', ALICE) as client:
            client.sendmail(ALICE, [BOB], content)
        return self.server.wait_for(token.encode())

    def test_date_and_message_id_are_added_and_bcc_goes(self):
        token = new_token()
        stored = self.submitted(
            'Subject: x\r\nBcc: hidden@elsewhere.test,\r\n other@elsewhere.test\r\n\r\n'
            f'{token}\r\n',
            token)
        self.assertRegex(stored, rb'\r\nMessage-ID: <[^<>]+@[^<>]+>\r\n')
        self.assertRegex(stored, rb'\r\nDate: ')
        self.assertNotIn(b'elsewhere', stored)
        self.assertTrue(stored.endswith(f'\r\n\r\n{token}\r\n'.encode()))

    def test_what_is_there_stays(self):
        token = new_token()
        content = f'Date: x\r\nMessage-ID: <{token}>\r\n\r\nBcc: body\r\n'
        self.assertTrue(self.submitted(content, token).endswith(content.encode()))

    def test_a_large_message_in_pieces(self):
        token = new_token()
        body = ('x' * 70 + '\r\n') * 20000
        head = 'Bcc: hidden@elsewhere.test\r\nSubject: x\r\n\r\n'
        stored = self.submitted(f'{head}{body}{token}\r\n', token)
        self.assertTrue(stored.endswith(f'\r\n\r\n{body}{token}\r\n'.encode()))
        self.assertNotIn(b'hidden', stored[:2000])

    def test_a_header_without_end_is_bounded(self):
        with greeted(self.server, 'submission', ALICE) as wire:
            self.assertEqual(wire.ask(f'MAIL FROM:<{ALICE}>'.encode())[0], 250)
            self.assertEqual(wire.ask(f'RCPT TO:<{BOB}>'.encode())[0], 250)
            self.assertEqual(wire.ask(b'DATA')[0], 354)
            wire.send((b'X: ' + b'y' * 900 + b'\r\n') * 1000 + b'.\r\n')
            self.assertEqual(wire.reply()[0], 552)
            self.assertEqual(wire.ask(b'NOOP')[0], 250)


class GuessingTest(Case):
    server_arguments = ('--set', 'auth.failures_per_network=10', '--set', 'auth.failure_delay="1s"')

    def test_a_right_guess_is_not_answered_sooner(self):
        def stranger():
            wire = Wire(self.server.address('submission'), source=('127.0.0.77', 0))
            self.assertEqual(wire.reply()[0], 220)
            self.assertEqual(wire.ask(b'EHLO a.test')[0], 250)
            return wire

        def plain(wire, password):
            secret = base64.b64encode(f'\0{BOB}\0{password}'.encode())
            return wire.ask(b'AUTH PLAIN ' + secret)[0]

        for _ in range(6):
            with stranger() as wire:
                self.assertEqual(plain(wire, 'wrong'), 535)
                plain(wire, 'wrong')
        with stranger() as wire:
            begun = time.monotonic()
            self.assertIn(plain(wire, self.server.password()), (235, 454))
            self.assertGreater(time.monotonic() - begun, 0.3)

    def test_a_guesser_waits_and_others_do_not(self):
        started = time.monotonic()
        answers = []
        while time.monotonic() - started < 4 and len(answers) < 45:
            try:
                with greeted(self.server, 'submission') as wire:
                    for _ in range(3):
                        secret = b'\0alice@example.test\0wrong' + str(len(answers)).encode()
                        answer = wire.ask(b'AUTH PLAIN ' + base64.b64encode(secret))[0]
                        answers.append(answer)
                        if answer in (421, 454):
                            break
            except (ConnectionError, AssertionError):
                pass
        looked_at = len([answer for answer in answers if answer != 454])
        self.assertLess(looked_at, 10 + 6)
        self.assertGreaterEqual(looked_at, 10)
        # Who logged in there before comes in at once.
        begun = time.monotonic()
        with self.server.imap(BOB):
            pass
        self.assertLess(time.monotonic() - begun, 1)

    def setUp(self):
        for user in (ALICE, BOB) * 8:  # on each core, which remembers its own logins
            with self.server.imap(user):
                pass


class MechanismsTest(Case):
    server_arguments = ('--set', 'auth.mechanisms=["SCRAM-SHA-256"]')

    def test_passwords_in_the_open_are_not_taken_in_any_protocol(self):
        with self.server.wire('pop3') as wire:
            wire.line()
            wire.send(b'CAPA\r\n')
            listed = []
            while b'.' not in [line.strip() for line in listed]:
                listed.append(wire.line())
            self.assertNotIn(b'USER', [line.strip() for line in listed])
            wire.send(b'USER bob@example.test\r\n')
            self.assertTrue(wire.line().startswith(b'-ERR [AUTH]'))
        client = imaplib.IMAP4(*self.server.address('imap'), timeout=20)
        with self.assertRaises(imaplib.IMAP4.error):
            client.login(BOB, self.server.password())
        with greeted(self.server, 'submission') as wire:
            self.assertEqual(wire.ask(b'AUTH PLAIN AGIAYw==')[0], 504)


if __name__ == '__main__':
    unittest.main()
