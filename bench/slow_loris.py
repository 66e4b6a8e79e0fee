#!/usr/bin/env python3
"""What slow clients cost the others: bench/slow_loris.py [--connections 10000]

Measures the latency of kurir-blast's messages at a steady rate against a server with default limits
that trusts nobody; then again while 10,000 connections from 100 networks give it an octet each 20
seconds: a third in a command, a third within DATA, and a third say nothing. Prints both, their
ratio (to reach: at most 2 at p99), and how many of the slow ones were there all the time. Several
rounds, the best of each side: what else runs on the machine only adds."""

import argparse
import json
import multiprocessing
import pathlib
import resource
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tests/e2e'))

from harness import BOB, Server  # noqa: E402

BLAST = ROOT / 'build/kurir-blast'
NETWORKS = 100
OCTETS_EACH = 20.0  # seconds between two octets of a connection
WITHIN_DATA = (b'EHLO slow.test\r\n', b'MAIL FROM:<slow@slow.test>\r\n',
               b'RCPT TO:<%s>\r\n' % BOB.encode(), b'DATA\r\n')


def connect(address, number):
    source = f'127.77.{number % NETWORKS}.{1 + number // NETWORKS % 250}'
    connection = socket.create_connection(address, 30, (source, 0))
    read_reply(connection)
    if number % 3 == 1:
        for line in WITHIN_DATA:
            connection.sendall(line)
            read_reply(connection)
    return connection


def read_reply(connection):
    received = b''
    while not received.endswith(b'\r\n') or received.splitlines()[-1][3:4] == b'-':
        octets = connection.recv(4096)
        if not octets:
            raise ConnectionError(f'closed after {received!r}')
        received += octets


def is_open(connection):
    connection.setblocking(False)
    try:
        connection.recv(1000)  # whatever comes now is a goodbye
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def be_slow(address, count, pipe):
    """The slow ones' process: says when all are there, trickles until it is asked how many are."""
    connections = [connect(address, number) for number in range(count)]
    talking = [one for number, one in enumerate(connections) if number % 3 != 2]
    pipe.send(len(connections))
    at, began, asked = 0, time.monotonic(), False
    while not asked:
        due = int((time.monotonic() - began) * len(talking) / OCTETS_EACH)
        for _ in range(due - at):
            try:
                talking[at % len(talking)].send(b'x')
            except OSError:
                pass  # counted below
            at += 1
        asked = pipe.poll(0.02)
    alive = sum(map(is_open, connections))
    pipe.send(alive)
    pipe.recv()


def blast(server, options):
    host, port = server.address('smtp')
    done = subprocess.run(
        [BLAST, '--json', '-d', '-m', '0', '-s', '20', '--rate', options.rate, '--duration',
         f'{options.seconds}s', '--warm-up', '2s', '-l', '1k', '-t', BOB, f'{host}:{port}'],
        capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f'kurir-blast ended with {done.returncode}: {done.stderr}{done.stdout}')
    return json.loads(done.stdout)


def rounds(server, options, name):
    figures = [blast(server, options)['milliseconds']['message'] for _ in range(options.rounds)]
    best = {key: min(figure[key] for figure in figures) for key in ('p50', 'p99')}
    print(f'{name:24} p50 {best["p50"]:.2f} ms  p99 {best["p99"]:.2f} ms   '
          f'(p99 of each round: {" ".join("%.2f" % figure["p99"] for figure in figures)})',
          flush=True)
    return best


def measure(server, options):
    idle = rounds(server, options, 'idle')
    ours, theirs = multiprocessing.Pipe()
    slow = multiprocessing.Process(target=be_slow,
                                   args=(server.address('smtp'), options.connections, theirs))
    slow.start()
    there = ours.recv()
    beside = rounds(server, options, f'beside {there} slow ones')
    ours.send('count')
    alive = ours.recv()
    ours.send('end')
    slow.join(60)
    ratio = beside['p99'] / idle['p99']
    print(f'ratio of p99: {ratio:.2f}; {alive} of {there} slow connections were there to the end; '
          f'server {server.rss() >> 20} MiB')
    return ratio


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--connections', type=int, default=10_000)
    parser.add_argument('--rate', default='300/s')
    parser.add_argument('--seconds', type=int, default=8)
    parser.add_argument('--rounds', type=int, default=3)
    options = parser.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    if options.connections + 200 > limit:
        sys.exit(f'RLIMIT_NOFILE is {limit}: too few for {options.connections} connections')
    with Server('--set', 'limits.trusted=[]') as server:
        sys.exit(0 if measure(server, options) <= 2 else 1)


if __name__ == '__main__':
    main()
