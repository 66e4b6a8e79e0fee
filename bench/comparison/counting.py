"""System calls and syncs of files that processes make, counted by perf while work is done. Apart
from the runs that are timed: counting costs."""

import contextlib
import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence

SYSCALLS, SYNCS = 'raw_syscalls:sys_enter', 'ext4:ext4_sync_file_enter'


@dataclasses.dataclass
class Counts:
    """None: cannot be counted here."""
    syscalls: int | None = None
    syncs: int | None = None


def parse_counts(text: str) -> Counts:
    """What `perf stat -x,` writes."""
    found = {}
    for line in text.splitlines():
        fields = line.split(',')
        if len(fields) > 2 and fields[0].isdigit():
            found[fields[2]] = int(fields[0])
    return Counts(found.get(SYSCALLS), found.get(SYNCS))


class Counter:
    """perf, attached to the processes and to those that they start; counts between its orders."""

    def __init__(self, pids: Sequence[int]) -> None:
        self.output = tempfile.NamedTemporaryFile(prefix='kurir-counts-')
        theirs, self.orders = os.pipe()
        self.answers, answers = os.pipe()
        events = [word for event in (SYSCALLS, SYNCS) for word in ('-e', event)]
        self.process = subprocess.Popen(
            ['perf', 'stat', '-x,', '-o', self.output.name, *events, '--delay=-1',
             f'--control=fd:{theirs},{answers}', '-p', ','.join(map(str, pids))],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=(theirs, answers))
        os.close(theirs)
        os.close(answers)

    def order(self, word: str) -> bool:
        with contextlib.suppress(BrokenPipeError):
            os.write(self.orders, word.encode() + b'\n')
            return os.read(self.answers, 16).startswith(b'ack')
        return False

    def close(self) -> Counts:
        self.order('disable')
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGINT)
        self.process.wait(20)
        os.close(self.orders)
        os.close(self.answers)
        with self.output:
            return parse_counts(pathlib.Path(self.output.name).read_text())


@contextlib.contextmanager
def counted(pids: Sequence[int]) -> Iterator[Counts]:
    """What it yields is filled in at the end; empty where perf cannot count."""
    counts = Counts()
    if shutil.which('perf') is None:
        yield counts
        return
    counter = Counter(pids)
    counter.order('enable')
    try:
        yield counts
    finally:
        seen = counter.close()
        counts.syscalls, counts.syncs = seen.syscalls, seen.syncs
