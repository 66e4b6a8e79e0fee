"""CPU and memory of a server, with all processes that it ever starts: by a control group of its own
where one can be made, else by its family in /proc."""

import contextlib
import os
import pathlib

TICKS = os.sysconf('SC_CLK_TCK')
# Version 1 has a hierarchy for the purpose; version 2 has one for all.
ROOTS = ((pathlib.Path('/sys/fs/cgroup/cpuacct'), 'cpuacct.usage'),
         (pathlib.Path('/sys/fs/cgroup'), 'cpu.stat'))


def parse_usage(text):
    """Seconds, of cpuacct.usage (nanoseconds) or cpu.stat."""
    words = text.split()
    if len(words) == 1:
        return int(words[0]) / 1e9
    return int(words[words.index('usage_usec') + 1]) / 1e6


def parse_stat(text):
    """Parent and CPU seconds, those of ended children too, of /proc/PID/stat."""
    fields = text.rsplit(')', 1)[1].split()
    return int(fields[1]), sum(int(field) for field in fields[11:15]) / TICKS


def family_of(pid, parents):
    """The process and its descendants, of {pid: parent}."""
    family, grown = {pid}, True
    while grown:
        children = {child for child, parent in parents.items() if parent in family}
        grown = not children <= family
        family |= children
    return family


class Group:
    """What is started within `with group.joined():` belongs to it."""

    def __init__(self, name):
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
    def joined(self):
        """This process is in the group meanwhile; its children stay there."""
        if self.folder is None:
            yield
            return
        (self.folder / 'cgroup.procs').write_text(str(os.getpid()))
        try:
            yield
        finally:
            (self.folder.parent / 'cgroup.procs').write_text(str(os.getpid()))

    def leads(self, pid):
        """The server's first process: what is counted where there is no control group."""
        self.pid = pid

    def cpu(self):
        if self.folder is not None:
            return parse_usage((self.folder / self.file).read_text())
        stats = {}
        for folder in pathlib.Path('/proc').glob('[0-9]*'):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                stats[int(folder.name)] = parse_stat((folder / 'stat').read_text())
        family = family_of(self.pid, {pid: parent for pid, (parent, _) in stats.items()})
        return sum(stats[pid][1] for pid in family)

    def memory(self):
        """Octets: the shares of all pages."""
        pids = [self.pid]
        if self.folder is not None:
            pids = (self.folder / 'cgroup.procs').read_text().split()
        octets = 0
        for pid in pids:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                for line in pathlib.Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines():
                    if line.startswith('Pss:'):
                        octets += int(line.split()[1]) * 1024
        return octets

    def remove(self):
        if self.folder is not None:
            with contextlib.suppress(OSError):
                self.folder.rmdir()
