"""kurir-sink: alone under kurir-blast, and as the host that Kurir relays to."""

import imaplib
import json
import pathlib
import poplib
import signal
import smtplib
import subprocess
import tempfile
import unittest

from harness import PROGRAM, Server, wait_until

SINK = PROGRAM.parent / 'kurir-sink'
BLAST = PROGRAM.parent / 'kurir-blast'


class Sink:
    """A running kurir-sink; stop() gives its summary."""

    def __init__(self, *arguments):
        self.folder = tempfile.TemporaryDirectory(prefix='kurir-e2e-')
        file = pathlib.Path(self.folder.name) / 'address'
        self.process = subprocess.Popen(
            [SINK, '127.0.0.1:0', '--json', '--port-file', file, *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            wait_until(lambda: file.exists() and file.read_text().strip(), 10, 'the sink')
        except AssertionError:
            self.process.kill()
            raise
        first, *served = file.read_text().splitlines()
        self.port = int(first.rsplit(':', 1)[1])
        # Of mailboxes that are served: "imap 127.0.0.1:1143".
        self.ports = {name: int(address.rsplit(':', 1)[1])
                      for name, address in (line.split() for line in served)}
        self.status = None

    def stop(self):
        if self.status is None:
            self.process.send_signal(signal.SIGTERM)
        output, errors = self.process.communicate(timeout=20)
        self.status = self.process.returncode
        self.folder.cleanup()
        assert output, errors
        return json.loads(output)


class SinkThatServes(unittest.TestCase):
    """What was taken is in mailboxes, made as mail comes for them."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix='kurir-e2e-')
        self.addCleanup(self.folder.cleanup)

    def start(self, *arguments):
        sink = Sink('--serve-pop3', '127.0.0.1:0', '--serve-imap', '127.0.0.1:0',
                    '--data', pathlib.Path(self.folder.name) / 'data', '--password', 'secret',
                    *arguments)
        self.addCleanup(lambda: sink.process.poll() is None and sink.stop())
        return sink

    def subjects(self, sink, user):
        with imaplib.IMAP4('127.0.0.1', sink.ports['imap']) as client:
            client.login(user, 'secret')
            client.select('INBOX', readonly=True)
            _, fetched = client.fetch('1:*', '(BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
            return [part[1].decode().strip() for part in fetched if isinstance(part, tuple)]

    def send(self, sink, recipients, content, sender='a@b.test'):
        with smtplib.SMTP('127.0.0.1', sink.port) as client:
            return client.sendmail(sender, recipients, content)

    def test_imap_and_pop3_read_it(self):
        sink = self.start()
        content = 'Subject: one\r\n\r\n..dots\r\n.\r\nend\r\n'
        self.send(sink, ['x@one.test', 'y@two.test'], content)
        self.assertEqual(self.subjects(sink, 'x@one.test'), ['Subject: one'])
        client = poplib.POP3('127.0.0.1', sink.ports['pop3'])
        client.user('y@two.test')
        client.pass_('secret')
        lines = [line.decode() for line in client.retr(1)[1]]
        client.quit()
        self.assertEqual(lines[:2], ['Return-Path: <a@b.test>', 'Delivered-To: y@two.test'])
        self.assertTrue('\r\n'.join([*lines, '']).endswith(content))
        self.assertEqual(sink.stop()['messages'], 1)

    def test_a_load_is_all_there(self):
        sink = self.start()
        sent = subprocess.run(
            [BLAST, '--json', '-m', '400', '-s', '20', '-d', '-r', '2', '-t', 'to@load.test',
             f'127.0.0.1:{sink.port}'], capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual(json.loads(sent.stdout)['accepted'], 400)
        users = {f'{number}to@load.test' for number in (1, 2)}
        self.assertEqual([len(self.subjects(sink, user)) for user in users], [400, 400])
        self.assertEqual(sink.stop()['runs'][0]['distinct'], 400)
        self.assertEqual(sink.status, 0)

    def test_what_was_acknowledged_survives_a_kill(self):
        sink = self.start()
        for number in range(20):
            self.send(sink, ['x@one.test'], f'Subject: {number}\r\n\r\ntext\r\n')
        sink.process.kill()
        sink.process.communicate(timeout=20)
        again = self.start()
        self.assertEqual(self.subjects(again, 'x@one.test'),
                         [f'Subject: {number}' for number in range(20)])
        again.stop()

    def test_nobody_can_have_this_name(self):
        sink = self.start()
        with self.assertRaises(smtplib.SMTPRecipientsRefused) as refused:
            self.send(sink, ['"a b"@one.test'], 'Subject: x\r\n\r\n')
        self.assertEqual(list(refused.exception.recipients.values())[0][0], 550)
        self.assertEqual(sink.stop()['messages'], 0)

    def test_flags_that_do_not_go_together(self):
        for flags, named in ((['--serve-imap', '127.0.0.1:0'], '--data'),
                             (['--data', self.folder.name], '--data'),
                             (['--serve-pop3', 'nowhere', '--data', self.folder.name], 'nowhere')):
            done = subprocess.run([SINK, '127.0.0.1:0', *flags], capture_output=True, text=True,
                                  timeout=20, check=False)
            self.assertEqual(done.returncode, 64, (flags, done.stderr))
            self.assertIn(named, done.stderr)


class SinkAlone(unittest.TestCase):
    def start(self, *arguments):
        sink = Sink(*arguments)
        self.addCleanup(lambda: sink.process.poll() is None and sink.stop())
        return sink

    def blast(self, sink, *arguments):
        done = subprocess.run([BLAST, '--json', *map(str, arguments), f'127.0.0.1:{sink.port}'],
                              capture_output=True, text=True, timeout=60, check=False)
        return json.loads(done.stdout)

    def test_each_message_is_there_once(self):
        for flags in ([], ['-d'], ['-d', '--pipelining'], ['-d', '--chunking', '--pipelining'],
                      ['-l', '200k', '-d']):
            sink = self.start('--expect', 500)
            sent = self.blast(sink, '-m', 500, '-s', 20, '-l', '4k', *flags)
            self.assertEqual(sent['accepted'], 500, flags)
            seen = sink.stop()
            self.assertEqual(sink.status, 0)
            self.assertEqual(seen['messages'], 500)
            self.assertEqual(len(seen['runs']), 1)
            run = seen['runs'][0]
            self.assertEqual((run['distinct'], run['lost'], run['duplicated'], run['altered']),
                             (500, 0, 0, 0))
            self.assertEqual(sum(seen['by_second']), 500)

    def test_lmtp(self):
        sink = self.start('--lmtp')
        sent = self.blast(sink, '--lmtp', '-m', 50, '-s', 5, '-d', '-r', 3)
        self.assertEqual((sent['accepted'], sent['recipients']), (50, 150))
        self.assertEqual(sink.stop()['recipients'], 150)

    def test_what_is_lost_is_listed(self):
        sink = self.start('--expect', 60)
        self.blast(sink, '-m', 50, '-d')
        seen = sink.stop()
        self.assertEqual(sink.status, 1)
        self.assertEqual(seen['runs'][0]['lost_numbers'], [[50, 59]])

    def test_the_same_run_twice_is_found(self):
        sink = self.start()
        for _ in range(2):
            self.blast(sink, '-m', 10, '--run-id', 77)
        seen = sink.stop()
        self.assertEqual(sink.status, 1)
        self.assertEqual(seen['runs'][0]['duplicated'], 10)

    def test_rules_and_local_parts(self):
        sink = self.start('--rule', 'END 20% 451 4.3.0 later', '--domain-rule',
                          'refused.test RCPT 550 5.1.1 nobody', '--seed', 3)
        sent = self.blast(sink, '-m', 500, '-s', 5, '-d')
        self.assertEqual(sent['accepted'] + sent['refused'], 500)
        self.assertTrue(50 < sent['refused'] < 150, sent['refused'])
        with smtplib.SMTP('127.0.0.1', sink.port, timeout=10) as client:
            client.ehlo()
            client.mail('a@b.test')
            self.assertEqual(client.rcpt('x@refused.test')[0], 550)
            self.assertEqual(client.rcpt('452-full@x.test')[0], 452)
            self.assertEqual(client.rcpt('x@x.test')[0], 250)
        seen = sink.stop()
        self.assertEqual(seen['replies']['451'], sent['refused'])

    def test_greylisting(self):
        sink = self.start('--greylist')
        with smtplib.SMTP('127.0.0.1', sink.port, timeout=10) as client:
            client.ehlo()
            client.mail('a@b.test')
            self.assertEqual(client.rcpt('x@x.test')[0], 451)
            self.assertEqual(client.rcpt('x@x.test')[0], 250)
            self.assertEqual(client.rcpt('y@x.test')[0], 451)

    def test_disconnects(self):
        sink = self.start('--disconnect-at', 'data')
        with self.assertRaises(smtplib.SMTPServerDisconnected), \
                smtplib.SMTP('127.0.0.1', sink.port, timeout=10) as client:
            client.sendmail('a@b.test', ['x@x.test'], 'hello')
        self.assertEqual(sink.stop()['disconnected'], 1)

    def test_stops_after_so_many(self):
        sink = self.start('--stop-after', 20)
        self.blast(sink, '-m', 20, '-s', 2)
        sink.process.wait(10)
        sink.status = sink.process.returncode
        self.assertEqual(sink.stop()['messages'], 20)

    def test_too_large(self):
        sink = self.start('--message-size-max', '10k')
        sent = self.blast(sink, '-m', 4, '-l', '8k:1,20k:1', '-d')
        self.assertEqual(sent['accepted'] + sent['refusals']['552'], 4)
        self.assertEqual(sink.stop()['messages'], sent['accepted'])

    def test_bad_flags(self):
        for arguments in (['nowhere'], ['127.0.0.1:0', '--rule', 'x'], ['127.0.0.1:0', '--unknown'],
                          ['127.0.0.1:0', '--domain-rule', 'a.test'], []):
            done = subprocess.run([SINK, *arguments], capture_output=True, text=True, timeout=10,
                                  check=False)
            self.assertEqual(done.returncode, 64, arguments)
            self.assertTrue(done.stderr or done.stdout)

    def test_an_address_that_is_taken(self):
        sink = self.start()
        done = subprocess.run([SINK, '192.0.2.1:2525'], capture_output=True, text=True, timeout=10,
                              check=False)
        self.assertEqual(done.returncode, 69)
        self.assertIn('192.0.2.1:2525', done.stderr)
        sink.stop()


class SinkBehindKurir(unittest.TestCase):
    """A difficult host: everything arrives, once."""

    def relay(self, messages, *arguments):
        sink = Sink('--expect', messages, *arguments)
        self.addCleanup(lambda: sink.process.poll() is None and sink.stop())
        server = Server('--set', f'route.".".to="127.0.0.1:{sink.port}"',
                        '--set', 'queue.retry_interval="1s"',
                        '--set', 'queue.max_retry_interval="1s"')
        self.addCleanup(server.remove)
        server.start()
        server.run('alias', 'add', 'out@example.test', 'x@elsewhere.test')
        host, port = server.address('smtp')
        subprocess.run([BLAST, '-m', str(messages), '-s', '10', '-d', '-t', 'out@example.test',
                        f'{host}:{port}'], check=True, capture_output=True, timeout=60)
        wait_until(lambda: not server.queue(), 60, 'an empty queue')
        seen = sink.stop()
        run = seen['runs'][0]
        self.assertEqual((run['distinct'], run['lost'], run['altered']), (messages, 0, 0))
        return seen

    def test_friendly(self):
        self.assertEqual(self.relay(300)['runs'][0]['duplicated'], 0)

    def test_refuses_some_for_a_time(self):
        seen = self.relay(200, '--rule', 'RCPT 20% 451 4.7.1 later', '--rule',
                          'END 10% 452 4.3.1 full', '--rule', 'MAIL 5% 421 4.3.2 busy')
        self.assertGreater(seen['replies']['451'], 0)
        self.assertGreater(seen['replies']['452'], 0)
        self.assertEqual(seen['runs'][0]['duplicated'], 0)

    def test_drops_connections(self):
        seen = self.relay(100, '--rule', 'CONNECT 10% disconnect', '--rule', 'DATA 10% disconnect',
                          '--rule', 'END delay 5ms+-5ms')
        self.assertGreater(seen['disconnected'], 0)
        self.assertEqual(seen['runs'][0]['duplicated'], 0)

    def test_without_pipelining_and_ehlo(self):
        self.assertEqual(self.relay(50, '--no-ehlo')['runs'][0]['duplicated'], 0)
        self.assertEqual(self.relay(50, '--no-pipelining')['runs'][0]['duplicated'], 0)


class SinkInTls(unittest.TestCase):
    """Both load tools over TLS, and a host whose TLS has faults."""

    def start(self, *arguments):
        sink = Sink(*arguments)
        self.addCleanup(sink.process.kill)
        return sink

    def blast(self, sink, *arguments):
        done = subprocess.run(
            [BLAST, '-s', '4', '--timeout', '20s', '--json', *arguments, f'127.0.0.1:{sink.port}'],
            capture_output=True, text=True, timeout=60, check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def test_by_command_and_at_once(self):
        for flag in '--starttls', '--tls':
            sink = self.start(flag, '--expect', '200')
            sent = self.blast(sink, flag, '-m', '200', '-d', '--pipelining')
            self.assertEqual((sent['accepted'], sent['connections']), (200, 4))
            self.assertEqual(sent['milliseconds']['tls']['count'], 4)
            seen = sink.stop()
            self.assertEqual((seen['messages'], seen['handshakes'], seen['clean']), (200, 4, True))

    def test_a_certificate_that_nobody_vouches_for(self):
        sink = self.start('--starttls')
        sent = self.blast(sink, '--starttls', '--tls-verify', '-m', '3')
        self.assertEqual((sent['accepted'], sent['losses']['tls']), (0, 3))
        seen = sink.stop()
        self.assertEqual((seen['messages'], seen['handshakes_failed']), (0, 3))

    def test_a_certificate_of_ours_is_checked(self):
        with tempfile.TemporaryDirectory(prefix='kurir-e2e-') as folder:
            pair = pathlib.Path(folder) / 'pair.pem'
            key = pathlib.Path(folder) / 'key.pem'
            subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                            'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj',
                            '/CN=sink.test', '-addext', 'subjectAltName=DNS:sink.test',
                            '-keyout', key, '-out', pair], check=True, capture_output=True)
            sink = self.start('--tls', '--tls-cert', pair, '--tls-key', key)
            flags = '--tls', '--tls-verify', '--tls-ca', pair, '-m', '2'
            self.assertEqual(self.blast(sink, *flags, '--tls-name', 'sink.test')['accepted'], 2)
            self.assertEqual(self.blast(sink, *flags, '--tls-name', 'other.test')['accepted'], 0)

    def test_faults(self):
        for rule, handshakes in (('HANDSHAKE 421 4.3.2 not now', 0), ('HANDSHAKE disconnect', 0),
                                 ('HANDSHAKE 220 injected', 1), ('STARTTLS 454 4.7.0 later', 0),
                                 ('HANDSHAKE delay 10ms', 1)):
            with self.subTest(rule):
                sink = self.start('--starttls', '--rule', rule)
                sent = self.blast(sink, '--starttls', '-m', '1')
                works = rule.endswith('10ms')
                self.assertEqual(sent['accepted'], 1 if works else 0)
                seen = sink.stop()
                self.assertEqual(seen['handshakes'] + seen['handshakes_failed'], handshakes)
                self.assertEqual(seen['messages'], 1 if works else 0)

    def test_flags_that_do_not_fit(self):
        for flags in (('--tls-verify',), ('--tls', '--starttls')):
            done = subprocess.run([BLAST, *flags, '127.0.0.1:1'], capture_output=True, text=True,
                                  timeout=20, check=False)
            self.assertEqual(done.returncode, 64, flags)
            self.assertIn('--tls', done.stderr)
