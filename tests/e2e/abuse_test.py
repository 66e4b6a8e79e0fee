"""What strangers may not do (threats A3, C, D, F). The test is a stranger: nobody is trusted."""

import json
import os
import pathlib
import re
import socket
import struct
import threading
import time
import unittest

from harness import BOB, PROGRAM, Case, Server, message, new_token, wait_until
from tls_test import insecure_context

NOBODY_TRUSTED = ('--set', 'limits.trusted=[]')


class Names:
    """A name server for A and TXT: {name: [address or text]}; a name that is None is not answered,
    what is in no zone is NXDOMAIN."""

    def __init__(self, names):
        self.names = names
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        self.address = '127.0.0.1:%d' % self.socket.getsockname()[1]
        self.asked = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def close(self):
        self.socket.sendto(b'', self.socket.getsockname())
        self.thread.join(5)
        self.socket.close()

    def serve(self):
        while True:
            data, peer = self.socket.recvfrom(4096)
            if not data:
                return
            end = data.index(b'\0', 12)
            labels, at = [], 12
            while at < end:
                labels.append(data[at + 1:at + 1 + data[at]].decode().lower())
                at += 1 + data[at]
            kind = struct.unpack('>H', data[end + 1:end + 3])[0]
            name = '.'.join(labels)
            self.asked.append(name)
            if any(silent is None and name.endswith(zone) for zone, silent in self.names.items()):
                continue
            found = [value for value in self.names.get(name, ())
                     if (kind == 1) == (value.count('.') == 3 and value[0].isdigit())
                     or (kind == 12 and value.endswith('.test'))]
            if kind not in (1, 12, 16):
                found = []
            code = 0 if name in self.names else 3
            answers = b''
            for value in found:
                if kind == 1:
                    body = socket.inet_aton(value)
                elif kind == 12:
                    body = b''.join(bytes([len(p)]) + p.encode() for p in value.split('.')) + b'\0'
                else:
                    body = bytes([len(value)]) + value.encode()
                answers += b'\xc0\x0c' + struct.pack('>HHIH', kind, 1, 60, len(body)) + body
            head = data[:2] + struct.pack('>HHHHH', 0x8180 | code, 1, len(found), 0, 0)
            self.socket.sendto(head + data[12:end + 5] + answers, peer)


def server_of(test, *settings):
    arguments = list(NOBODY_TRUSTED)
    for setting in settings:
        arguments += ['--set', setting]
    server = Server(*arguments)
    test.addCleanup(server.remove)
    return server.start()


def counted(server, name):
    return json.loads(server.run('counters', '--json').stdout)[name]


def names_of(test, names):
    served = Names(names)
    test.addCleanup(served.close)
    return served, f'dns.servers=["{served.address}"]'


def attempt(server, recipient=BOB, hello='client.test'):
    """The answer to RCPT."""
    with server.wire('smtp') as wire:
        assert wire.reply()[0] == 220
        wire.ask(b'EHLO ' + hello.encode())
        wire.ask(b'MAIL FROM:<sender@example.org>')
        return wire.ask(b'RCPT TO:<%s>' % recipient.encode())


class Connections(unittest.TestCase):
    def test_too_many_of_a_network_are_told_so(self):
        server = server_of(self, 'limits.connections_per_network_max=3')
        wires = [server.wire('smtp') for _ in range(3)]
        self.assertEqual([wire.reply()[0] for wire in wires], [220] * 3)
        with server.wire('smtp') as wire:
            code, text = wire.reply()
            self.assertEqual(code, 421)
            self.assertIn('network', text)
            self.assertEqual(wire.reply()[0], 0)
        with server.wire('imap') as wire:
            self.assertTrue(wire.line().startswith(b'* BYE Too many'))
        self.assertEqual(counted(server, 'connections_refused'), 2)
        wires.pop().close()
        wait_until(lambda: self.is_greeted(server), what='a place')
        for wire in wires:
            wire.close()

    def is_greeted(self, server):
        with server.wire('smtp') as wire:
            return wire.reply()[0] == 220

    def test_too_often_is_told_so(self):
        server = server_of(self, 'limits.address_connection_rate=2/hr')
        self.assertTrue(self.is_greeted(server))
        self.assertTrue(self.is_greeted(server))
        with server.wire('smtp') as wire:
            code, text = wire.reply()
        self.assertEqual(code, 421)
        self.assertIn('too often', text)

    def test_a_stranger_makes_room_and_who_logged_in_stays(self):
        server = server_of(self, 'limits.connections_max=6', 'limits.connections_per_address_max=6',
                           'limits.trusted=["127.0.0.0/8"]', 'cores=1')
        user = server.imap()
        wires = [server.wire('smtp') for _ in range(5)]
        self.assertEqual([wire.reply()[0] for wire in wires], [220] * 5)
        for _ in range(10):
            server.send(message(new_token()))
        self.assertEqual(user.noop()[0], 'OK')
        self.assertEqual(wires[0].reply()[0], 421)
        self.assertGreaterEqual(counted(server, 'connections_shed'), 1)
        for wire in wires:
            wire.close()
        user.logout()

    def test_a_command_must_be_whole_in_time(self):
        """Octets that trickle in do not keep a session (F1)."""
        server = server_of(self, 'smtp.command_timeout=1s')
        with server.wire('smtp') as wire:
            wire.reply()
            began = time.monotonic()
            wire.socket.settimeout(0.1)
            code = 0
            while time.monotonic() - began < 15 and not code:
                wire.send(b'N')
                try:
                    code = wire.reply()[0]
                except TimeoutError:
                    continue
        self.assertEqual(code, 421)
        self.assertLess(time.monotonic() - began, 10)


    def test_content_must_come_in_time(self):
        server = server_of(self, 'smtp.data_timeout=1s')
        with server.wire('smtp') as wire:
            wire.reply()
            for line in (b'EHLO slow.test', b'MAIL FROM:<a@slow.test>',
                         b'RCPT TO:<%s>' % BOB.encode()):
                self.assertEqual(wire.ask(line)[0], 250)
            self.assertEqual(wire.ask(b'DATA')[0], 354)
            self.assertEqual(self.trickle(wire, b'x'), 421)

    def trickle(self, wire, octet):
        """The code that ends it, or 0 after 15 s."""
        wire.socket.settimeout(0.1)
        end = time.monotonic() + 15
        while time.monotonic() < end:
            wire.send(octet)
            try:
                return wire.reply()[0]
            except TimeoutError:
                continue
        return 0

    def test_a_flood_of_connections_leaves_nothing_behind(self):
        server = server_of(self)
        descriptors = pathlib.Path(f'/proc/{server.process.pid}/fd')
        server.send(message(new_token()))
        before = len(list(descriptors.iterdir()))
        for _ in range(20):
            wires = [server.wire('smtp') for _ in range(100)]
            for wire in wires:
                wire.close()
        wait_until(lambda: len(list(descriptors.iterdir())) <= before + 5, what='closed sockets')
        server.assert_alive()


class Short(unittest.TestCase):
    """Descriptors or memory run short (F2, F3)."""

    def with_descriptors(self, count, *settings):
        server = Server(*NOBODY_TRUSTED, *settings)
        self.addCleanup(server.remove)
        program = server.folder / 'few'
        program.write_text(f'#!/bin/sh\nulimit -n {count}\nexec {PROGRAM} "$@"\n')
        program.chmod(0o755)
        server.program = program
        return server.start()

    def test_few_descriptors(self):
        server = self.with_descriptors(256)
        user = server.imap()
        wires = [server.wire('smtp') for _ in range(400)]
        self.addCleanup(lambda: [wire.close() for wire in wires])
        self.assertEqual(wires[-1].reply()[0], 220)  # who comes last is served
        token = new_token()
        server.send(message(token))
        server.wait_for(token.encode())
        self.assertEqual(user.noop()[0], 'OK')  # who has logged in stays
        gone = [wire for wire in wires[:100] if self.is_told(wire)]
        self.assertEqual(len(gone), 100)  # who was there first was told why he had to go
        before = self.processor_seconds(server)
        time.sleep(0.5)  # measures that it does not spin
        self.assertLess(self.processor_seconds(server) - before, 0.3)
        user.logout()

    def is_told(self, wire):
        return 421 in [code for code, _ in wire.rest()]

    def processor_seconds(self, server):
        fields = pathlib.Path(f'/proc/{server.process.pid}/stat').read_text().split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf('SC_CLK_TCK')

    def test_little_memory(self):
        server = server_of(self, 'limits.memory_max=1')

        def told():
            with server.wire('smtp') as wire:
                return wire.reply()
        code, text = wait_until(lambda: (lambda said: said[0] == 421 and said)(told()),
                                what='a refusal')
        self.assertIn('try again later', text)


class Patience(unittest.TestCase):
    def test_who_talks_in_the_greet_pause_is_hung_up_on(self):
        server = server_of(self, 'strangers.greet_pause=10s')
        with server.wire('smtp') as wire:
            began = time.monotonic()
            wire.send(b'EHLO client.test\r\n')
            self.assertEqual(wire.reply()[0], 554)
            self.assertLess(time.monotonic() - began, 8)
            self.assertEqual(wire.reply()[0], 0)
        self.assertEqual(counted(server, 'early_talkers'), 1)

    def test_who_waits_is_greeted(self):
        server = server_of(self, 'strangers.greet_pause=300ms')
        began = time.monotonic()
        with server.wire('smtp') as wire:
            self.assertEqual(wire.reply()[0], 220)
        self.assertGreater(time.monotonic() - began, 0.25)

    def test_errors_beyond_the_soft_limit_are_answered_slowly(self):
        server = server_of(self, 'smtp.errors_soft=2', 'smtp.error_delay=400ms')
        with server.wire('smtp') as wire:
            wire.reply()
            began = time.monotonic()
            for _ in range(2):
                self.assertEqual(wire.ask(b'NONSENSE')[0], 500)
            quick = time.monotonic() - began
            self.assertEqual(wire.ask(b'NONSENSE')[0], 500)
            self.assertGreater(time.monotonic() - began - quick, 0.35)

    def test_commands_that_bring_nothing_are_counted(self):
        server = server_of(self, 'smtp.idle_commands_max=5', 'smtp.errors_max=3')
        with server.wire('smtp') as wire:
            wire.reply()
            codes = [wire.ask(b'NOOP')[0] for _ in range(7)]
            self.assertEqual(codes, [250] * 5 + [500] * 2)
            self.assertEqual(wire.ask(b'NOOP')[0], 500)
            self.assertEqual(wire.reply()[0], 421)


class Known(unittest.TestCase):
    LISTED = '1.0.0.127.bl.test'

    def test_a_listed_host_is_refused_with_the_lists_words(self):
        _, servers = names_of(self, {self.LISTED: ['127.0.0.2', 'see bl.test for why']})
        server = server_of(self, servers, 'strangers.block_lists=["bl.test=127.0.0.[2..4]"]')
        code, text = attempt(server)
        self.assertEqual(code, 550)
        self.assertIn('bl.test: see bl.test for why', text)
        self.assertEqual(counted(server, 'strangers_listed'), 1)
        with server.smtp('submission', BOB) as client:  # a user is no stranger
            self.assertEqual(client.mail(BOB)[0], 250)
            self.assertEqual(client.rcpt(BOB)[0], 250)

    def test_a_listed_host_is_refused_over_tls_too(self):
        _, servers = names_of(self, {self.LISTED: ['127.0.0.2']})
        server = server_of(self, servers, 'strangers.block_lists=["bl.test"]')
        with server.wire('smtp') as wire:
            wire.reply()
            wire.ask(b'EHLO client.test')
            self.assertEqual(wire.ask(b'STARTTLS')[0], 220)
            wire.socket = insecure_context().wrap_socket(wire.socket)
            wire.ask(b'EHLO client.test')
            wire.ask(b'MAIL FROM:<sender@example.org>')
            self.assertEqual(wire.ask(b'RCPT TO:<%s>' % BOB.encode())[0], 550)

    def test_an_answer_that_is_not_mapped_and_a_good_list_refuse_nobody(self):
        _, servers = names_of(self, {self.LISTED: ['127.0.0.9'], '1.0.0.127.a.test': ['127.0.0.2'],
                                     '1.0.0.127.good.test': ['127.0.0.2']})
        server = server_of(self, servers, 'strangers.block_lists=["bl.test=127.0.0.[2..4]", '
                                          '"a.test", "good.test*-1"]')
        self.assertEqual(attempt(server)[0], 250)

    def test_a_dead_list_stops_no_mail_and_rests(self):
        names, servers = names_of(self, {'bl.test': None})
        server = server_of(self, servers, 'strangers.block_lists=["bl.test"]',
                           'strangers.timeout=300ms', 'cores=1')
        for _ in range(4):
            self.assertEqual(attempt(server)[0], 250)
        self.assertIn(self.LISTED, names.asked)
        began = time.monotonic()
        self.assertEqual(attempt(server)[0], 250)
        self.assertLess(time.monotonic() - began, 0.25)

    def test_the_reverse_dns_must_lead_back(self):
        _, servers = names_of(self, {'1.0.0.127.in-addr.arpa': ['liar.test'],
                                     'liar.test': ['192.0.2.1']})
        server = server_of(self, servers, 'strangers.reverse_dns=require')
        code, text = attempt(server)
        self.assertEqual(code, 550)
        self.assertIn('5.7.25', text)

    def test_a_confirmed_name_is_in_received(self):
        _, servers = names_of(self, {'1.0.0.127.in-addr.arpa': ['host.test'],
                                     'host.test': ['127.0.0.1']})
        server = server_of(self, servers, 'strangers.reverse_dns=require')
        token = new_token()
        server.send(message(token))
        self.assertIn(b'(host.test [127.0.0.1])', server.wait_for(token.encode()))

    def test_names_in_ehlo(self):
        server = server_of(self, 'strangers.hello_check=full_name', 'hostname=mail.kurir.test')
        self.assertEqual(attempt(server, hello='client.test')[0], 250)
        self.assertEqual(attempt(server, hello='[127.0.0.1]')[0], 250)
        for lie in ('client', 'Mail.Kurir.Test', '[192.0.2.1]', '-x-', '127.0.0.1'):
            self.assertEqual(attempt(server, hello=lie)[0], 550, lie)
        self.assertEqual(counted(server, 'hellos_refused'), 5)


class Greylisted(unittest.TestCase):
    def test_who_comes_again_is_let_through_after_a_restart_too(self):
        server = server_of(self, 'strangers.greylist=true', 'strangers.greylist_delay=1s')
        code, text = attempt(server)
        self.assertEqual(code, 451)
        self.assertIn('Greylisted', text)
        self.assertEqual(counted(server, 'strangers_greylisted'), 1)
        wait_until(lambda: attempt(server)[0] == 250, what='the second try')
        server.restart()
        self.assertEqual(attempt(server)[0], 250)


class Hostile(Case):
    """The bytes of threats C and D that other files do not send."""
    server_arguments = NOBODY_TRUSTED

    def codes(self, *lines, listener='smtp'):
        with self.server.wire(listener) as wire:
            wire.reply()
            wire.ask(b'EHLO client.test')
            return [wire.ask(line)[0] for line in lines]

    def test_line_ends_in_parameters(self):
        for parameter in (b'AUTH=a+0D+0AX', b'ENVID=a+0ARCPT', b'RET=FULL RET=HDRS', b'SIZE=-1'):
            with self.subTest(parameter=parameter):
                self.assertIn(self.codes(b'MAIL FROM:<a@x.test> ' + parameter)[0], range(500, 560))
        answer = self.codes(b'MAIL FROM:<a@x.test>',
                            b'RCPT TO:<%s> ORCPT=rfc822;a+0D+0Ab' % BOB.encode())
        self.assertIn(answer[1], range(500, 560))

    def test_logs_are_lines_of_json_whatever_is_said(self):
        """D6."""
        for name in (b'a\x1b[2J', b'a\x00b', '\u202eabc\u2028'.encode(), b'x' * 900, b'"},{"a":"'):
            with self.server.wire('smtp') as wire:
                wire.reply()
                wire.ask(b'EHLO ' + name)
                wire.ask(b'HELO client.test')
                wire.ask(b'MAIL FROM:<"\\"},{"@x.test>')
                wire.ask(b'RCPT TO:<nobody"@example.test>')
                wire.ask(b'RCPT TO:<"no\\"body"@example.test>')
        path = self.server.folder / 'log'
        wait_until(lambda: '"Rejection"' in path.read_text(), what='an event')
        log = path.read_text()
        for line in log.splitlines()[:-1]:  # the last one may be half written
            if line.startswith('{'):
                self.assertIn('type', json.loads(line))
        self.assertIsNone(re.search('[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]', log))

    def test_aliases_in_a_circle_cannot_be_made(self):
        """D7."""
        def add(name, target):
            return self.server.run('alias', 'add', f'{name}@example.test', target, check=False)
        self.assertEqual(add('ring-a', BOB).returncode, 0)
        self.assertEqual(add('ring-b', 'ring-a@example.test').returncode, 0)
        for name, target in (('ring-a', 'ring-b'), ('ring-a', 'ring-a'), ('ring-c', 'ring-c')):
            done = add(name, f'{target}@example.test')
            self.assertNotEqual(done.returncode, 0)
            self.assertIn('lead back to itself', done.stderr)
        token = new_token()
        self.server.send(message(token), recipient='ring-b@example.test')
        self.server.wait_for(token.encode())

    def test_who_never_reads_is_hung_up_on(self):
        """F1: commands without end, replies that nobody takes."""
        self.flood(20)
        before = self.server.rss()
        self.flood(60)
        self.server.assert_alive()
        self.assertLess(self.server.rss() - before, 32 << 20)

    def flood(self, count):
        for _ in range(count):
            with self.server.wire('smtp') as wire:
                wire.reply()
                wire.socket.settimeout(5)
                sent = 0
                while wire.send(b'NOOP\r\n' * 10_000) and sent < 64 << 20:
                    sent += 60_000
                self.assertLess(sent, 64 << 20)

    def test_shell_and_sql_in_addresses(self):
        for path in (b';sleep 66;', b'`id`@x.test', b'$(id)@x.test', b'|id@x.test',
                     b'"a\' OR 1=1--"@x.test'):
            with self.subTest(path=path):
                began = time.monotonic()
                self.codes(b'MAIL FROM:<' + path + b'>')
                self.assertLess(time.monotonic() - began, 10)
        self.server.assert_alive()

    def test_addresses_that_crashed_others(self):
        for path in (b'<>', b'<@>', b'<a@>', b'<@a,@b:>', b'<"">', b'<""@d>', b'<a@[IPv6:::::]>',
                     b'<a@[1.2.3.4>', b'".!"', b'<' + b'(' * 1000 + b'@x>',
                     b'<' + b'\\"' * 1000 + b'@x>', b'x:a,b;'):
            with self.subTest(path=path[:20]):
                self.codes(b'MAIL FROM:' + path, b'RSET')
        self.server.assert_alive()
