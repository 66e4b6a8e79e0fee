"""Deleted mail gives its place on the disk back while the server goes on, and whoever reads
meanwhile reads on."""

import contextlib
import threading
import time
import unittest

from harness import BOB, Server, expect_ok, message, new_token, wait_until

SEGMENT = 8 << 20
OPTIONS = ('--set', 'cores=1', '--set', 'store.segment_size=8MiB',
           '--set', 'store.compact_interval="200ms"', '--set', 'store.compact_rate=512MiB')
OCTETS = 200_000


class Compaction(unittest.TestCase):
    def fill(self, server, count):
        """Large and small ones in turns; {token: content}."""
        contents = {}
        with server.smtp() as client:
            for number in range(count):
                token = new_token()
                content = message(token, OCTETS if number % 2 else 1500)
                client.sendmail('sender@example.org', [BOB], content)
                contents[token] = content
        wait_until(lambda: len(server.messages()) >= count, 30, 'all of them')
        return contents

    def mail_octets(self, server):
        octets = 0
        for file in server.data.glob('shard-*/mail-*.seg'):
            with contextlib.suppress(FileNotFoundError):  # freed a moment ago
                octets += file.stat().st_size
        return octets

    def expunge(self, server, keep):
        """All but every keep-th; the uids that stay."""
        with server.imap(BOB, 'INBOX') as client:
            uids = [int(uid) for uid in expect_ok(client.uid('search', 'ALL'))[0].split()]
            going = [uid for place, uid in enumerate(uids) if place % keep]
            for uid in going:
                expect_ok(client.uid('store', str(uid), '+FLAGS.SILENT', '(\\Deleted)'))
            expect_ok(client.expunge())
            return [uid for uid in uids if uid not in going]

    def test_the_disk_comes_back_while_mail_is_read(self):
        with Server(*OPTIONS) as server:
            contents = self.fill(server, 300)
            full = self.mail_octets(server)
            self.assertGreater(full, 3 * SEGMENT)
            failures, stop = [], threading.Event()

            def read_on():
                with server.imap(BOB, 'INBOX') as client:
                    while not stop.is_set():
                        uids = expect_ok(client.uid('search', 'ALL'))[0].split()
                        for uid in uids[::7]:
                            parts = client.uid('fetch', uid, '(UID BODY.PEEK[])')[1]
                            bodies = [part[1] for part in parts if isinstance(part, tuple)]
                            if bodies and not any(token.encode() in bodies[0]
                                                  for token in contents):
                                failures.append((uid, bodies[0][:200]))

            reader = threading.Thread(target=read_on)
            reader.start()
            try:
                kept = self.expunge(server, 6)
                wait_until(lambda: self.mail_octets(server) <= full / 2, 30,
                           'half of the disk to come back')
            finally:
                stop.set()
                reader.join()
            self.assertEqual(failures, [])
            self.check(server, kept, contents)
            server.kill()
            server.start()
            self.check(server, kept, contents)
            server.restart()
            self.check(server, kept, contents)
            server.stop()
            done = server.run('mailbox', 'verify')
            self.assertIn(f'{len(kept)} messages', done.stdout)

    def fill_elsewhere(self, server):
        """What takes longer than some looks at what is dead."""
        for _ in range(3):
            token = new_token()
            server.send(message(token), 'alice@example.test')
            server.wait_for(token.encode(), 'alice@example.test')
            began = time.monotonic()
            wait_until(lambda began=began: time.monotonic() - began > 0.3, 5)

    def check(self, server, kept, contents):
        found = server.messages()
        self.assertEqual([uid for uid, _ in found], kept)
        for _, content in found:
            self.assertTrue(any(token.encode() in content for token in contents))
            self.assertGreater(len(content), 1400)

    def test_a_session_that_was_not_told_reads_what_is_gone(self):
        with Server(*OPTIONS) as server:
            contents = self.fill(server, 240)
            full = self.mail_octets(server)
            pop = server.pop3()
            self.addCleanup(pop.close)
            with server.imap(BOB, 'INBOX') as idle:
                self.expunge(server, 10_000)  # all but the first
                # They have not said anything since, so that they could not be told.
                self.fill_elsewhere(server)
                for number in (2, 120, 240):
                    parts = expect_ok(idle.fetch(str(number), '(BODY.PEEK[])'))
                    self.assertTrue(any(token.encode() in parts[0][1] for token in contents))
                    body = b'\r\n'.join(pop.retr(number)[1])
                    self.assertTrue(any(token.encode() in body for token in contents))
                self.assertGreater(self.mail_octets(server), full / 2)
                pop.quit()
                expect_ok(idle.noop())
                wait_until(lambda: self.mail_octets(server) <= full / 2, 30,
                           'the disk to come back')


if __name__ == '__main__':
    unittest.main()
