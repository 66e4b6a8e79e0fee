"""Kurir beside fixed replies on the same engine: wall rates, the server on one core, the load on
another."""

import contextlib
import os
from collections.abc import Iterator, Sequence

from . import load
from .measured import Measured, Row, in_turns
from .servers.ceiling import Ceiling
from .servers.kurir import Kurir
from .servers.server import Server, running
from .smtp_cases import latency_of

SERVER_CPUS, LOAD_CPUS = '0', '1'


@contextlib.contextmanager
def pinned(cpus: str) -> Iterator[None]:
    """What is started meanwhile runs there only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(',')})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def against_ceiling(name: str, title: str, durable: bool, messages: int, flags: Sequence[str],
                    rounds: int) -> Row:
    settings = () if durable else ('store.durability="none"',)

    def measure(server: Server) -> Measured:
        cpu = server.group.cpu()
        summary = load.send(server.smtp, server.held, messages, flags, LOAD_CPUS)
        cpu = server.group.cpu() - cpu
        server.forget_held()
        return Measured(summary['rate'], cpu / messages * 1e6, latency_of(summary, 'content'))

    with contextlib.ExitStack() as stack:
        with pinned(SERVER_CPUS):
            servers = [stack.enter_context(running(server))
                       for server in (Kurir(settings=settings), Ceiling(durable))]
        row = Row(name, title, [server.name for server in servers], [], of_cpu=False)
        for server in servers:
            measure(server)
        return in_turns(row, [lambda server=server: measure(server) for server in servers], rounds)
