"""Kurir under callgrind: the instructions of user space that a load costs."""

import pathlib
import re
import subprocess
import tempfile
from collections.abc import Sequence
from typing import NamedTuple

from . import load
from .servers.kurir import Kurir
from .servers.server import running
from .tree import PROGRAM

# " 1,234 (12.3%)  file:name(arguments) [object]"
FUNCTION = r'^ *([\d,]+) \([^)\n]*\)  [^:\n]*:(.*?)(?: \[[^ ]*\])?$'
YIELDING = PROGRAM.parent / 'bench/libyielding_uring.so'


def collected(text: str) -> int:
    """Of what callgrind says at its end."""
    found = re.search(r'Collected : (\d+)', text)
    if found is None:
        raise RuntimeError(f'callgrind did not count: {text[-500:]}')
    return int(found.group(1))


def wrapped(folder: pathlib.Path) -> pathlib.Path:
    """Kurir under callgrind, as one program; without debug information, which valgrind may not
    understand and does not need."""
    stripped, wrapper = folder / 'stripped', folder / 'kurir'
    subprocess.run(['strip', '--strip-debug', '-o', stripped, PROGRAM], check=True)
    wrapper.write_text('#!/bin/sh\n'
                       f'LD_PRELOAD={YIELDING} exec valgrind --tool=callgrind '
                       f'--log-file={folder}/log --callgrind-out-file={folder}/out '
                       f'{stripped} "$@"\n')
    wrapper.chmod(0o755)
    return wrapper


class Run(NamedTuple):
    total: int
    functions: dict[str, int]


def parse_functions(listing: str) -> dict[str, int]:
    """What callgrind_annotate says, the functions by name without file, arguments and object."""
    functions: dict[str, int] = {}
    for count, name in re.findall(FUNCTION, listing, re.MULTILINE):
        short = name.replace('(anonymous namespace)::', '').split('(')[0]
        functions[short] = functions.get(short, 0) + int(count.replace(',', ''))
    return functions


def run(messages: int, flags: Sequence[str]) -> Run:
    """Accepts so many messages of 4 KiB, and holds them, on one core."""
    with tempfile.TemporaryDirectory(prefix='kurir-instructions-') as path:
        folder = pathlib.Path(path)
        kurir = Kurir(settings=['cores=1'])
        kurir.server.program = wrapped(folder)
        with running(kurir):
            load.send(kurir.smtp, kurir.held, messages, ['-l', '4k', *flags])
        listing = subprocess.run(['callgrind_annotate', '--threshold=100', folder / 'out'],
                                 check=True, capture_output=True, text=True).stdout
        return Run(collected((folder / 'log').read_text()), parse_functions(listing))


def a_message(short: Run, long: Run, messages: int) -> Run:
    """What the messages cost that the long run has more."""
    return Run(round((long.total - short.total) / messages),
               {name: round((count - short.functions.get(name, 0)) / messages)
                for name, count in long.functions.items()})
