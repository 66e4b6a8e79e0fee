"""Load for the crash tests: senders that remember what was acknowledged to them, and as what."""

import base64
import dataclasses
import hashlib
import random
import re
import socket
import threading
import time

ALICE = 'alice@example.test'
BOB = 'bob@example.test'


@dataclasses.dataclass
class Sent:
    """One message that was answered with 250."""
    token: str
    recipients: list
    queue_id: str
    moment: float = 0.0  # when its 250 was there, by the monotonic clock


def build(token, recipients, octets):
    """A message with its token at head and tail and the hash of its body."""
    line = f'{token} 0123456789 abcdefghijklmnopqrstuvwxyz .\r\n'
    body = line * max(1, octets // len(line)) + f'tail {token}\r\n'
    digest = hashlib.sha256(body.encode()).hexdigest()
    return (f'From: <load@example.org>\r\nTo: {", ".join(recipients)}\r\nX-Token: {token}\r\n'
            f'X-Hash: {digest}\r\nSubject: load\r\n\r\n{body}').encode()


def intact(content):
    """(token, whether head, tail and hash agree) of a stored message; None when it is no load."""
    head, _, body = content.partition(b'\r\n\r\n')
    token = re.search(rb'^X-Token: (\S+)\r?$', head, re.M)
    if token is None:
        return None
    digest = re.search(rb'^X-Hash: (\S+)\r?$', head, re.M)
    good = (digest is not None and hashlib.sha256(body).hexdigest().encode() == digest.group(1)
            and body.endswith(b'tail ' + token.group(1) + b'\r\n'))
    return token.group(1).decode(), good


class Sender(threading.Thread):
    """Sends until the server is gone. `user` and `password` make it an authenticated one, whose
    mail goes elsewhere; without them it sends to local users."""

    def __init__(self, name, address, seed, user=None, password=None):
        super().__init__(name=name, daemon=True)
        self.address, self.user, self.password = address, user, password
        self.chance = random.Random(seed)
        self.acknowledged = []
        self.refused = []

    def run(self):
        count = 0
        try:
            while True:
                with socket.create_connection(self.address, 10) as connection:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self.stream = connection.makefile('rwb')
                    self.greet()
                    for _ in range(self.chance.choice((1, 1, 5, 50))):
                        count += 1
                        self.transaction(f'{self.name}-{count}')
        except (OSError, EOFError):
            return  # the kill

    def reply(self):
        lines = []
        while True:
            line = self.stream.readline()
            if not line.endswith(b'\n'):
                raise EOFError
            lines.append(line.decode())
            if line[3:4] != b'-':
                return int(line[:3]), ''.join(lines)

    def ask(self, command, expected):
        self.stream.write(command + b'\r\n')
        self.stream.flush()
        self.expect(expected)

    def expect(self, expected):
        code, text = self.reply()
        if code != expected:
            self.refused.append(text)
            raise EOFError
        return text

    def greet(self):
        self.expect(220)
        self.ask(b'EHLO load.test', 250)
        if self.user:
            secret = f'\0{self.user}\0{self.password}'.encode()
            self.ask(b'AUTH PLAIN ' + base64.b64encode(secret), 235)

    def recipients(self, token):
        if not self.user:
            return self.chance.choice(([BOB], [ALICE], [ALICE, BOB]))
        elsewhere = [f'{token}-{number}@elsewhere.test'
                     for number in range(self.chance.choice((1, 1, 3)))]
        return elsewhere + self.chance.choice(([], [], [BOB]))

    def transaction(self, token):
        recipients = self.recipients(token)
        octets = self.chance.choice((300, 2000, 2000, 4000, 4000, 9000, 30_000, 300_000))
        commands = [b'MAIL FROM:<%s>' % (self.user or 'load@example.org').encode(),
                    *(b'RCPT TO:<%s>' % name.encode() for name in recipients)]
        if self.chance.random() < 0.5:
            for command in commands:
                self.ask(command, 250)
            self.ask(b'DATA', 354)
        else:
            self.stream.write(b'\r\n'.join([*commands, b'DATA', b'']))
            self.stream.flush()
            for _ in commands:
                self.expect(250)
            self.expect(354)
        self.stream.write(build(token, recipients, octets) + b'.\r\n')
        self.stream.flush()
        text = self.expect(250)
        queue_id = re.search(r'queued as (\S+)', text)
        self.acknowledged.append(Sent(token, recipients, queue_id.group(1) if queue_id else '',
                                      time.monotonic()))
