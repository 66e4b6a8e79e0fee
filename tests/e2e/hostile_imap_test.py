"""IMAP from peers that announce much or ask for others' mail (threats I1, I2, I4, I5)."""

from harness import ALICE, BOB, Case, message, new_token

MIB = 1 << 20
GROWTH_MAX = 48 * MIB


class HostileImap(Case):
    def setUp(self):
        self.octets_before = self.server.rss()

    def tearDown(self):
        self.server.assert_alive()
        self.assertLess(self.server.rss() - self.octets_before, GROWTH_MAX)

    def wire(self, user=None):
        wire = self.server.wire('imap')
        self.addCleanup(wire.close)
        self.assertTrue(wire.line().startswith(b'* OK'))
        if user:
            line = b'LOGIN %s %s' % (user.encode(), self.server.password(user).encode())
            self.assertIn(b'z OK', wire.tagged(b'z', line)[-1])
        return wire

    def refused(self, lines):
        """BAD, NO or BYE, or the connection is gone; no continuation."""
        self.assertFalse([line for line in lines if line.startswith(b'+')], lines)
        if lines:
            self.assertTrue(any(line.startswith((b'a BAD', b'a NO', b'* BYE', b'* BAD'))
                                for line in lines), lines)

    def test_literals_before_login(self):
        for literal in (b'{4294967295}', b'{18446744073709551616}', b'{-1}', b'{1}x', b'{}', b'{a}',
                        b'{99999999}', b'{5000}', b'{5', b'~{99999999}'):
            with self.subTest(literal):
                wire = self.wire()
                wire.send(b'a LOGIN ' + literal + b'\r\n')
                self.refused([wire.line() or b'* BYE'])

    def test_non_synchronising_literals(self):
        for literal in (b'{4294967295+}', b'{5000000+}', b'{18446744073709551616+}'):
            with self.subTest(literal):
                wire = self.wire()
                wire.send(b'a LOGIN ' + literal + b'\r\n' + b'x' * 100_000 + b'\r\n')
                self.refused(wire.tagged(b'a'))

    def test_announced_octets_cost_nothing_until_they_come(self):
        wires = [self.wire() for _ in range(50)]
        before = self.server.rss()
        for wire in wires:
            wire.send(b'a LOGIN {4096}\r\n')
        for wire in wires:
            wire.line()
        self.assertLess(self.server.rss() - before, 4 * MIB)

    def test_append_beyond_all_bounds(self):
        wire = self.wire(BOB)
        for literal in (b'{99999999999}', b'{18446744073709551616}', b'{-5}'):
            self.refused(wire.tagged(b'a', b'APPEND INBOX ' + literal)[-1:])

    def test_append_broken_off_leaves_nothing(self):
        token = new_token()
        wire = self.wire(BOB)
        wire.send(b'a APPEND INBOX {100000}\r\n')
        self.assertTrue(wire.line().startswith(b'+'))
        wire.send(message(token, 50_000))
        wire.close()
        self.server.assert_alive()
        self.assertFalse([c for _, c in self.server.messages() if token.encode() in c])

    def test_long_commands_before_login(self):
        for text in (b'a ' + b'(' * 10 * MIB, b'a ID (' + b'"k" "v" ' * 200_000,
                     b't' * MIB + b' NOOP', b'a LOGIN "' + b'x' * MIB):
            with self.subTest(text[:12]):
                wire = self.wire()
                wire.send(text + b'\r\n')
                wire.send(b'b NOOP\r\n')
                lines = wire.tagged(b'b')
                self.assertTrue(not lines or b'BYE' in lines[-1] or b'b OK' in lines[-1]
                                or b'BAD' in lines[0], lines)

    def test_commands_without_reading(self):
        wire = self.wire()
        wire.socket.settimeout(2)
        try:
            wire.send(b'a NOOP\r\n' * 100_000)
        except TimeoutError:
            pass  # the server stopped reading: as it should
        self.server.assert_alive()

    def test_deep_searches_and_sets(self):
        wire = self.wire(BOB)
        self.assertIn(b'OK', wire.tagged(b'a', b'SELECT INBOX')[-1])
        for command in (b'SEARCH ' + b'OR ' * 5000 + b'ALL ' * 5001,
                        b'SEARCH ' + b'NOT ' * 5000 + b'ALL', b'SEARCH ' + b'(' * 5000,
                        b'FETCH 1:4294967295,1:*,*:1 (FLAGS)', b'FETCH 4294967296 (FLAGS)',
                        b'FETCH 0 (FLAGS)', b'FETCH 1 (BODY[' + b'1.' * 5000 + b'1])',
                        b'FETCH 1 (BODY[]<0.4294967296>)', b'FETCH 1 (BODY[]<0.0>)',
                        b'UID SEARCH ' + b'1:*,' * 5000 + b'1',
                        b'LIST "" "' + b'*%' * 300 + b'x"', b'LIST "" ' + b'%' * 900):
            with self.subTest(command[:30]):
                lines = wire.tagged(b'q', command)
                self.assertRegex(lines[-1], rb'^q (OK|NO|BAD)')

    def test_mailbox_names_are_no_paths(self):
        token = new_token()
        self.server.send(message(token), ALICE)
        self.server.wait_for(token.encode(), ALICE)
        for name in (b'"../alice@example.test/INBOX"', b'"/etc/passwd"', b'"a//b"', b'".."',
                     b'"~root"', b'"~alice@example.test/INBOX"', b'"INBOX/../x"', b'"x/../y"',
                     b'"' + b'n' * 65_536 + b'"', b'"' + b'l/' * 10_000 + b'x"', b'""', b'"/"',
                     b'"/x"', b'"a\tb"', b'"&"', b'"&AAA-"', b'"&2AA-"', b'"&Zg"', b'"&AGE-"',
                     b'"\xff\xfe"', b'"*"', b'"%"', b'{3}\r\na\0b'):
            with self.subTest(name[:40]):
                wire = self.wire(BOB)
                for command in (b'SELECT ', b'EXAMINE ', b'CREATE ', b'STATUS '):
                    what = command + name + (b' (MESSAGES)' if command == b'STATUS ' else b'')
                    lines = wire.tagged(b'a', what)
                    if not lines or b'BYE' in lines[-1]:
                        break
                    self.assertRegex(lines[-1], rb'^a (OK|NO|BAD)')  # a name is only a key
                    self.assertNotIn(token.encode(), b''.join(lines))
        self.assertEqual(len(self.server.messages(ALICE)), 1)

    def test_inbox_in_any_case(self):
        wire = self.wire(BOB)
        for name in (b'inbox', b'InBoX', b'"INBOX"'):
            self.assertIn(b'a OK', wire.tagged(b'a', b'SELECT ' + name)[-1])
        self.assertIn(b'a NO', wire.tagged(b'a', b'CREATE inbox')[-1])

    def test_commands_out_of_state(self):
        for command in (b'SELECT INBOX', b'FETCH 1 FLAGS', b'LIST "" *', b'CREATE x',
                        b'IDLE', b'CLOSE', b'NOSUCH', b'UID', b''):
            with self.subTest(command):
                wire = self.wire()
                self.assertRegex(wire.tagged(b'a', command)[-1], rb'^(a|\*) (BAD|NO)')
                self.assertIn(b'b OK', wire.tagged(b'b', b'NOOP')[-1])
        for command in (b'FETCH 1 FLAGS', b'STORE 1 FLAGS ()', b'EXPUNGE', b'SEARCH ALL'):
            with self.subTest(command):
                self.assertRegex(self.wire(BOB).tagged(b'a', command)[-1], rb'^a (BAD|NO)')

    def test_bare_line_feed_and_nul(self):
        wire = self.wire()
        wire.send(b'a NOOP\nb LOGOUT\r\n')
        wire.send(b'c NOOP\0\r\nd LOGOUT\r\n')
        lines = []
        while (line := wire.line()) is not None:
            lines.append(line)
        self.assertFalse([line for line in lines if line.startswith(b'c OK')], lines)
