"""kurir-blast against the real server, and against one that misbehaves."""

import json
import re
import signal
import socket
import subprocess
import threading
import time

from harness import ALICE, BOB, PROGRAM, Case, wait_until

BLAST = PROGRAM.parent / 'kurir-blast'
STAMP = re.compile(rb'X-Kurir-Blast: run=([0-9a-f]{16}); number=(\d+);')


def blast(*arguments, seconds=60):
    return subprocess.run([BLAST, *map(str, arguments)], capture_output=True, text=True,
                          timeout=seconds, stdin=subprocess.DEVNULL, check=False)


class FixedReplies:
    """A server of one thread a connection: `reply(line)` answers each; content is one line."""

    def __init__(self, reply):
        self.reply = reply
        self.peers = set()
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, peer = self.listener.accept()
                self.peers.add(peer[0])
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client, client.makefile('rb') as lines:
            client.sendall(b'220 hello\r\n')
            content = False
            for line in lines:
                if content and line != b'.\r\n':
                    continue
                verb = 'END' if content else line[:4].decode().strip().upper()
                content = verb == 'DATA'
                answer = self.reply(verb)
                if answer is None:
                    return
                client.sendall(answer.encode() + b'\r\n')
                if verb == 'QUIT':
                    return

    def close(self):
        self.listener.close()


def friendly(verb):
    return {'DATA': '354 go', 'QUIT': '221 bye'}.get(verb, '250 ok')


class Blast(Case):
    def address(self):
        host, port = self.server.address('smtp')
        return f'{host}:{port}'

    def numbers(self, folder):
        return sorted(int(STAMP.search(content).group(2))
                      for _, content in self.server.messages(mailbox=folder))

    def check_each_once(self, folder, messages, *flags):
        done = blast('-m', messages, '--json', '-t', f'bob+{folder}@example.test', *flags,
                     self.address())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        summary = json.loads(done.stdout)
        self.assertEqual((summary['accepted'], summary['lost']), (messages, 0))
        wait_until(lambda: len(self.server.messages(mailbox=folder)) >= messages, 20, folder)
        self.assertEqual(self.numbers(folder), list(range(messages)))
        return summary

    def test_each_message_arrives_once(self):
        one = self.check_each_once('one', 100, '-s', 10)
        self.assertEqual(one['connections'], 100)
        many = self.check_each_once('many', 300, '-s', 10, '-d')
        self.assertEqual(many['connections'], 10)
        self.check_each_once('pipelined', 300, '-s', 7, '-d', '--pipelining')
        few = self.check_each_once('few', 20, '-s', 1, '--per-connection', 5, '--pipelining')
        self.assertEqual(few['connections'], 4)
        self.check_each_once('large', 6, '-s', 3, '-d', '-l', '100k:1,1M:1')

    def test_bodies_are_what_was_sent(self):
        folder = self.temporary_folder()
        (folder / 'a.eml').write_bytes(b'Subject: dots\n\n.one\n..two\nend')
        done = blast('--folder', folder, '-t', 'bob+files@example.test', self.address())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        wait_until(lambda: self.server.messages(mailbox='files'), 10, 'the message')
        self.assertTrue(self.server.messages(mailbox='files')[0][1].endswith(
            b'Subject: dots\r\n\r\n.one\r\n..two\r\nend\r\n'))

    def test_refusals_are_counted_by_code(self):
        done = blast('-m', 20, '-s', 2, '-d', '--json', '-t', 'nobody@example.test',
                     self.address())
        self.assertEqual(done.returncode, 1)
        summary = json.loads(done.stdout)
        self.assertEqual((summary['accepted'], summary['refused']), (0, 20))
        self.assertEqual(summary['refusals'], {'550': 20})

    def test_login(self):
        host, port = self.server.address('submission')
        good = blast('--auth', f'{BOB}:{self.server.password()}', '-f', BOB, '-t', BOB,
                     f'{host}:{port}')
        self.assertEqual(good.returncode, 0, good.stdout + good.stderr)
        bad = blast('--auth', f'{BOB}:wrong', '-f', BOB, '-t', BOB, '--json', f'{host}:{port}')
        self.assertEqual(bad.returncode, 1)
        self.assertIn('535', json.loads(bad.stdout)['refusals'])

    def test_users_of_a_file_log_in_in_turns(self):
        users = self.temporary_folder() / 'users'
        users.write_text(f'# who\n{BOB}:{self.server.password()}\n\n{BOB}:wrong\n')
        host, port = self.server.address('submission')
        done = blast('--users-file', users, '-m', 6, '-f', BOB, '-t', BOB, '--json',
                     f'{host}:{port}')
        summary = json.loads(done.stdout)
        self.assertEqual((summary['accepted'], summary['refusals']), (3, {'535': 3}))
        host, port = self.server.address('pop3')
        done = blast('--protocol', 'pop3', '--mix', 'login', '--users-file', users, '-m', 2,
                     '--json', f'{host}:{port}')
        summary = json.loads(done.stdout)
        self.assertEqual((summary['accepted'], summary['refused']), (1, 1))
        users.write_text('nobody\n')
        done = blast('--users-file', users, f'{host}:{port}')
        self.assertEqual(done.returncode, 64)
        self.assertIn(f'{users}:1: expected USER:PASSWORD', done.stdout + done.stderr)

    def test_a_server_that_goes_on_without_recipients(self):
        port = FixedReplies(lambda verb: {'RCPT': '550 no', 'END': '554 no recipients'}.get(
            verb, friendly(verb))).port
        done = blast('-m', 5, '-d', '--pipelining', '--json', f'127.0.0.1:{port}')
        summary = json.loads(done.stdout)
        self.assertEqual((summary['accepted'], summary['refused'], summary['lost']), (0, 5, 0))

    def test_bad_flags(self):
        for flags in (['-m', '0'], ['-l', 'big'], ['--rate', 'x'], ['--source', '1-2'],
                      ['--auth', 'nocolon'], ['--domain', 'a:b'], ['-s', '0'], ['--unknown']):
            done = blast(*flags, self.address())
            self.assertEqual(done.returncode, 64, flags)
            self.assertTrue(done.stdout + done.stderr, flags)


class BlastMailbox(Case):
    """Mixes of operations on mailboxes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        host, port = cls.server.address('smtp')
        done = blast('-m', 50, '-d', '-t', BOB, f'{host}:{port}')
        assert done.returncode == 0, done.stdout

    def mix(self, protocol, mix, *flags, user=BOB):
        host, port = self.server.address(protocol)
        done = blast('--protocol', protocol, '--mix', mix, '--json', '--auth',
                     f'{user}:{self.server.password(user)}', *flags, f'{host}:{port}')
        return done, json.loads(done.stdout)

    def test_imap(self):
        operations = ('login', 'select', 'fetch-flags', 'fetch-envelope', 'fetch-body', 'store',
                      'search', 'append', 'idle')
        done, summary = self.mix('imap', ','.join(operations), '-m', 200, '-s', 4)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(summary['accepted'], 200)
        counts = [summary['milliseconds'][name.replace('-', '_')]['count'] for name in operations]
        self.assertEqual(sum(counts), 200)
        self.assertTrue(all(counts), counts)

    def test_appended_messages_are_there(self):
        before = len(self.server.messages(ALICE))
        done, _ = self.mix('imap', 'append', '-m', 30, '-s', 3, '-l', '10k', user=ALICE)
        self.assertEqual(done.returncode, 0, done.stdout)
        contents = [content for _, content in self.server.messages(ALICE)]
        self.assertEqual(len(contents), before + 30)
        self.assertEqual(sorted(int(STAMP.search(content).group(2)) for content in contents),
                         list(range(30)))

    def test_pop3(self):
        done, summary = self.mix('pop3', 'fetch-body:3,select:1', '-m', 100)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(summary['accepted'], 100)
        done, summary = self.mix('pop3', 'login', '-m', 10)
        self.assertEqual((done.returncode, summary['connections']), (0, 10))

    def test_a_wrong_password_is_told(self):
        host, port = self.server.address('imap')
        done = blast('--protocol', 'imap', '--mix', 'select', '--auth', f'{BOB}:wrong', '--json',
                     f'{host}:{port}')
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)['refused'], 1)

    def test_bad_mixes(self):
        for flags in (['--protocol', 'imap'], ['--protocol', 'imap', '--mix', 'select'],
                      ['--protocol', 'pop3', '--mix', 'search', '--auth', 'a:b'],
                      ['--protocol', 'imap', '--mix', 'dance', '--auth', 'a:b'],
                      ['--mix', 'select', '--auth', 'a:b'], ['--protocol', 'ftp']):
            done = blast(*flags, '127.0.0.1:9')
            self.assertEqual(done.returncode, 64, flags)


class BlastAlone(Case):
    @classmethod
    def setUpClass(cls):
        pass

    def serve(self, reply):
        server = FixedReplies(reply)
        self.addCleanup(server.close)
        return server.port

    def test_nobody_answers(self):
        with socket.create_server(('127.0.0.1', 0)) as unused:
            port = unused.getsockname()[1]
        done = blast(f'127.0.0.1:{port}')
        self.assertEqual(done.returncode, 69, done.stdout)

    def test_temporary_refusals(self):
        turns = iter(range(1_000_000))
        port = self.serve(lambda verb: '451 later' if verb == 'RCPT' and next(turns) % 10 == 0
                          else friendly(verb))
        done = blast('-m', 200, '-s', 1, '-d', '--json', f'127.0.0.1:{port}')
        self.assertEqual(done.returncode, 1)
        summary = json.loads(done.stdout)
        self.assertEqual((summary['accepted'], summary['refused']), (180, 20))
        self.assertEqual(summary['refusals'], {'451': 20})

    def test_a_server_that_closes(self):
        turns = iter(range(1_000_000))
        port = self.serve(lambda verb: None if verb == 'END' and next(turns) == 5
                          else friendly(verb))
        done = blast('-m', 20, '-s', 1, '-d', '--json', f'127.0.0.1:{port}')
        summary = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1)
        self.assertEqual((summary['accepted'], summary['lost']), (19, 1))
        self.assertEqual(summary['losses']['closed'], 1)

    def test_a_stall_shows_at_a_rate(self):
        began = time.monotonic()

        def stalls(verb):
            if verb == 'END' and 0.5 < time.monotonic() - began < 1.0:
                time.sleep(max(0, began + 1.0 - time.monotonic()))
            return friendly(verb)
        port = self.serve(stalls)
        done = blast('--rate', '200/s', '-m', 400, '-s', 2, '-d', '--json', f'127.0.0.1:{port}')
        summary = json.loads(done.stdout)
        self.assertEqual(summary['accepted'], 400)
        took = summary['milliseconds']
        # Half a second of 200/s: a quarter of the messages were due meanwhile, and waited.
        self.assertGreater(took['message']['p90'], 150)
        self.assertLess(took['content']['p90'], 100)
        self.assertGreater(summary['seconds'], 1.9)

    def test_interrupted_it_says_what_it_has(self):
        port = self.serve(friendly)
        process = subprocess.Popen([BLAST, '-m', '0', '--duration', '60s', '-s', '4', '-d', '-c',
                                    '--json', f'127.0.0.1:{port}'], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.assertIn('a second', process.stderr.readline())
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=10)
        summary = json.loads(output)
        self.assertTrue(summary['interrupted'])
        self.assertGreater(summary['accepted'], 0)

    def test_a_duration_ends(self):
        port = self.serve(friendly)
        done = blast('-m', 0, '--duration', '300ms', '--warm-up', '100ms', '-s', 2, '--json',
                     f'127.0.0.1:{port}')
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertLess(json.loads(done.stdout)['seconds'], 2)

    def test_sources_are_used_in_turns(self):
        server = FixedReplies(friendly)
        self.addCleanup(server.close)
        done = blast('-m', 30, '-s', 3, '--source', '127.9.0.1-127.9.0.3',
                     f'127.0.0.1:{server.port}')
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(server.peers, {'127.9.0.1', '127.9.0.2', '127.9.0.3'})


class BlastSmallSegments(Case):
    """The next segment is not always ready: senders wait for it, and are not refused."""
    server_arguments = ('--set', 'store.segment_size="8 MiB"')

    def test_none_is_refused(self):
        host, port = self.server.address('smtp')
        done = blast('-m', 400, '-s', 20, '-d', '--pipelining', '-l', '400k', '--json', '-t', BOB,
                     f'{host}:{port}')
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(json.loads(done.stdout)['accepted'], 400)
