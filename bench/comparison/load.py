"""What the servers are loaded with: kurir-blast, and an IMAP and POP3 client that costs little."""

import json
import pathlib
import re
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLAST = ROOT / 'build/kurir-blast'
SECONDS_MAX = 120


class LoadError(RuntimeError):
    pass


def blast(port, recipient, messages, flags, cpus=None):
    """kurir-blast's summary; raises unless all was accepted."""
    pinned = ['taskset', '-c', cpus] if cpus else []
    done = subprocess.run([*pinned, BLAST, '--json', '-m', str(messages), '-t', recipient, *flags,
                           f'127.0.0.1:{port}'], capture_output=True, text=True, check=False,
                          timeout=SECONDS_MAX)
    if done.returncode != 0:
        raise LoadError(f'kurir-blast {flags}: exit {done.returncode}\n'
                        f'{done.stdout[:500]}{done.stderr[:500]}')
    return json.loads(done.stdout)


class ImapClient:
    """Sends commands and reads answers in large pieces, without a look into them."""

    def __init__(self, port, user, password):
        self.socket = socket.create_connection(('127.0.0.1', port), 30)
        self.socket.settimeout(60)
        self.socket.recv(4096)
        self.command(f'LOGIN {user} {password}')

    def command(self, text):
        """The number of octets answered."""
        self.socket.sendall(b'A1 ' + text.encode() + b'\r\n')
        octets, tail = 0, b''
        while not (tail.endswith(b'\r\n') and re.search(rb'(^|\r\n)A1 [A-Z]', tail)):
            piece = self.socket.recv(1 << 20)
            if not piece:
                raise LoadError(f'{text}: the server closed')
            octets += len(piece)
            tail = (tail + piece)[-4096:]
        if not re.search(rb'(^|\r\n)A1 OK', tail):
            raise LoadError(f'{text}: {tail[-200:]!r}')
        return octets

    def close(self):
        self.socket.close()


def pop3_retrieve(port, user, password, messages):
    """RETR of the first messages, one after the other; how many."""
    with socket.create_connection(('127.0.0.1', port), 30) as client:
        file = client.makefile('rb')

        def ask(line):
            client.sendall(line.encode() + b'\r\n')
            answer = file.readline()
            if not answer.startswith(b'+OK'):
                raise LoadError(f'{line}: {answer!r}')

        file.readline()
        ask(f'USER {user}')
        ask(f'PASS {password}')
        for number in range(1, messages + 1):
            ask(f'RETR {number}')
            while file.readline() != b'.\r\n':
                pass
        client.sendall(b'QUIT\r\n')
    return messages


def login_cycle(port, user, password):
    client = ImapClient(port, user, password)
    client.command('SELECT INBOX')
    client.command('LOGOUT')
    client.close()


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(('127.0.0.1', port)) == 0


def wait_until(condition, what):
    end = time.monotonic() + SECONDS_MAX
    while not condition():
        if time.monotonic() > end:
            raise LoadError(f'{what} did not come about in {SECONDS_MAX} s')
        time.sleep(0.02)
