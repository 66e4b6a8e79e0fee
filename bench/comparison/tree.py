"""Where things are: the tree, what was built of it, and what the end-to-end tests share."""

import pathlib
import socket
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests/e2e'))

from harness import PROGRAM  # noqa: E402

BLAST = PROGRAM.parent / 'kurir-blast'
CEILING = PROGRAM.parent / 'bench/ceiling'
PEERS = ROOT / 'build-peers'  # packages that are unpacked, not installed: tools/setup --compare


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(('127.0.0.1', port)) == 0
