"""No sequence but CRLF.CRLF ends a message (threats A1): 17 that look like it, split anywhere, on
each listener, over TLS too, from hosts that are trusted and from such that are not. The last line
of a test says how many were tried and how many passed."""

import base64
import random

from harness import ALICE, BOB, Case, greeted, message, new_token
from tls_test import TlsWire, context_for

SEQUENCES = (
    b'\n.\n', b'\n.\r\n', b'\r\n.\n', b'\r.\r', b'\r.\n', b'\n.\r', b'\r.\r\n', b'\r\n.\r',
    b'\r\n.\r\r\n', b'\r\r\n.\r\n', b'\r\r\n.\r\r\n', b'\r\n\0.\r\n', b'\r\n.\0\r\n',
    b'\r\n. \r\n', b'\xc2\x85.\xc2\x85', b'\x0b.\x0b', b'\xe2\x80\xa8.\xe2\x80\xa8')
INNER = (b'MAIL FROM:<admin@evil.test>\r\nRCPT TO:<' + BOB.encode() + b'>\r\nDATA\r\n'
         b'Subject: SMUGGLED\r\n\r\nSMUGGLED %s\r\n.\r\n')
SPLITS = 6  # beside the offsets within the sequence itself


def bare_line_end(data):
    return b'\r' in data.replace(b'\r\n', b'') or b'\n' in data.replace(b'\r\n', b'')


class Smuggling(Case):
    seed = random.SystemRandom().randrange(1 << 32)

    def begin(self, listener, second):
        """A session that has just been answered 354."""
        if listener == 'submissions':
            wire = self.encrypted()
        else:
            wire = greeted(self.server, listener, ALICE if listener == 'submission' else None)
        if second:
            for command in (b'MAIL FROM:<%s>' % ALICE.encode(), b'RCPT TO:<%s>' % ALICE.encode()):
                self.assertEqual(wire.ask(command)[0], 250)
            self.assertEqual(wire.ask(b'DATA')[0], 354)
            self.assertEqual(wire.ask(message(new_token()) + b'.')[0], 250)
        for command in (b'MAIL FROM:<%s>' % ALICE.encode(), b'RCPT TO:<%s>' % ALICE.encode()):
            self.assertEqual(wire.ask(command)[0], 250)
        self.assertEqual(wire.ask(b'DATA')[0], 354)
        return wire

    def encrypted(self):
        wire = TlsWire(self.server.address('submissions'), context_for(self.server))
        wire.reply()
        wire.ask(b'EHLO client.test')
        secret = base64.b64encode(f'\0{ALICE}\0{self.server.password(ALICE)}'.encode())
        self.assertEqual(wire.ask(b'AUTH PLAIN ' + secret)[0], 235)
        return wire

    def attempt(self, listener, sequence, cut, second):
        """Sends an outer message with an inner one after `sequence`, in two parts."""
        token = new_token().encode()
        data = b'Subject: OUTER\r\n\r\nOUTER ' + token + sequence + INNER % token
        with self.begin(listener, second) as wire:
            at = data.index(sequence) if cut is None else cut
            wire.send_parts([data[:at], data[at:], b'QUIT\r\n'])
            codes = [code for code, _ in wire.rest()]
        # One answer for the one message; then QUIT's, unless the server hung up.
        self.assertIn(len(codes), (0, 1, 2), f'{codes} for {sequence} at {cut}')
        self.assertNotIn(354, codes)
        self.assertLessEqual(codes.count(250), 1)
        if bare_line_end(sequence) and codes:
            self.assertIn(codes[0], (500, 550, 554, 421), f'{sequence} at {cut}')
        return token

    def check(self, listener):
        chance = random.Random(self.seed)
        attempts = 0
        for sequence in SEQUENCES:
            with self.subTest(sequence=sequence, seed=self.seed):
                start = len(b'Subject: OUTER\r\n\r\nOUTER ') + len(new_token())
                cuts = [*range(start, start + len(sequence) + 2),
                        *(chance.randrange(start + len(sequence) + 150) for _ in range(SPLITS))]
                for cut in cuts:
                    self.attempt(listener, sequence, cut, second=chance.random() < 0.25)
                    attempts += 1
        self.assertGreater(attempts, 150)
        self.server.assert_alive()
        smuggled = [content for _, content in self.server.messages(BOB) if b'SMUGGLED' in content]
        queued = [entry for entry in self.server.queue() if 'evil.test' in str(entry)]
        print(f'       {len(SEQUENCES)} sequences on {listener} in {attempts} splits: '
              f'{len(smuggled) + len(queued)} passed', flush=True)
        self.assertEqual(smuggled, [])
        self.assertEqual(queued, [])

    def test_on_the_open_listener(self):
        self.check('smtp')

    def test_on_submission(self):
        self.check('submission')

    def test_on_submission_over_tls(self):
        self.check('submissions')

    def test_octet_by_octet(self):
        for sequence in SEQUENCES:
            with self.subTest(sequence=sequence), self.begin('smtp', False) as wire:
                data = b'Subject: OUTER\r\n\r\nOUTER' + sequence + INNER % b'octets'
                wire.send_parts([data[at:at + 1] for at in range(len(data))])
                wire.send(b'QUIT\r\n')
                codes = [code for code, _ in wire.rest()]
                self.assertIn(len(codes), (0, 1, 2), codes)
        self.assertFalse([c for _, c in self.server.messages(BOB) if b'SMUGGLED' in c])

    def test_the_true_end_is_found_at_every_split(self):
        content = b'Subject: true\r\n\r\n..x\r\n...\r\n.\r\n'
        for cut in range(1, len(content)):
            with self.begin('smtp', False) as wire:
                wire.send_parts([content[:cut], content[cut:]])
                self.assertEqual(wire.reply()[0], 250, f'split at {cut}')
                self.assertEqual(wire.ask(b'QUIT')[0], 221)

    def test_bare_line_feed_in_commands(self):
        with greeted(self.server) as wire:
            wire.send(b'NOOP\nMAIL FROM:<a@example.org>\nRCPT TO:<bob@example.test>\r\n')
            codes = [wire.reply()[0]]
            self.assertGreaterEqual(codes[0], 500)
            wire.send(b'QUIT\r\n')
            codes += [code for code, _ in wire.rest()]
            self.assertNotIn(250, codes)


class FromStrangers(Smuggling):
    """The same from hosts that are not trusted."""
    server_arguments = ('--set', 'limits.trusted=[]', '--set', 'smtp.error_delay=0s')
