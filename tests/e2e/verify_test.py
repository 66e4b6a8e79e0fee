"""`kurir mailbox verify` and `kurir queue verify`: one flipped bit damages one message, which is
named; everything else is served."""

import json
import unittest

from harness import BOB, Server, message, new_token, run, wait_until

EX_TEMPFAIL = 75


def flip(server, stream, needle):
    """Flips a bit behind `needle`, which one place of one stream has; True where it was found."""
    for file in sorted(server.data.glob(f'shard-*/{stream}-*.seg')):
        place = file.read_bytes().find(needle)
        if place < 0:
            continue
        with open(file, 'r+b') as segment:
            segment.seek(place + len(needle))
            octet = segment.read(1)[0]
            segment.seek(place + len(needle))
            segment.write(bytes([octet ^ 0x10]))
        return True
    return False


def verify(server, what):
    done = server.run(what, 'verify', '--json', check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


class Verify(unittest.TestCase):
    def fill(self, server):
        tokens = []
        for size in (400, 400, 5000, 300_000, 400):
            tokens.append(new_token())
            server.send(message(tokens[-1], size), BOB)
        for token in tokens:
            server.wait_for(token.encode())
        return tokens

    def test_a_server_that_runs_is_not_verified(self):
        with Server() as server:
            for what in ('mailbox', 'queue'):
                done = server.run(what, 'verify', check=False)
                self.assertEqual(done.returncode, EX_TEMPFAIL)
                self.assertIn('in use by a server: stop it first', done.stderr)

    def test_a_flipped_bit_is_one_damaged_message(self):
        with Server() as server:
            tokens = self.fill(server)
            server.stop()
            self.assertEqual(verify(server, 'mailbox'),
                             (0, {'messages': 5, 'octets': verify(server, 'mailbox')[1]['octets'],
                                  'damaged': []}))
            self.assertTrue(flip(server, 'mail', tokens[2].encode()))
            status, found = verify(server, 'mailbox')
            self.assertEqual((status, found['messages'], len(found['damaged'])), (1, 5, 1))
            damaged = found['damaged'][0]
            self.assertEqual((damaged['account'], damaged['mailbox']), (BOB, 'INBOX'))
            text = server.run('mailbox', 'verify', check=False).stdout
            self.assertIn(f'{BOB} INBOX uid {damaged["uid"]}: does not match its checksum', text)
            server.start()
            readable = dict(server.readable())
            self.assertNotIn(damaged['uid'], readable)
            self.assertEqual(len(readable), 4)
            for token in tokens[:2] + tokens[3:]:
                self.assertTrue(any(token.encode() in content for content in readable.values()))
            wait_until(lambda: '"Damage"' in (server.folder / 'log').read_text(), 10, 'the event')

    def test_the_end_of_a_large_message_counts_too(self):
        with Server() as server:
            tokens = self.fill(server)
            server.stop()
            # Content in an extent of its own, far from the message's record.
            self.assertTrue(flip(server, 'mail', f'Message-Id: <{tokens[3]}'.encode()) or
                            flip(server, 'mail', tokens[3].encode()))
            status, found = verify(server, 'mailbox')
            self.assertEqual((status, len(found['damaged'])), (1, 1))

    def test_queued_messages_are_read(self):
        with Server() as server:
            tokens = []
            for _ in range(4):
                tokens.append(new_token())
                server.send(message(tokens[-1]), f'{tokens[-1]}@elsewhere.test', BOB,
                            listener='submission', user=BOB)
            self.assertEqual(len(server.queue()), 4)
            self.assertEqual(server.run('queue', 'verify', check=False).returncode, EX_TEMPFAIL)
            server.stop()
            status, found = verify(server, 'queue')
            self.assertEqual((status, found['messages'], found['damaged']), (0, 4, []))
            self.assertTrue(flip(server, 'spool', tokens[1].encode()))
            status, found = verify(server, 'queue')
            self.assertEqual((status, len(found['damaged'])), (1, 1))
            self.assertEqual(found['damaged'][0]['stream'], 'spool')
            server.start()
            self.assertEqual(len(server.queue()), 3)
            self.assertIn('damaged record in shard', (server.folder / 'log').read_text())

    def test_where_no_data_is(self):
        with Server() as server:
            server.stop()
            missing = server.folder / 'missing'
            done = run([server.program, 'mailbox', 'verify', '--data', missing], check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertFalse(missing.exists())
            self.assertEqual(verify(server, 'queue')[0], 0)


if __name__ == '__main__':
    unittest.main()
