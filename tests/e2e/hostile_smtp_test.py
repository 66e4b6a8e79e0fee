"""SMTP from peers that break rules or try to relay (threats A3, A6 to A10, C2, D4)."""

import base64
import threading

from harness import ALICE, BOB, Case, assert_trace_and, greeted, message, new_token

MIB = 1 << 20
GROWTH_MAX = 48 * MIB  # of the whole server during one attack


class HostileCase(Case):
    def setUp(self):
        self.octets_before = self.server.rss()

    def tearDown(self):
        self.server.assert_alive()
        self.assertLess(self.server.rss() - self.octets_before, GROWTH_MAX)

    def begin(self, wire):
        self.assertEqual(wire.ask(b'MAIL FROM:<a@example.org>')[0], 250)
        self.assertEqual(wire.ask(b'RCPT TO:<bob@example.test>')[0], 250)
        self.assertEqual(wire.ask(b'DATA')[0], 354)


class HostileSmtp(HostileCase):
    # A3: unauthorised pipelining.

    def test_early_talker(self):
        group = b'EHLO a\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n'
        with self.server.wire('smtp') as wire:
            wire.send(group)
            replies = wire.rest()
        self.assertEqual(replies[-1][0], 554, replies)
        self.assertNotIn(354, [code for code, _ in replies])

    def test_ehlo_must_end_a_group(self):
        with self.server.wire('smtp') as wire:
            self.assertEqual(wire.reply()[0], 220)
            wire.send(b'EHLO a\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<bob@example.test>\r\n')
            replies = wire.rest()
        self.assertEqual(replies[-1][0], 554, replies)

    def test_content_before_354_is_not_a_message(self):
        token = new_token()
        with greeted(self.server) as wire:
            wire.send(b'MAIL FROM:<a@a.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n'
                      b'Subject: ' + token.encode() + b'\r\n\r\nearly\r\n.\r\nQUIT\r\n')
            replies = wire.rest()
        self.assertEqual([code for code, _ in replies[:2]], [250, 250])
        self.assertIn(554, [code for code, _ in replies], replies)
        self.assertFalse([c for _, c in self.server.messages() if token.encode() in c])

    def test_pipelining_as_rfc_2920_allows(self):
        token = new_token()
        with greeted(self.server) as wire:
            wire.send(b'MAIL FROM:<a@a.test>\r\nRCPT TO:<bob@example.test>\r\n'
                      b'RCPT TO:<nobody@example.test>\r\nDATA\r\n')
            self.assertEqual([wire.reply()[0] for _ in range(4)], [250, 250, 550, 354])
            wire.send(message(token) + b'.\r\nMAIL FROM:<b@b.test>\r\nRSET\r\nQUIT\r\n')
            self.assertEqual([wire.reply()[0] for _ in range(4)], [250, 250, 250, 221])
        self.server.wait_for(token.encode())

    # A6: long lines.

    def test_long_commands(self):
        with greeted(self.server) as wire:
            self.assertIn(wire.ask(b'NOOP ' + b'x' * 506)[0], (250, 500))
        with greeted(self.server) as wire:
            self.assertEqual(wire.ask(b'NOOP ' + b'x' * 4092)[0], 500)
            self.assertEqual(wire.ask(b'NOOP')[0], 250)
        with greeted(self.server) as wire:
            wire.send(b'NOOP ' + b'x' * MIB + b'\r\nNOOP\r\n')
            self.assertIn(wire.reply()[0], (500, 421, 0))

    def test_a_line_without_end_is_hung_up_on(self):
        with greeted(self.server) as wire:
            sent = 0
            while wire.send(b'x' * 65536) and sent < 64 * MIB:
                sent += 65536
            self.assertLess(sent, 64 * MIB)

    def test_long_line_of_content_is_kept_or_refused(self):
        token = new_token()
        content = f'Subject: {token}\r\n\r\n'.encode() + b'y' * MIB + b'\r\nend\r\n'
        with greeted(self.server) as wire:
            self.begin(wire)
            wire.send(content + b'.\r\n')
            code = wire.reply()[0]
        if code == 250:
            assert_trace_and(content, self.server.wait_for(token.encode()))
        else:
            self.assertGreaterEqual(code, 500)

    # A7: many recipients.

    def answers_to(self, wire, count, command):
        """Sends `count` commands without waiting; the codes that come back."""
        sender = threading.Thread(target=lambda: [wire.send(command(start)) for start in
                                                  range(0, count, 100)])
        sender.start()
        codes = []
        for _ in range(count):
            code = wire.reply()[0]
            if code == 0:
                break
            codes.append(code)
        sender.join(30)
        return codes

    def recipients(self, start):
        return b''.join(b'RCPT TO:<u%d@elsewhere.test>\r\n' % (start + n) for n in range(100))

    def test_1100_recipients(self):
        with greeted(self.server, 'submission', BOB) as wire:
            wire.ask(b'MAIL FROM:<bob@example.test>')
            codes = self.answers_to(wire, 1100, self.recipients)
            self.assertGreaterEqual(codes.count(250), 100)
            self.assertLessEqual(codes.count(250), 1000)
            self.assertEqual(set(codes), {250, 452})
            self.assertLess(codes.index(452), 1001)
            self.assertEqual(wire.ask(b'DATA')[0], 354)
            self.assertEqual(wire.ask(message(new_token()) + b'.')[0], 250)

    def test_100000_recipients(self):
        with greeted(self.server, 'submission', BOB) as wire:
            wire.ask(b'MAIL FROM:<bob@example.test>')
            codes = self.answers_to(wire, 100_000, self.recipients)
            self.assertLessEqual(set(codes), {250, 452, 421})
            self.assertLessEqual(codes.count(250), 1000)

    # A8: SIZE.

    def test_size_parameter(self):
        rows = ((b'SIZE=99999999999999999999', (552, 501)), (b'SIZE=-1', (501,)),
                (b'SIZE=', (501,)), (b'SIZE=1 SIZE=2', (501,)), (b'SIZE=0x10', (501,)),
                (b'SIZE=100', (250,)), (b'BODY=8BITMIME', (250,)), (b'BODY=9BIT', (501, 504)),
                (b'NOSUCH=1', (555,)))
        for parameter, codes in rows:
            with self.subTest(parameter), greeted(self.server) as wire:
                self.assertIn(wire.ask(b'MAIL FROM:<a@example.org> ' + parameter)[0], codes)

    def test_content_beyond_the_limit(self):
        with greeted(self.server) as wire:
            wire.send(b'EHLO again\r\n')
            text = wire.reply()[1]
            limit = int(text.split('SIZE ')[1].split()[0])
            if limit > 256 * MIB:
                self.skipTest('the limit is too large to pass it in a test')
            self.assertEqual(wire.ask(b'MAIL FROM:<a@example.org> SIZE=%d' % (limit + 1))[0], 552)
            self.assertEqual(wire.ask(b'MAIL FROM:<a@example.org> SIZE=10')[0], 250)
            self.assertEqual(wire.ask(b'RCPT TO:<bob@example.test>')[0], 250)
            self.assertEqual(wire.ask(b'DATA')[0], 354)
            line = (b'z' * 70 + b'\r\n') * 900
            for _ in range(limit // len(line) + 2):
                wire.send(line)
            wire.send(b'.\r\n')
            self.assertIn(wire.reply()[0], (552, 0))

    # A9: octets that no command has.

    def test_control_octets_in_commands(self):
        for path in (b'<a\0b@x.test>', b'<a\x01b@x.test>', b'<\x1b]0;x@x.test>',
                     b'<gr\xc3\xbc\xc3\x9fe@x.test>', b'<a@\xff.test>', b'<a@x.test\x7f>'):
            for before, verb in ((b'', b'MAIL FROM:'), (b'MAIL FROM:<>\r\n', b'RCPT TO:')):
                with self.subTest(path=path, verb=verb), greeted(self.server) as wire:
                    if before:
                        wire.send(before)
                        self.assertEqual(wire.reply()[0], 250)
                    self.assertIn(wire.ask(verb + path)[0], (500, 501, 550, 553))
        log = (self.server.folder / 'log').read_bytes()
        self.assertNotIn(b'\x1b]0;', log)

    # A10: other protocols.

    def test_other_protocols_are_hung_up_on(self):
        hello = bytes.fromhex('16030100a5010000a10303') + bytes(range(160))
        for opening in (b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\nEHLO a\r\n'
                        b'MAIL FROM:<a@a.test>\r\n', b'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
                        b'SSH-2.0-OpenSSH_9.2\r\n', hello + b'\r\n'):
            with self.subTest(opening[:12]), self.server.wire('smtp') as wire:
                wire.reply()
                wire.send(opening)
                codes = [code for code, _ in wire.rest()]
                self.assertNotIn(250, codes)

    def test_limits_of_paths(self):
        local = b'a' * 65 + b'@example.org'
        domain = b'a@' + b'.'.join([b'd' * 63] * 4) + b'.test'
        for path in (local, domain, b'a' * 60 + b'@' + b'b.' * 130 + b'test'):
            with self.subTest(path), greeted(self.server) as wire:
                self.assertIn(wire.ask(b'MAIL FROM:<' + path + b'>')[0], (500, 501, 553))

    def test_commands_out_of_order(self):
        with self.server.wire('smtp') as wire:
            self.assertEqual(wire.reply()[0], 220)
            self.assertEqual(wire.ask(b'MAIL FROM:<a@example.org>')[0], 503)
            self.assertEqual(wire.ask(b'EHLO a')[0], 250)
            self.assertEqual(wire.ask(b'RCPT TO:<bob@example.test>')[0], 503)
            self.assertEqual(wire.ask(b'DATA')[0], 503)
            self.assertEqual(wire.ask(b'MAIL FROM:<a@example.org>')[0], 250)
            self.assertEqual(wire.ask(b'MAIL FROM:<a@example.org>')[0], 503)
            self.assertIn(wire.ask(b'DATA')[0], (503, 554))
            self.assertEqual(wire.ask(b'RSET')[0], 250)
            self.assertIn(wire.ask(b'VRFY bob')[0], (250, 252))
            self.assertIn(wire.ask(b'EXPN list')[0], (500, 502))
            self.assertEqual(wire.ask(b'NOSUCH')[0], 500)
            self.assertEqual(wire.ask(b'HELP')[0], 214)
            self.assertEqual(wire.ask(b'QUIT')[0], 221)
            self.assertIsNone(wire.line())

    def test_mail_that_loops(self):
        received = b''.join(b'Received: from a by b; Mon, 02 Feb 2026 10:20:30 +0100\r\n'
                            for _ in range(101))
        with greeted(self.server) as wire:
            self.begin(wire)
            code, text = wire.ask(received + message(new_token()) + b'.')
            self.assertEqual(code, 554)
            self.assertTrue(text.startswith('5.4.6'), text)

    # D4: open relay.

    def test_no_path_relays(self):
        for path in ('v%other.org@example.test', 'other.org!v@example.test',
                     '"v@other.org"@example.test', '@example.test:v@other.org',
                     '@a.test,@example.test:v@other.org', 'v@other.org@example.test',
                     'v@[127.0.0.1]', 'v@[IPv6:::1]', 'v@EXAMPLE.TEST.', 'v@other.org.',
                     'v@example.test\0.other.org', 'bob@ex\u0430mple.test', 'v@other\u3002org',
                     'bob@example.test.other.org', 'bob@sub.example.test', 'v@other.org',
                     'bob@exa\u00admple.test', '"bob@example.test"@other.org', 'v@localhost'):
            for sender in ('<a@example.org>', f'<{BOB}>', '<>'):
                with self.subTest(path=path, sender=sender), greeted(self.server) as wire:
                    self.assertEqual(wire.ask(b'MAIL FROM:' + sender.encode())[0], 250)
                    code, text = wire.ask(b'RCPT TO:<' + path.encode() + b'>')
                    self.assertIn(code, (500, 501, 550, 551, 553, 554), text)
        self.assertFalse([entry for entry in self.server.queue() if 'other.org' in str(entry)])

    def test_local_paths_that_look_odd_are_taken(self):
        for path in (b'bob@EXAMPLE.Test', b'@a.test,@b.test:bob@example.test',
                     b'"bob"@example.test', b'bob+x@example.test'):
            with self.subTest(path), greeted(self.server) as wire:
                wire.ask(b'MAIL FROM:<a@example.org>')
                self.assertEqual(wire.ask(b'RCPT TO:<' + path + b'>')[0], 250)

    def test_submission_needs_authentication(self):
        with greeted(self.server, 'submission') as wire:
            self.assertEqual(wire.ask(b'MAIL FROM:<bob@example.test>')[0], 530)


class HostileAuth(HostileCase):
    """C2: SASL that is malformed. Each answer is 5yz and the session goes on or is closed."""

    def auth(self, command, *then):
        with greeted(self.server, 'submission') as wire:
            codes = [wire.ask(command)[0]]
            codes += [wire.ask(line)[0] for line in then]
            return codes

    def test_malformed(self):
        rows = (b'AUTH PLAIN =', b'AUTH PLAIN ====', b'AUTH PLAIN AAAA', b'AUTH PLAIN !!!',
                b'AUTH PLAIN AGJvYg', b'AUTH PLAIN ' + base64.b64encode(b'\0\0\0'),
                b'AUTH PLAIN ' + base64.b64encode(b'\0\xff\xfe\0\xc3'), b'AUTH', b'AUTH ',
                b'AUTH NOSUCH', b'AUTH PLAIN A B', b'AUTH PLAIN ' + b'A' * 13000)
        for command in rows:
            with self.subTest(command[:40]):
                code = self.auth(command)[0]
                self.assertIn(code, (500, 501, 504, 535, 421, 0))

    def test_a_mebibyte(self):
        with greeted(self.server, 'submission') as wire:
            wire.send(b'AUTH PLAIN ' + b'A' * MIB + b'\r\n')
            self.assertIn(wire.reply()[0], (500, 501, 421, 0))

    def test_cancelled_and_wrong_in_the_dialogue(self):
        self.assertEqual(self.auth(b'AUTH LOGIN', b'*'), [334, 501])
        self.assertEqual(self.auth(b'AUTH PLAIN', b'*'), [334, 501])
        self.assertEqual(self.auth(b'AUTH LOGIN', b'!'), [334, 501])
        self.assertEqual(self.auth(b'AUTH LOGIN', b'Ym9i', b'*'), [334, 334, 501])
        self.assertEqual(self.auth(b'AUTH LOGIN', b'Ym9i', b'Ym9i'), [334, 334, 535])

    def test_names_that_try_tricks(self):
        for name in (b'%u%{env:HOME}', b"a' OR 1=1--", b'*)(uid=*', b'x' * 3000, b'../..',
                     '\u202ebob'.encode(), b''):
            with self.subTest(name[:20]):
                secret = base64.b64encode(b'\0' + name + b'\0' + b'password')
                self.assertIn(self.auth(b'AUTH PLAIN ' + secret)[0], (501, 535))

    def test_twice_and_within_a_transaction(self):
        with greeted(self.server, 'submission', BOB) as wire:
            self.assertEqual(wire.ask(b'AUTH PLAIN AAAA')[0], 503)
            wire.ask(b'MAIL FROM:<bob@example.test>')
            self.assertEqual(wire.ask(b'AUTH PLAIN AAAA')[0], 503)

    def test_hang_up_in_the_dialogue(self):
        for _ in range(300):
            with greeted(self.server, 'submission') as wire:
                self.assertEqual(wire.ask(b'AUTH LOGIN')[0], 334)

    def test_unknown_user_and_wrong_password_look_the_same(self):
        def answer(user):
            secret = base64.b64encode(f'\0{user}\0wrong'.encode())
            with greeted(self.server, 'submission') as wire:
                return wire.ask(b'AUTH PLAIN ' + secret)
        self.assertEqual(answer(ALICE), answer('nobody@example.test'))
