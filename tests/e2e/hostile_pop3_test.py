"""POP3 from peers with odd numbers and long lines (threats J1 to J5, A10)."""

from harness import BOB, Case, message, new_token


class HostilePop3(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        token = new_token()
        cls.server.send(message(token))
        cls.server.wait_for(token.encode())

    def tearDown(self):
        self.server.assert_alive()

    def wire(self, logged_in=True):
        wire = self.server.wire('pop3')
        self.addCleanup(wire.close)
        self.assertTrue(wire.line().startswith(b'+OK'))
        if logged_in:
            self.ask(wire, b'USER ' + BOB.encode())
            self.assertTrue(self.ask(wire, b'PASS ' + self.server.password().encode())
                            .startswith(b'+OK'))
        return wire

    def ask(self, wire, command):
        wire.send(command + b'\r\n')
        return wire.line() or b''

    def test_numbers(self):
        for command in (b'RETR 0', b'RETR -1', b'RETR 2', b'RETR 4294967297', b'RETR 1 2 3',
                        b'RETR 99999999999999999999', b'RETR 18446744073709551617', b'RETR',
                        b'RETR x', b'RETR 1x', b'RETR +1', b'RETR 0x1', b'TOP 1 -1', b'TOP 1',
                        b'TOP 1 99999999999999999999', b'TOP 0 0', b'UIDL -1', b'UIDL 0',
                        b'LIST x', b'LIST 0', b'LIST 4294967297', b'DELE 0', b'DELE',
                        b'DELE 4294967297', b'NOSUCH', b'', b'STAT 1 2'):
            with self.subTest(command):
                wire = self.wire()
                self.assertTrue(self.ask(wire, command).startswith(b'-ERR'))
                self.assertTrue(self.ask(wire, b'NOOP').startswith(b'+OK'))
                self.assertTrue(self.ask(wire, b'STAT').startswith(b'+OK 1 '))
                self.assertTrue(self.ask(wire, b'QUIT').startswith(b'+OK'))

    def test_top_of_more_lines_than_there_are(self):
        wire = self.wire()
        self.assertTrue(self.ask(wire, b'TOP 1 4294967295').startswith((b'+OK', b'-ERR')))
        self.ask(wire, b'QUIT')

    def test_commands_before_login(self):
        for command in (b'STAT', b'RETR 1', b'LIST', b'DELE 1', b'UIDL', b'PASS x', b'RSET',
                        b'TOP 1 1'):
            with self.subTest(command):
                wire = self.wire(logged_in=False)
                self.assertTrue(self.ask(wire, command).startswith(b'-ERR'))

    def test_long_lines(self):
        for command in (b'USER ' + b'u' * 300, b'USER ' + b'u' * (1 << 20), b'PASS ' + b'p' * 4000):
            with self.subTest(command[:6]):
                wire = self.wire(logged_in=False)
                self.assertTrue((self.ask(wire, command) or b'-ERR').startswith(b'-ERR'))

    def test_a_line_without_end_is_hung_up_on(self):
        wire = self.wire(logged_in=False)
        sent = 0
        while wire.send(b'x' * 65536) and sent < 1 << 26:
            sent += 65536
        self.assertLess(sent, 1 << 26)

    def test_malformed_sasl(self):
        for response in (b'=', b'====', b'AAAA', b'!!!', b'*'):
            with self.subTest(response):
                wire = self.wire(logged_in=False)
                self.assertTrue(self.ask(wire, b'AUTH PLAIN').startswith(b'+'))
                self.assertTrue(self.ask(wire, response).startswith(b'-ERR'))
