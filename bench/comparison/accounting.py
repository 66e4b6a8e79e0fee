"""CPU and memory of a server, with all processes that it ever starts: by a control group of its own
where one can be made, else by its family in /proc."""

import contextlib
import os
import pathlib
import signal
import time
from collections.abc import Iterator

END_SECONDS = 5
TICKS = os.sysconf('SC_CLK_TCK')
# Version 1 has a hierarchy for the purpose; version 2 has one for all.
ROOTS = ((pathlib.Path('/sys/fs/cgroup/cpuacct'), 'cpuacct.usage'),
         (pathlib.Path('/sys/fs/cgroup'), 'cpu.stat'))


def parse_usage(text: str) -> float:
    """Seconds, of cpuacct.usage (nanoseconds) or cpu.stat."""
    words = text.split()
    if len(words) == 1:
        return int(words[0]) / 1e9
    return int(words[words.index('usage_usec') + 1]) / 1e6


def parse_stat(text: str) -> tuple[int, float]:
    """Parent and CPU seconds, those of ended children too, of /proc/PID/stat."""
    fields = text.rsplit(')', 1)[1].split()
    return int(fields[1]), sum(int(field) for field in fields[11:15]) / TICKS


def family_of(pid: int, parents: dict[int, int]) -> set[int]:
    """The process and its descendants, of {pid: parent}."""
    family, grown = {pid}, True
    while grown:
        children = {child for child, parent in parents.items() if parent in family}
        grown = not children <= family
        family |= children
    return family


def stats() -> dict[int, tuple[int, float]]:
    """Of all processes: parent and CPU seconds."""
    found = {}
    for folder in pathlib.Path('/proc').glob('[0-9]*'):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found[int(folder.name)] = parse_stat((folder / 'stat').read_text())
    return found


class Group:
    """What is started within `with group.joined():` belongs to it."""

    def __init__(self, name: str) -> None:
        self.folder = None
        self.pid = None
        for root, file in ROOTS:
            folder = root / f'kurir-compare-{os.getpid()}-{name}'
            with contextlib.suppress(OSError):
                folder.mkdir()
                if (folder / file).exists():
                    self.folder, self.file = folder, file
                    return
                folder.rmdir()

    @contextlib.contextmanager
    def joined(self) -> Iterator[None]:
        """This process is in the group meanwhile; its children stay there."""
        if self.folder is None:
            yield
            return
        (self.folder / 'cgroup.procs').write_text(str(os.getpid()))
        try:
            yield
        finally:
            (self.folder.parent / 'cgroup.procs').write_text(str(os.getpid()))

    def leads(self, pid: int) -> None:
        """The server's first process: what is counted where there is no control group."""
        self.pid = pid

    def cpu(self) -> float:
        """Seconds so far."""
        if self.folder is not None:
            return parse_usage((self.folder / self.file).read_text())
        found = stats()
        family = family_of(self.pid, {pid: parent for pid, (parent, _) in found.items()})
        return sum(found[pid][1] for pid in family if pid in found)

    def pids(self) -> list[int]:
        """Of all its processes that run."""
        if self.folder is not None:
            return [int(pid) for pid in (self.folder / 'cgroup.procs').read_text().split()]
        return sorted(family_of(self.pid, {pid: parent for pid, (parent, _) in stats().items()}))

    def memory(self) -> int:
        """Octets: the shares of all pages."""
        octets = 0
        for pid in self.pids():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                for line in pathlib.Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines():
                    if line.startswith('Pss:'):
                        octets += int(line.split()[1]) * 1024
        return octets

    def end(self) -> None:
        """Ends what still runs of it, by pid."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            for pid in self.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sign)
            deadline = time.monotonic() + END_SECONDS
            while self.pids() and time.monotonic() < deadline:
                time.sleep(0.02)

    def remove(self) -> None:
        if self.folder is not None:
            with contextlib.suppress(OSError):
                self.folder.rmdir()
