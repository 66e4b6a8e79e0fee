"""curl: smtp:// in, pop3:// and imap:// out, byte for byte."""

from harness import BOB, Case, assert_trace_and, message, new_token, run


class Curl(Case):
    def url(self, listener, path=''):
        scheme = {'smtp': 'smtp', 'submission': 'smtp'}.get(listener, listener)
        return f'{scheme}://127.0.0.1:{self.server.port(listener)}/{path}'

    def curl(self, *arguments):
        return run(['curl', '--silent', '--show-error', '--max-time', '30', '--user',
                    f'{BOB}:{self.server.password()}', *arguments]).stdout

    def send(self, octets=3000):
        token = new_token()
        sent = message(token, octets)
        file = self.temporary_folder() / 'message'
        file.write_bytes(sent)
        run(['curl', '--silent', '--show-error', '--max-time', '30', '--mail-from', 'a@example.org',
             '--mail-rcpt', BOB, '--upload-file', file, self.url('smtp', 'client.test')])
        self.server.wait_for(token.encode())
        return token.encode(), sent

    def test_pop3_gives_the_bytes_sent(self):
        token, sent = self.send()
        count = len(self.curl(self.url('pop3')).split(b'\r\n')) - 1
        self.assertGreater(count, 0)
        found = [body for body in (self.curl(self.url('pop3', str(number)))
                                   for number in range(1, count + 1)) if token in body]
        self.assertEqual(len(found), 1)
        assert_trace_and(sent, found[0])

    def test_imap_gives_the_bytes_sent(self):
        token, sent = self.send(100_000)
        uid = next(uid for uid, content in self.server.messages() if token in content)
        assert_trace_and(sent, self.curl(self.url('imap', f'INBOX;UID={uid}')))
        section = self.curl(self.url('imap', f'INBOX;UID={uid};SECTION=TEXT'))
        self.assertEqual(section, sent.split(b'\r\n\r\n', 1)[1])

    def test_imap_lists_and_searches(self):
        token, _ = self.send()
        self.assertIn(b'INBOX', self.curl(self.url('imap')))
        answer = self.curl(self.url('imap', f'INBOX?SUBJECT%20{token.decode()}'))
        self.assertRegex(answer, rb'\* SEARCH \d+\r\n')

    def test_imap_append(self):
        token = new_token()
        sent = message(token, 2000)
        file = self.temporary_folder() / 'message'
        file.write_bytes(sent)
        self.curl(self.url('imap', 'INBOX'), '--upload-file', str(file))
        self.assertEqual(self.server.wait_for(token.encode()), sent)

    def test_submission_with_authentication(self):
        recipient = f'{new_token()}@elsewhere.test'
        file = self.temporary_folder() / 'message'
        file.write_bytes(message(new_token()))
        self.curl(self.url('submission', 'client.test'), '--mail-from', BOB, '--mail-rcpt',
                  recipient, '--upload-file', str(file))
        self.assertEqual(len([e for e in self.server.queue() if recipient in str(e)]), 1)
