"""An SMTP server that does at each step what a test tells it to: the bad days of next hops. It
records what it was told. Threads and blocking sockets: what it does is what the code says."""

import contextlib
import dataclasses
import socket
import struct
import threading
import time

EXTENSIONS = ('PIPELINING', '8BITMIME', 'SIZE 52428800', 'ENHANCEDSTATUSCODES')
STEPS = ('connect', 'greeting', 'ehlo', 'helo', 'mail', 'rcpt', 'data', 'body', 'content', 'rset',
         'quit', 'other')
IDLE_SECONDS_MAX = 60


@dataclasses.dataclass
class Mail:
    """What a transaction brought; `accepted` tells whether its content was answered with 2yz."""
    session: int
    sender: str
    parameters: str = ''
    recipients: list = dataclasses.field(default_factory=list)  # those answered with 2yz
    content: bytes = b''
    accepted: bool = False
    arrived: float = 0.0


class Closed(Exception):
    """The connection ended, by us or by the peer."""


# What may be done at a step. Each is called with the session.

def say(*lines, pause=0.0):
    """A reply: say('250 ok'), say('550-5.1.1 no', '550 5.1.1 such user'). With `pause`, octet by
    octet."""
    data = ''.join(line + '\r\n' for line in lines).encode()

    def act(session):
        if not pause:
            session.send(data)
        for octet in data if pause else b'':
            session.send(bytes([octet]))
            session.wait(pause)
    act.code = lines[-1][:3]
    return act


def raw(data):
    """Octets that are no reply, or more than one."""
    def act(session):
        session.send(data)
    act.code = data[:3].decode('latin-1')
    return act


def drop(after=b'', reset=False):
    """Closes the connection, with a RST where `reset`."""
    def act(session):
        if after:
            session.send(after)
        session.close(reset)
    act.code = '000'
    return act


def silence():
    """No answer for as long as the peer waits."""
    def act(session):
        session.wait_for_close()
    act.code = '000'
    return act


def endless(line='250-and on', octets=4 << 20):
    """A reply without an end; `octets` bounds it."""
    data = (line + '\r\n').encode() * 100

    def act(session):
        for _ in range(octets // len(data)):
            session.send(data)
        session.close()
    act.code = '000'
    return act


def drop_within(octets):
    """For the step 'body': closes when so many octets of content have come."""
    def act(session):
        session.read_octets(octets)
        session.close()
    act.code = '000'
    return act


def greylist(reply='451 4.7.1 Greylisted, come back later'):
    """For 'rcpt': the first time that a triplet of client, sender and recipient is seen."""
    seen = set()

    def choose(session, argument):
        triplet = (session.peer[0], session.mail.sender, argument)
        if triplet in seen:
            return None
        seen.add(triplet)
        return say(reply)
    return choose


def at_most_recipients(count, reply='452 4.5.3 Too many recipients'):
    """For 'rcpt': the limit of one transaction."""
    def choose(session, _):
        return say(reply) if len(session.mail.recipients) >= count else None
    return choose


def for_recipients(answers):
    """For 'rcpt': {'a@b': say(...)}; the others are accepted."""
    def choose(_, argument):
        return answers.get(address_in(argument))
    return choose


def address_in(argument):
    return argument.partition('<')[2].partition('>')[0]


class NextHop:
    """Listens on `host`:`port`. `behaviour` is {step: what}: an action from above; a list of them,
    one each time the step is reached, the last for ever (None: as a server that works does); or a
    function (session, argument) that gives an action or None."""

    def __init__(self, host, port, behaviour=None, name='mx.remote.test', extensions=EXTENSIONS):
        self.host, self.port, self.name = host, port, name
        self.extensions = extensions
        self.lock = threading.Lock()
        self.commands = []      # (session number, line)
        self.mails = []         # those whose content came, in the order of their dots
        self.connections = 0
        self.open_sessions = set()
        self.listener = None
        self.behave(behaviour or {})

    def behave(self, behaviour):
        """Another table from now on."""
        unknown = set(behaviour) - set(STEPS)
        assert not unknown, f'no such steps: {unknown}'
        with self.lock:
            self.behaviour = {step: list(what) if isinstance(what, list) else what
                              for step, what in behaviour.items()}

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((self.host, self.port))
        self.listener.listen(128)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()
        return self

    def stop(self):
        listener, self.listener = self.listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
            listener.close()
        with self.lock:
            sessions = list(self.open_sessions)
        for session in sessions:
            with contextlib.suppress(Closed, OSError):
                session.socket.shutdown(socket.SHUT_RDWR)

    def accept(self, listener):
        while True:
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                session = Session(self, connection, peer, self.connections)
                self.open_sessions.add(session)
            threading.Thread(target=session.run, daemon=True).start()

    def action(self, step, session, argument):
        """What to do at this step, None for what is usual."""
        with self.lock:
            what = self.behaviour.get(step)
            if isinstance(what, list):
                what = what.pop(0) if len(what) > 1 else what[0]
        if what is not None and not hasattr(what, 'code'):
            what = what(session, argument)
        return what

    def accepted(self):
        with self.lock:
            return [mail for mail in self.mails if mail.accepted]

    def received(self, token):
        """The accepted mails whose content has the token."""
        return [mail for mail in self.accepted() if token.encode() in mail.content]

    def said(self, verb):
        """The lines with that verb, of all sessions."""
        with self.lock:
            return [line for _, line in self.commands if line.upper().startswith(verb.upper())]


class Session:
    def __init__(self, server, connection, peer, number):
        self.server, self.socket, self.peer, self.number = server, connection, peer, number
        self.input = b''
        self.mail = Mail(number, '')
        self.has_sender = False
        self.ended = False
        connection.settimeout(IDLE_SECONDS_MAX)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self):
        try:
            self.step('connect', '', None)
            self.step('greeting', '', say(f'220 {self.server.name} ESMTP'))
            while not self.ended:
                self.command(self.read_line())
        except (Closed, OSError):
            pass
        finally:
            self.socket.close()
            with self.server.lock:
                self.server.open_sessions.discard(self)

    def step(self, name, argument, usual):
        """Does what the table says or what is usual; the code of the reply."""
        action = self.server.action(name, self, argument) or usual
        if action is None:
            return '000'
        action(self)
        return action.code

    def command(self, line):
        with self.server.lock:
            self.server.commands.append((self.number, line))
        verb, _, argument = line.partition(' ')
        handler = {'EHLO': self.ehlo, 'HELO': self.helo, 'MAIL': self.mail_from,
                   'RCPT': self.rcpt_to, 'DATA': self.data, 'QUIT': self.quit,
                   'RSET': self.rset}.get(verb.upper())
        if handler is None:
            self.step('other', line, say('500 5.5.2 What'))
        else:
            handler(argument)

    def ehlo(self, argument):
        lines = [self.server.name, *self.server.extensions]
        self.step('ehlo', argument, say(*[f'250-{line}' for line in lines[:-1]],
                                        f'250 {lines[-1]}'))

    def helo(self, argument):
        self.step('helo', argument, say(f'250 {self.server.name}'))

    def mail_from(self, argument):
        self.mail = Mail(self.number, address_in(argument), argument.partition('>')[2].strip())
        self.has_sender = self.step('mail', argument, say('250 2.1.0 Ok')).startswith('2')

    def rcpt_to(self, argument):
        if not self.has_sender:
            say('503 5.5.1 MAIL first')(self)
        elif self.step('rcpt', argument, say('250 2.1.5 Ok')).startswith('2'):
            self.mail.recipients.append(address_in(argument))

    def data(self, argument):
        usual = say('354 Go on') if self.mail.recipients else say('554 5.5.1 No recipients')
        if not self.step('data', argument, usual).startswith('3'):
            return
        self.step('body', '', None)
        self.mail.content = self.read_content()
        self.mail.arrived = time.time()
        mail, self.mail, self.has_sender = self.mail, Mail(self.number, ''), False
        with self.server.lock:
            self.server.mails.append(mail)
        action = self.server.action('content', self, mail) or say('250 2.0.0 Taken')
        # Before the reply is sent: who has the reply finds the mail counted.
        mail.accepted = action.code.startswith('2')
        action(self)

    def quit(self, argument):
        self.step('quit', argument, say('221 2.0.0 Bye'))
        self.ended = True

    def rset(self, argument):
        self.mail, self.has_sender = Mail(self.number, ''), False
        self.step('rset', argument, say('250 2.0.0 Ok'))

    def send(self, data):
        self.socket.sendall(data)

    def close(self, reset=False):
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        raise Closed

    def wait(self, seconds):
        time.sleep(seconds)

    def wait_for_close(self):
        while self.socket.recv(65536):
            pass
        raise Closed

    def fill(self):
        data = self.socket.recv(65536)
        if not data:
            raise Closed
        self.input += data

    def read_line(self):
        while b'\n' not in self.input:
            self.fill()
        line, self.input = self.input.split(b'\n', 1)
        return line.removesuffix(b'\r').decode('utf-8', 'replace')

    def read_octets(self, octets):
        while len(self.input) < octets:
            self.fill()

    def read_content(self):
        """Up to CRLF.CRLF and no other end, dots undone."""
        self.input = b'\r\n' + self.input  # so that a first line of a dot ends it too
        searched = 0
        while (end := self.input.find(b'\r\n.\r\n', searched)) < 0:
            searched = max(0, len(self.input) - 4)
            self.fill()
        content, self.input = self.input[:end + 2], self.input[end + 5:]
        return content.replace(b'\r\n.', b'\r\n')[2:]
