#!/usr/bin/env python3
"""Fills the queue of a fresh server with messages that cannot leave, and prints what they cost:
fill rate, octets a message, summary, list, filters, how the server answers meanwhile, restart.

  bench/queue_million.py [--messages 1000000] [--domains 100] [--set KEY=VALUE ...]

Bounded: ends what it started and removes its folder, whatever happens."""

import argparse
import base64
import contextlib
import json
import multiprocessing
import pathlib
import select
import socket
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tests/e2e'))

from harness import BOB, Server  # noqa: E402

CONTENT = b'Subject: bench\r\nFrom: <bob@example.test>\r\n\r\n' + b'x' * 200 + b'\r\n.\r\n'
CONNECTIONS = 32  # of each filling process
FILLERS = 2
FILL_SECONDS_MAX = 1800


class Filler:
    """One connection that submits message after message, one round trip each."""

    def __init__(self, address, password, numbers, domains):
        self.numbers, self.domains = numbers, domains
        self.socket = socket.create_connection(address)
        login = base64.b64encode(f'\0{BOB}\0{password}'.encode())
        for command in (None, b'EHLO filler\r\n', b'AUTH PLAIN ' + login + b'\r\n'):
            if command:
                self.socket.sendall(command)
            while not self.socket.recv(65536).split(b'\r\n')[-2][3:4] == b' ':
                pass
        self.received = b''
        self.done = 0
        self.socket.sendall(self.group())

    def group(self):
        number = next(self.numbers, None)
        if number is None:
            return b'QUIT\r\n'
        domain = number % self.domains
        return (b'MAIL FROM:<bob@example.test>\r\nRCPT TO:<user%d@d%d.test>\r\nDATA\r\n'
                % (number, domain))

    def ready(self):
        """Answers what came; false when all is sent."""
        octets = self.socket.recv(65536)
        self.received += octets
        if not octets or b'\r\n221 ' in self.received:
            self.done += self.received.count(b'queued as')
            return False
        if b'\r\n354 ' in self.received:
            self.done += self.received.count(b'queued as')
            self.received = b''
            self.socket.sendall(CONTENT + self.group())
        elif b'\r\n4' in self.received or b'\r\n5' in self.received:
            raise RuntimeError(self.received)
        return True


def fill(address, password, begin, end, domains, result):
    numbers = iter(range(begin, end))
    fillers = {}
    poll = select.epoll()
    for _ in range(min(CONNECTIONS, end - begin)):
        filler = Filler(address, password, numbers, domains)
        fillers[filler.socket.fileno()] = filler
        poll.register(filler.socket, select.EPOLLIN)
    done, give_up = 0, time.monotonic() + FILL_SECONDS_MAX
    while fillers and time.monotonic() < give_up:
        for descriptor, _ in poll.poll(1):
            filler = fillers[descriptor]
            if not filler.ready():
                done += filler.done
                poll.unregister(filler.socket)
                filler.socket.close()
                del fillers[descriptor]
    result.put(done)


def fill_all(server, messages, domains):
    address = server.address('submission')
    password = server.password()
    result = multiprocessing.Queue()
    share = messages // FILLERS
    workers = [multiprocessing.Process(target=fill, args=(
        address, password, i * share, messages if i == FILLERS - 1 else (i + 1) * share, domains,
        result)) for i in range(FILLERS)]
    for worker in workers:
        worker.start()
    done = sum(result.get(timeout=FILL_SECONDS_MAX) for _ in workers)
    for worker in workers:
        worker.join()
    return done


def rss(server):
    for line in pathlib.Path(f'/proc/{server.process.pid}/status').read_text().splitlines():
        if line.startswith('VmRSS'):
            return int(line.split()[1]) * 1024
    raise RuntimeError('no VmRSS')


class RoundTrips:
    """NOOP after NOOP on some connections; the times between, in milliseconds."""

    def __init__(self, server, connections=4):
        self.address = server.address('smtp')
        self.times, self.stopping = [], False
        self.threads = [threading.Thread(target=self.run) for _ in range(connections)]

    def run(self):
        with socket.create_connection(self.address) as wire:
            wire.recv(1000)
            while not self.stopping:
                begin = time.perf_counter()
                wire.sendall(b'NOOP\r\n')
                wire.recv(1000)
                self.times.append((time.perf_counter() - begin) * 1000)
                time.sleep(0.001)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        for thread in self.threads:
            thread.join()

    def text(self):
        times = sorted(self.times)
        at = [times[min(len(times) - 1, int(len(times) * share))] for share in (0.5, 0.99, 1)]
        return f'p50 {at[0]:.2f} ms, p99 {at[1]:.2f} ms, max {at[2]:.1f} ms of {len(times)}'


def timed(server, *arguments):
    """Runs kurir; its output goes nowhere, counted in lines."""
    begin = time.perf_counter()
    process = subprocess.Popen([server.program, *arguments, '--data', server.data],
                               stdout=subprocess.PIPE)
    lines = sum(block.count(b'\n') for block in iter(lambda: process.stdout.read(1 << 20), b''))
    if process.wait() != 0:
        raise RuntimeError(arguments)
    return time.perf_counter() - begin, lines


def measure(server, name, *arguments):
    with RoundTrips(server) as trips:
        seconds, lines = timed(server, *arguments)
    print(f'{name:34} {seconds * 1000:9.0f} ms  {lines:8} lines   SMTP meanwhile: {trips.text()}',
          flush=True)


def check_count(server, messages):
    answer = subprocess.run([server.program, 'queue', 'summary', '--json', '--data', server.data],
                            capture_output=True, check=True)
    counted = json.loads(answer.stdout)
    if (counted['messages'], counted['recipients']) != (messages, messages):
        raise RuntimeError(f'{messages} expected: {answer.stdout}')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--messages', type=int, default=1_000_000)
    parser.add_argument('--domains', type=int, default=100)
    parser.add_argument('--set', action='append', default=[])
    options = parser.parse_args()
    settings = [word for one in ['log.events=/dev/null', *options.set] for word in ('--set', one)]
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server('--set', 'smtp.idle_commands_max=1000000', *settings))
        with RoundTrips(server) as trips:
            time.sleep(1)
        print(f'idle: SMTP {trips.text()}; RSS {rss(server) / 1e6:.0f} MB', flush=True)
        before = rss(server)
        begin = time.monotonic()
        done = fill_all(server, options.messages, options.domains)
        seconds = time.monotonic() - begin
        print(f'filled {done} in {seconds:.1f} s, {done / seconds:.0f}/s; '
              f'{(rss(server) - before) / done:.0f} octets of RSS a message', flush=True)
        for name, *arguments in (
                ('queue summary', 'queue', 'summary'),
                ('queue summary --by age', 'queue', 'summary', '--by', 'age'),
                ('queue list --domain (1 %)', 'queue', 'list', '--json', '--domain', 'd7.test'),
                ('queue list --json, all', 'queue', 'list', '--json'),
                ('queue list, all', 'queue', 'list'),
                ('hold --domain --dry-run', 'queue', 'hold', '--domain', 'd7.test', '--dry-run'),
                ('hold --domain', 'queue', 'hold', '--domain', 'd7.test'),
                ('hold --everything', 'queue', 'hold', '--everything'),
                ('release --everything', 'queue', 'release', '--everything')):
            measure(server, name, *arguments)
        check_count(server, done)
        server.stop(120)
        begin = time.monotonic()
        server.start(300)
        print(f'start with {done} queued: {time.monotonic() - begin:.2f} s; '
              f'{(rss(server) - before) / done:.0f} octets of RSS a message', flush=True)
        check_count(server, done)
        measure(server, 'queue summary', 'queue', 'summary')
        measure(server, 'remove --everything', 'queue', 'remove', '--everything')
        check_count(server, 0)


if __name__ == '__main__':
    main()
