"""swaks: mail to the inbox, to a folder by subaddress, and by submission to elsewhere."""

from harness import ALICE, BOB, Case, new_token, run


class Swaks(Case):
    def swaks(self, *arguments, listener='smtp', check=True):
        host, port = self.server.address(listener)
        return run(['swaks', '--server', host, '--port', port, '--timeout', '20', *arguments],
                   check=check)

    def test_message_reaches_the_inbox(self):
        token = new_token()
        self.swaks('--from', 'a@example.org', '--to', BOB, '--header', f'Subject: {token}')
        self.assertIn(b'This is a test mailing', self.server.wait_for(token.encode()))

    def test_subaddress_reaches_the_folder_and_only_that(self):
        token = new_token()
        self.swaks('--from', 'a@example.org', '--to', 'bob+letters@example.test', '--body', token)
        self.server.wait_for(token.encode(), mailbox='letters')
        self.assertFalse([c for _, c in self.server.messages() if token.encode() in c])

    def test_pipelined(self):
        token = new_token()
        self.swaks('--pipeline', '--from', 'a@example.org', '--to', f'{BOB},{ALICE}', '--body',
                   token)
        self.server.wait_for(token.encode())
        self.server.wait_for(token.encode(), user=ALICE)

    def test_unknown_user_is_refused(self):
        done = self.swaks('--from', 'a@example.org', '--to', 'nobody@example.test', check=False)
        self.assertEqual(done.returncode, 24, done.stdout)  # no recipient was accepted
        self.assertIn(b'550 5.1.1', done.stdout)

    def test_relaying_without_authentication_is_refused(self):
        for listener in ('smtp', 'submission'):
            done = self.swaks('--from', BOB, '--to', 'x@elsewhere.test', listener=listener,
                              check=False)
            self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertFalse([e for e in self.server.queue() if 'x@elsewhere.test' in str(e)])

    def submit(self, mechanism, recipient):
        return self.swaks('--auth', mechanism, '--auth-user', BOB, '--auth-password',
                          self.server.password(), '--from', BOB, '--to', recipient,
                          listener='submission')

    def test_authenticated_submission_elsewhere_is_queued(self):
        for mechanism in ('PLAIN', 'LOGIN'):
            recipient = f'{new_token()}@elsewhere.test'
            self.submit(mechanism, recipient)
            entries = [entry for entry in self.server.queue() if recipient in str(entry)]
            self.assertEqual(len(entries), 1)

    def test_wrong_password_is_refused(self):
        done = self.swaks('--auth', 'PLAIN', '--auth-user', BOB, '--auth-password', 'wrong',
                          '--from', BOB, '--to', 'x@elsewhere.test', listener='submission',
                          check=False)
        self.assertEqual(done.returncode, 28, done.stdout)  # authentication failed
        self.assertIn(b'535 5.7.8', done.stdout)
