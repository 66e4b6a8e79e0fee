#!/usr/bin/env python3
"""Receiving beside 10,000 logins at once, each with a password that must be hashed: p99 of the
latency of messages without and with them, in rounds.

    bench/login_storm.py [--program build/kurir] [--blast build/kurir-blast] [--rounds 3]
"""

import argparse
import crypt
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'tests/e2e'))
from harness import BOB, Server  # noqa: E402

PASSWORD = 'correct horse'


def write_users(folder, count):
    """A passwd-file for the import and a file for the load; each round wants names of its own, or
    the cache of good logins would answer."""
    hashed = crypt.crypt(PASSWORD, crypt.mksalt(crypt.METHOD_SHA512))
    names = [f'storm{number}@example.test' for number in range(count)]
    (folder / 'passwd').write_text(''.join(f'{name}:{{CRYPT}}{hashed}::::::\n' for name in names))
    return names


def receive(options, server, seconds):
    host, port = server.address('smtp')
    done = subprocess.run(
        [options.blast, '--rate', f'{options.rate}/s', '--duration', f'{seconds}s', '-s', '50',
         '-d', '--json', '-t', BOB, f'{host}:{port}'], capture_output=True, text=True, check=False)
    return json.loads(done.stdout)


def begin_storm(options, server, names):
    users = server.folder / 'storm'
    users.write_text(''.join(f'{name}:{PASSWORD}\n' for name in names))
    host, port = server.address('pop3')
    return subprocess.Popen(
        ['nice', '-n', '19',  # a real one is not of this machine
         options.blast, '--protocol', 'pop3', '--mix', 'login', '--users-file', users, '-s',
         str(len(names)), '-m', str(len(names)), '--timeout', '600s', '--json',
         f'{host}:{port}'], stdout=subprocess.PIPE, text=True)


def latency(summary):
    return summary['milliseconds']['message']['p99']


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--program', default=ROOT / 'build/kurir')
    parser.add_argument('--blast', default=ROOT / 'build/kurir-blast')
    parser.add_argument('--logins', type=int, default=10_000)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--rate', type=int, default=100)
    parser.add_argument('--seconds', type=int, default=10)
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with Server('--set', 'limits.connections_per_address_max=100000', '--set',
                'limits.connections_max=100000', program=options.program) as server:
        names = write_users(server.folder, options.logins * options.rounds)
        server.run('user', 'import', str(server.folder / 'passwd'))
        receive(options, server, 3)  # warm
        idle, stormy = [], []
        for number in range(options.rounds):
            idle.append(latency(receive(options, server, options.seconds)))
            some = names[number * options.logins:(number + 1) * options.logins]
            storm = begin_storm(options, server, some)
            time.sleep(1)  # the connections are made
            stormy.append(latency(receive(options, server, options.seconds)))
            running = storm.poll() is None
            said = storm.communicate(timeout=1200)[0]
            storm_summary = json.loads(said)
            print(json.dumps({'p99_without': idle[-1], 'p99_with': stormy[-1],
                              'logins_went_on': running, 'logins': storm_summary['accepted'],
                              'login_failures': storm_summary['refused']}), flush=True)
        print(json.dumps({'median_without': statistics.median(idle),
                          'median_with': statistics.median(stormy),
                          'ratio': statistics.median(stormy) / statistics.median(idle)}))


if __name__ == '__main__':
    main()
