"""Starts with other numbers of cores than the last: what is queued and stored is all there, once,
whatever comes in between."""

import random
import subprocess
import time
import unittest

from checkpoint_test import SMALL, change_folders, change_messages, state
from harness import ALICE, BOB, Server, expect_ok, message, new_token, quoted, wait_until
from next_hop import NextHop
from postfix import free_port
from tls_test import insecure_context


class Cores(unittest.TestCase):
    def with_cores(self, server, cores):
        server.arguments = tuple(argument for argument in server.arguments
                                 if not argument.startswith('cores='))
        kept = list(server.arguments)
        while kept and kept[-1] == '--set':
            kept.pop()
        server.arguments = (*kept, '--set', f'cores={cores}')

    def fill(self, server, prefix):
        for count in range(8):
            for user in (ALICE, BOB):
                token = new_token()
                server.send(message(token, 500 + 1000 * count), user)
                server.wait_for(token.encode(), user)
        for user in (ALICE, BOB):
            with server.imap(user) as client:
                change_folders(client, prefix)
                change_messages(client, prefix)
        tokens = []
        for count in range(9):
            tokens.append(new_token())
            server.send(message(tokens[-1], 300_000 if count == 3 else 800),
                        f'{tokens[-1]}@elsewhere.test', listener='submission', user=BOB,
                        sender=BOB)
        held = server.queue()[0]
        server.run('queue', 'hold', str(held.get('queue_id') or held.get('id')))
        return tokens

    def test_everything_is_there_with_fewer_and_more_cores(self):
        with Server(*SMALL, '--set', 'cores=3') as server:
            self.fill(server, 'first-')
            self.assertEqual(len(server.segments('journal')), 3)
            for cores in (1, 2, 4, 3, 1):
                before = state(server)
                self.assertEqual(len(before['queue']), 9)
                server.stop()
                self.with_cores(server, cores)
                server.start()
                self.assertEqual(state(server), before, f'{cores} cores')
                self.assertEqual((server.data / 'shards').read_text(), f'{cores}\n')
                # It takes mail, and shows what is queued by its id.
                token = new_token()
                server.send(message(token), BOB)
                server.wait_for(token.encode())
                for entry in server.queue():
                    server.run('queue', 'show', str(entry.get('queue_id') or entry.get('id')))
            self.assertNotIn('damaged', (server.folder / 'log').read_text())
            server.stop()
            for what in ('mailbox', 'queue'):
                self.assertEqual(server.run(what, 'verify').returncode, 0)

    def test_what_was_asked_of_a_message_goes_along(self):
        """Its next host has no TLS: it comes back, and never leaves."""
        hop = NextHop('127.0.0.1', free_port())
        self.addCleanup(hop.stop)
        hop.start()
        with Server('--set', f'route."away.test".to="127.0.0.1:{hop.port}"',
                    '--set', 'cores=3') as server:
            for _ in range(9):
                with server.smtp('submission') as client:
                    client.starttls(context=insecure_context())
                    client.login(BOB, server.password())
                    client.ehlo()
                    self.assertEqual(client.mail(BOB, ['REQUIRETLS', 'HOLDFOR=2'])[0], 250)
                    self.assertEqual(client.rcpt('k@away.test')[0], 250)
                    self.assertEqual(client.data(message(new_token()))[0], 250)
            server.stop()
            self.with_cores(server, 1)
            server.start()
            wait_until(lambda: len(server.messages(BOB)) == 9, 20, 'all of them to come back')
            self.assertEqual(hop.said('MAIL'), [])

    def test_a_start_that_is_killed_is_begun_again(self):
        chance = random.Random(1)
        with Server(*SMALL, '--set', 'cores=2') as server:
            self.fill(server, 'first-')
            before = state(server)
            server.stop()
            for count in range(12):
                cores = chance.choice((1, 3, 2, 4))
                self.with_cores(server, cores)
                server.old_file = server.file_identity()
                self.start_and_kill(server, chance.uniform(0.005, 0.12))
                if count % 3 == 2:
                    self.with_cores(server, chance.choice((1, 2, 3)))
                    server.start()
                    self.assertEqual(state(server), before, f'after {count + 1} kills')
                    server.kill()

    def start_and_kill(self, server, seconds):
        """Kills it while it starts, or soon after."""
        with open(server.folder / 'log', 'ab') as log:
            server.process = subprocess.Popen(
                [server.program, 'serve', '--data', server.data, '--ports', 'free',
                 *server.arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=server.folder)
        began = time.monotonic()
        wait_until(lambda: time.monotonic() - began > seconds, 10, 'the moment')
        server.kill()

    def test_mail_that_was_delivered_is_not_delivered_again(self):
        """Killed right after deliveries: queues do not know of them yet, mailboxes do."""
        with Server('--set', 'cores=2') as server:
            for cores in (1, 2, 3, 1):
                tokens = [new_token() for _ in range(20)]
                for place, token in enumerate(tokens):
                    server.send(message(token), (ALICE, BOB)[place % 2])
                server.kill()
                self.with_cores(server, cores)
                server.start()
                for place, token in enumerate(tokens):
                    server.wait_for(token.encode(), (ALICE, BOB)[place % 2])
                self.assertEqual(server.queue(), [])
            with server.imap(BOB, 'INBOX') as client:
                self.assertEqual(expect_ok(client.select(quoted('INBOX')))[0], b'40')


if __name__ == '__main__':
    unittest.main()
