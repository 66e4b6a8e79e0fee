"""Python's poplib: the whole of RFC 1939 on the demo's maildrop."""

import poplib

from harness import Case, assert_trace_and, message, new_token, wait_until


class Pop3(Case):
    def send(self, content=None, octets=800):
        token = new_token()
        content = content or message(token, octets)
        self.server.send(content)
        self.server.wait_for(content[-30:-2])
        return content

    def empty(self):
        client = self.server.pop3()
        for number in range(1, client.stat()[0] + 1):
            client.dele(number)
        client.quit()

    def setUp(self):
        self.empty()

    def test_retr_gives_the_bytes_sent(self):
        sent = [self.send(octets=octets) for octets in (200, 5000, 300_000)]
        client = self.server.pop3()
        self.assertEqual(client.stat()[0], 3)
        for number, content in enumerate(sent, 1):
            _, lines, octets = client.retr(number)
            stored = b''.join(line + b'\r\n' for line in lines)
            assert_trace_and(content, stored)
            self.assertEqual(octets, len(stored))
            self.assertEqual(client.list(number).split()[2], str(len(stored)).encode())
        client.quit()

    def test_lines_that_begin_with_dots(self):
        token = new_token()
        sent = (f'Subject: dots {token}\r\n\r\n.\r\n..\r\n...\r\n.x\r\nx.\r\n\r\n. \r\n'
                f'end {token}\r\n').encode()
        self.send(sent)
        client = self.server.pop3()
        stored = b''.join(line + b'\r\n' for line in client.retr(1)[1])
        assert_trace_and(sent, stored)
        top = b''.join(line + b'\r\n' for line in client.top(1, 2)[1])
        self.assertTrue(top.endswith(b'\r\n\r\n.\r\n..\r\n'), top)
        client.quit()
        self.assertTrue(self.server.wait_for(token.encode()).endswith(sent))

    def test_uidl_stays_over_sessions(self):
        self.send()
        self.send()
        first = self.server.pop3()
        names = [line.split()[1] for line in first.uidl()[1]]
        self.assertEqual(len(set(names)), 2)
        first.dele(1)
        first.quit()
        second = self.server.pop3()
        self.assertEqual([line.split()[1] for line in second.uidl()[1]], names[1:])
        second.quit()

    def test_deletes_only_at_quit(self):
        self.send()
        client = self.server.pop3()
        client.dele(1)
        with self.assertRaises(poplib.error_proto):
            client.retr(1)
        client.rset()
        client.retr(1)
        client.dele(1)
        client.close()  # without QUIT
        client = self.pop3_when_free()
        self.assertEqual(client.stat()[0], 1)
        client.dele(1)
        client.quit()
        client = self.server.pop3()
        self.assertEqual(client.stat(), (0, 0))
        client.quit()

    def pop3_when_free(self):
        """The server may take a moment to see that the last session is gone."""
        def attempt():
            try:
                return self.server.pop3()
            except poplib.error_proto:
                return None
        return wait_until(attempt)

    def test_maildrop_is_locked(self):
        first = self.server.pop3()
        with self.assertRaisesRegex(poplib.error_proto, r'\[IN-USE\]'):
            self.server.pop3()
        first.quit()
        self.pop3_when_free().quit()

    def test_capabilities(self):
        client = poplib.POP3(*self.server.address('pop3'), timeout=20)
        names = client.capa()
        for name in ('TOP', 'UIDL', 'USER', 'RESP-CODES', 'PIPELINING', 'SASL'):
            self.assertIn(name, names)
        client.quit()

    def test_wrong_password(self):
        client = poplib.POP3(*self.server.address('pop3'), timeout=20)
        client.user('bob@example.test')
        with self.assertRaises(poplib.error_proto):
            client.pass_('wrong')
        client.close()

    def test_pipelined_commands(self):
        self.send()
        with self.server.wire('pop3') as wire:
            wire.line()
            name, word = b'bob@example.test', self.server.password().encode()
            wire.send(b'USER ' + name + b'\r\nPASS ' + word + b'\r\nSTAT\r\nNOOP\r\nLIST 1\r\n'
                      b'QUIT\r\n')
            lines = [wire.line() for _ in range(6)]
            self.assertTrue(all(line.startswith(b'+OK') for line in lines), lines)
            self.assertIsNone(wire.line())
