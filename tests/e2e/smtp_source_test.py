"""Postfix's smtp-source: many sessions, one message a connection and with -d."""

from harness import ALICE, BOB, Case, run, wait_until


class SmtpSource(Case):
    def count(self, user):
        with self.server.imap(user) as client:
            return int(client.select('INBOX', readonly=True)[1][0])

    def check(self, user, messages, *flags):
        before = self.count(user)
        host, port = self.server.address('smtp')
        done = run(['smtp-source', *flags, '-m', messages, '-f', 'a@example.org', '-t', user,
                    f'{host}:{port}'])
        self.assertEqual(done.stderr, b'')
        wait_until(lambda: self.count(user) >= before + messages, 30, f'{messages} messages')
        self.assertEqual(self.count(user), before + messages)

    def test_one_message_a_connection(self):
        self.check(BOB, 1000, '-s', '20', '-l', '4096')

    def test_many_messages_a_connection(self):
        self.check(BOB, 1000, '-d', '-s', '20', '-l', '4096')

    def test_large_messages(self):
        self.check(ALICE, 30, '-d', '-s', '4', '-l', '1500000')

    def test_into_a_folder(self):
        host, port = self.server.address('smtp')
        run(['smtp-source', '-s', '50', '-l', '500', '-m', '500', '-f', 'a@example.org', '-t',
             'bob+load@example.test', f'{host}:{port}'])
        wait_until(lambda: len(self.server.messages(mailbox='load')) >= 500, 30, '500 messages')
        self.assertEqual(len(self.server.messages(mailbox='load')), 500)
