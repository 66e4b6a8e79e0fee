"""The load: kurir-blast, which raises unless the server did all that was asked."""

import json
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any

from . import encryption
from .tree import BLAST

SECONDS_MAX = 180


class LoadError(RuntimeError):
    pass


def run_blast(port: int, flags: Sequence[str], cpus: str | None = None) -> dict[str, Any]:
    """kurir-blast's summary."""
    pinned = ['taskset', '-c', cpus] if cpus else []
    done = subprocess.run([*pinned, BLAST, '--json', *flags, f'127.0.0.1:{port}'],
                          capture_output=True, text=True, check=False, timeout=SECONDS_MAX)
    if done.returncode != 0:
        raise LoadError(f'kurir-blast {" ".join(flags)}: exit {done.returncode}, '
                        f'{done.stdout[:400]}{done.stderr[:400]}')
    return json.loads(done.stdout)


def send(port: int, recipient: str, messages: int, flags: Sequence[str],
         cpus: str | None = None) -> dict[str, Any]:
    """So many messages by SMTP, or LMTP with its flag."""
    return run_blast(port, ['-m', str(messages), '-t', recipient, *flags,
                            *encryption.load_flags()], cpus)


def wait_until(condition: Callable[[], bool], what: str, seconds: float = SECONDS_MAX) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise LoadError(f'{what} did not come about in {seconds} s')
        time.sleep(0.02)
