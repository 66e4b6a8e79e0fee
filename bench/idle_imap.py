#!/usr/bin/env python3
"""Memory of idle IMAP connections: bench/idle_imap.py [--connections 10000]

Opens connections that log in, select INBOX and IDLE; then says what the server's resident memory
has grown by for each, and what the whole machine's available memory has shrunk by for each (this
process and the kernel's sockets included). At the end every connection must still be alive: a
message is delivered, and each must hear of it."""

import argparse
import asyncio
import pathlib
import re
import resource
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'tests/e2e'))

from harness import BOB, Server, message, new_token  # noqa: E402

AT_ONCE = 64
SECONDS_MAX = 300


async def connect(server, number, gate):
    """One connection in IDLE; source addresses differ, as those of real clients do."""
    async with gate:
        reader, writer = await asyncio.open_connection(
            *server.address('imap'), limit=4096, local_addr=(f'127.0.{number // 250 % 250}.'
                                                             f'{1 + number % 250}', 0))
        await reader.readline()
        password = server.password(BOB)
        for tag, command in (('a', f'LOGIN {BOB} {password}'), ('b', 'SELECT INBOX')):
            writer.write(f'{tag} {command}\r\n'.encode())
            line = b''
            while not line.startswith(tag.encode() + b' '):
                line = await reader.readline()
                if not line:
                    raise ConnectionError(f'closed after {command.split()[0]}')
            if not line.startswith(tag.encode() + b' OK'):
                raise ConnectionError(line.decode())
        writer.write(b'c IDLE\r\n')
        line = await reader.readline()
        if not line.startswith(b'+'):
            raise ConnectionError(line.decode())
        return reader, writer


async def hear(connection):
    while b'EXISTS' not in (line := await connection[0].readline()):
        if not line:
            raise ConnectionError('closed while idle')


def available():
    text = pathlib.Path('/proc/meminfo').read_text()
    return int(re.search(r'MemAvailable:\s+(\d+)', text).group(1)) * 1024


async def measure(server, count):
    server.send(message(new_token()))
    warm = [await connect(server, number, asyncio.Semaphore(1)) for number in range(20)]
    rss, free, began = server.rss(), available(), time.monotonic()
    gate = asyncio.Semaphore(AT_ONCE)
    connections = await asyncio.gather(*(connect(server, number, gate) for number in range(count)))
    seconds = time.monotonic() - began
    await asyncio.sleep(2)  # lets the server's allocator settle; this is a measurement, no test
    grown, gone = server.rss() - rss, free - available()
    print(f'{count} idle connections in {seconds:.1f} s: server {grown / count:.0f} octets each '
          f'(resident {rss >> 20} -> {(rss + grown) >> 20} MiB), '
          f'machine {gone / count:.0f} octets each')
    began = time.monotonic()
    await asyncio.to_thread(server.send, message(new_token()))
    await asyncio.gather(*(hear(connection) for connection in connections))
    print(f'all heard of a delivery after {time.monotonic() - began:.2f} s')
    for _, writer in warm + connections:
        writer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--connections', type=int, default=10_000)
    count = parser.parse_args().connections
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    if count + 200 > limit:
        sys.exit(f'RLIMIT_NOFILE is {limit}: too few for {count} connections')
    with Server() as server:
        asyncio.run(asyncio.wait_for(measure(server, count), SECONDS_MAX))


if __name__ == '__main__':
    main()
