"""What the end-to-end tests share: the real program in a folder of its own, sockets that speak
lines, messages and their comparison. Standard library only."""

import base64
import contextlib
import imaplib
import json
import os
import pathlib
import poplib
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
import unittest
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get('KURIR_PROGRAM', ROOT / 'build/kurir'))
ALICE = 'alice@example.test'
BOB = 'bob@example.test'
TRACE_FIELDS = ('return-path', 'delivered-to', 'received', 'x-original-to')


def wait_until(condition, seconds=10.0, what='the condition'):
    """Polls until condition() is true and returns its value; raises after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'{what} did not come about in {seconds} s')
        time.sleep(0.005)


class Server:
    """`kurir serve --data DIR --ports free` (the demo). Use as a context or start() and stop()."""

    def __init__(self, *arguments, program=None):
        # Where nothing answers, unless the test says otherwise: no question leaves this machine.
        if not any('dns.servers' in argument for argument in arguments):
            arguments = ('--set', 'dns.servers=["127.0.0.1:9"]', *arguments)
        self.arguments = arguments
        self.program = pathlib.Path(program or PROGRAM).resolve()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='kurir-e2e-'))
        self.data = self.folder / 'data'
        self.process = None
        self.demo = {}

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.remove()

    def start(self, seconds=20.0):
        self.old_file = self.file_identity()
        with open(self.folder / 'log', 'ab') as log:
            self.process = subprocess.Popen(
                [self.program, 'serve', '--data', self.data, '--ports', 'free', *self.arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        wait_until(self.ready, seconds, 'demo.json')
        return self

    def ready(self):
        status = self.process.poll()
        if status is not None:
            raise AssertionError(f'kurir ended with {status} at its start\n{self.log_tail()}')
        if self.file_identity() == self.old_file:
            return False
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            self.demo = json.loads((self.data / 'demo.json').read_text())
            return True
        return False

    def file_identity(self):
        """Tells a new demo.json from the last start's, whose passwords the server keeps."""
        try:
            found = (self.data / 'demo.json').stat()
        except FileNotFoundError:
            return None
        return (found.st_ino, found.st_mtime_ns)

    def stop(self, seconds=20.0):
        """SIGTERM; the exit code must be 0."""
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f'kurir did not stop in {seconds} s\n{self.log_tail()}') from None
        if status != 0:
            raise AssertionError(f'kurir ended with {status}\n{self.log_tail()}')

    def kill(self):
        """SIGKILL: what a crash leaves."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def restart(self):
        self.stop()
        return self.start()

    def remove(self):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def log_tail(self):
        return '\n'.join((self.folder / 'log').read_text(errors='replace').splitlines()[-40:])

    def address(self, listener):
        host, port = self.demo['listeners'][listener].rsplit(':', 1)
        return host.strip('[]'), int(port)

    def port(self, listener):
        return self.address(listener)[1]

    def password(self, name=BOB):
        return next(user['password'] for user in self.demo['users'] if user['name'] == name)

    def run(self, *arguments, check=True):
        """`kurir ARGUMENTS --data DIR`, a command to the running server; its output."""
        done = subprocess.run([self.program, *arguments, '--data', self.data], capture_output=True,
                              text=True, timeout=30, cwd=self.folder, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f'kurir {arguments}: {done.returncode}\n{done.stderr}')
        return done

    def queue(self):
        """What `kurir queue list --json` says: a list of entries."""
        return parse_records(self.run('queue', 'list', '--json', '--limit', '0').stdout)

    def segments(self, stream):
        """Numbers of the segments of 'journal', 'mail' or 'spool' that are not free, by shard."""
        return {shard.name: sorted(int(file.stem.rsplit('-', 1)[1])
                                   for file in shard.glob(f'{stream}-*.seg'))
                for shard in sorted(self.data.glob('shard-*'))}

    def oldest_journal_segments(self):
        """By shard: it moves when a checkpoint frees what is older."""
        return {shard: min(numbers, default=0)
                for shard, numbers in self.segments('journal').items()}

    def rss(self):
        """Resident octets of the server process."""
        status = pathlib.Path(f'/proc/{self.process.pid}/status').read_text()
        return int(re.search(r'VmRSS:\s+(\d+) kB', status).group(1)) * 1024

    def assert_alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f'kurir ended with {self.process.returncode}\n{self.log_tail()}')
        with self.smtp() as client:
            assert client.noop()[0] == 250

    # Clients of the standard library, logged in.

    def smtp(self, listener='smtp', user=None):
        client = smtplib.SMTP(*self.address(listener), local_hostname='client.test', timeout=20)
        if user:
            client.login(user, self.password(user))
        return client

    def imap(self, user=BOB, mailbox=None):
        client = imaplib.IMAP4(*self.address('imap'), timeout=20)
        client.login(user, self.password(user))
        if mailbox:
            expect_ok(client.select(quoted(mailbox)))
        return client

    def pop3(self, user=BOB):
        client = poplib.POP3(*self.address('pop3'), timeout=20)
        client.user(user)
        client.pass_(self.password(user))
        return client

    def wire(self, listener):
        return Wire(self.address(listener))

    # Mail in, mail out.

    def send(self, content, recipient=BOB, sender='sender@example.org', listener='smtp', user=None):
        with self.smtp(listener, user) as client:
            return client.sendmail(sender, [recipient], content)

    def messages(self, user=BOB, mailbox='INBOX'):
        """[(uid, content)] of a mailbox that may not exist yet."""
        with self.imap(user) as client:
            if client.select(quoted(mailbox), readonly=True)[0] != 'OK':
                return []
            answer = client.uid('fetch', '1:*', '(UID BODY.PEEK[])')[1]
        return [(int(re.search(rb'UID (\d+)', part[0]).group(1)), part[1])
                for part in answer if isinstance(part, tuple)]

    def readable(self, user=BOB, mailbox='INBOX'):
        """[(uid, content)] of those that can be read, one by one."""
        contents = []
        with self.imap(user, mailbox) as client:
            for uid in (expect_ok(client.uid('search', 'ALL'))[0] or b'').split():
                parts = client.uid('fetch', uid, '(UID BODY.PEEK[])')[1]
                contents += [(int(uid), part[1]) for part in parts
                             if isinstance(part, tuple) and part[1]]
        return contents

    def wait_for(self, token, user=BOB, mailbox='INBOX', seconds=10.0):
        """The content of the one message that contains `token`; it must arrive exactly once."""
        def found():
            return [content for _, content in self.messages(user, mailbox) if token in content]
        contents = wait_until(found, seconds, f'{token} in {mailbox} of {user}')
        assert len(contents) == 1, f'{token} is there {len(contents)} times'
        return contents[0]


class Case(unittest.TestCase):
    """Tests that share one running server."""
    server_arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.server_arguments)
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()

    def temporary_folder(self):
        folder = tempfile.mkdtemp(prefix='kurir-e2e-')
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        return pathlib.Path(folder)


def run(command, seconds=60, check=True, **options):
    """Runs another program; its output is part of what is raised when it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, timeout=seconds,
                          stdin=options.pop('stdin', subprocess.DEVNULL), check=False, **options)
    if check and done.returncode != 0:
        raise AssertionError(f'{command[0]} ended with {done.returncode}\n'
                             f'{done.stdout.decode("utf-8", "replace")[-4000:]}\n'
                             f'{done.stderr.decode("utf-8", "replace")[-4000:]}')
    return done


def new_token():
    """A word that no other message has."""
    return 'token' + uuid.uuid4().hex


def parse_records(text):
    """JSON as one array, one object with a list in it, or a line an object."""
    text = text.strip()
    if not text:
        return []
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines()]
    if isinstance(whole, list):
        return whole
    lists = [value for value in whole.values() if isinstance(value, list)]
    if 'recipients' not in whole and len(lists) == 1:
        return lists[0]
    return [whole]


def quoted(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def expect_ok(answer):
    status, data = answer
    assert status == 'OK', f'{status} {data}'
    return data


class Wire:
    """A socket that speaks CRLF lines, for what no client library would say."""

    def __init__(self, address, timeout=20.0, source=None):
        self.socket = socket.create_connection(address, timeout, source)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        """False when the peer has closed."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def send_parts(self, parts):
        """Each part reaches the peer before the next one is sent."""
        for part in parts:
            if not self.send(part):
                return False
            time.sleep(0.001)  # lets the peer read; nothing tells us when it has
        return True

    def line(self):
        """The next line without its end; None when the peer has closed."""
        while b'\n' not in self.received:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b''
            if not data:
                rest, self.received = self.received, b''
                return rest or None
            self.received += data
        line, self.received = self.received.split(b'\n', 1)
        return line.removesuffix(b'\r')

    def reply(self):
        """A whole SMTP reply as (code, text); (0, '') when the peer has closed."""
        lines = []
        while True:
            line = self.line()
            if line is None:
                return (0, '')
            lines.append(line[4:].decode('utf-8', 'replace'))
            if line[3:4] != b'-':
                return (int(line[:3]), '\n'.join(lines))

    def ask(self, command):
        """Sends one command line, returns the SMTP reply."""
        self.send(command + b'\r\n')
        return self.reply()

    def rest(self):
        """All replies until the peer closes."""
        replies = []
        while True:
            code, text = self.reply()
            if code == 0:
                return replies
            replies.append((code, text))

    def tagged(self, tag, command=None):
        """IMAP: sends `tag command` where given; lines up to the tagged one, or to the close."""
        if command is not None:
            self.send(tag + b' ' + command + b'\r\n')
        lines = []
        while True:
            line = self.line()
            if line is None:
                return lines
            lines.append(line)
            if line.startswith(tag + b' '):
                return lines


def greeted(server, listener='smtp', user=None):
    """A Wire after EHLO and, where a user is named, AUTH PLAIN."""
    wire = server.wire(listener)
    assert wire.reply()[0] == 220
    assert wire.ask(b'EHLO client.test')[0] == 250
    if user:
        secret = f'\0{user}\0{server.password(user)}'.encode()
        assert wire.ask(b'AUTH PLAIN ' + base64.b64encode(secret))[0] == 235
    return wire


def message(token, octets=400, sender='sender@example.org', recipient=BOB):
    """A message with CRLF line ends that carries `token` at its head and at its tail."""
    head = (f'From: Sender <{sender}>\r\nTo: <{recipient}>\r\nSubject: test {token}\r\n'
            f'Message-ID: <{token}@example.org>\r\nDate: Mon, 02 Feb 2026 10:20:30 +0100\r\n'
            f'X-Token: {token}\r\n\r\n').encode()
    tail = f'end {token}\r\n'.encode()
    lines = []
    length = len(head) + len(tail)
    while length < octets:
        lines.append(f'{len(lines):06d} the quick brown fox jumps over the lazy dog\r\n'.encode())
        length += len(lines[-1])
    return head + b''.join(lines) + tail


def assert_trace_and(original, stored, line_end=b'\r\n'):
    """`stored` is trace fields followed by exactly `original`."""
    assert stored.endswith(original), first_difference(original, stored)
    trace = stored[:len(stored) - len(original)]
    for field in trace.split(line_end)[:-1]:
        if field[:1] in b' \t':
            continue
        name = field.split(b':')[0].decode().lower()
        assert name in TRACE_FIELDS, f'{field} is no trace field'
    assert b'received:' in trace.lower(), 'no Received field'


def first_difference(original, stored):
    start = stored.find(original[:20])
    if start < 0:
        return f'the beginning {original[:20]} is not in what is stored: {stored[:400]}'
    for offset, (want, got) in enumerate(zip(original, stored[start:])):
        if want != got:
            return (f'at {offset}: sent {original[offset - 20:offset + 20]}, '
                    f'stored {stored[start + offset - 20:start + offset + 20]}')
    return f'sent {len(original)} octets, stored {len(stored) - start}'
