"""IDLE over a raw socket: what others do is told within 100 ms."""

import statistics
import time

from harness import ALICE, BOB, Case, message, new_token

ROUNDS = 9
SECONDS_MAX = 0.1


class Idle(Case):
    def idling(self, user=BOB):
        """A Wire in IDLE on INBOX."""
        wire = self.server.wire('imap')
        self.addCleanup(wire.close)
        wire.line()
        wire.tagged(b'a', b'LOGIN %s %s' % (user.encode(), self.server.password(user).encode()))
        self.assertIn(b'OK', wire.tagged(b'b', b'SELECT INBOX')[-1])
        wire.send(b'c IDLE\r\n')
        self.assertTrue(wire.line().startswith(b'+'))
        return wire

    def line_with(self, wire, word):
        while True:
            line = wire.line()
            self.assertIsNotNone(line, f'closed before {word}')
            if word in line:
                return line

    def median(self, act, wire, word):
        """The middle of several delays, so that one pause of a busy machine does not decide."""
        delays = []
        for _ in range(ROUNDS):
            done = act()
            self.line_with(wire, word)
            delays.append(time.monotonic() - done)
        return statistics.median(delays)

    def test_a_delivery(self):
        wire = self.idling()
        with self.server.smtp() as client:
            def send():
                client.sendmail('a@example.org', [BOB], message(new_token()))
                return time.monotonic()
            self.assertLess(self.median(send, wire, b'EXISTS'), SECONDS_MAX)
        wire.send(b'DONE\r\n')
        self.assertIn(b'OK', wire.tagged(b'c')[-1])

    def test_flags_and_expunge_of_another_session(self):
        self.server.send(message(new_token()), ALICE)
        self.server.wait_for(b'token', ALICE)
        wire = self.idling(ALICE)
        with self.server.imap(ALICE, 'INBOX') as client:
            def store():
                store.sign = '-' if store.sign == '+' else '+'
                client.store('1', store.sign + 'FLAGS', '(\\Flagged)')
                return time.monotonic()
            store.sign = '-'
            self.assertLess(self.median(store, wire, b'FETCH'), SECONDS_MAX)
            client.store('1', '+FLAGS.SILENT', '(\\Deleted)')
            client.expunge()
        self.assertEqual(self.line_with(wire, b'EXPUNGE'), b'* 1 EXPUNGE')
        wire.send(b'DONE\r\n')
        self.assertIn(b'OK', wire.tagged(b'c')[-1])
