"""What every server of the comparison has."""

import contextlib
from collections.abc import Iterator, Sequence

from ..accounting import Group
from ..load import wait_until
from ..tree import listens

HELD, AWAY = 'held@hold.test', 'away@example.net'
USERS = 1000  # u1 … of the local domain


class Missing(RuntimeError):
    """The server is not installed, or cannot run here; says which step would help."""


class Server:
    """Mail to `held` is kept, to `away` it goes to the sink's port, to `local` into one mailbox
    and to `locals_` ("%d") into those of USERS users."""
    name = ''
    share = 1.0  # of a case's messages
    durability = ''
    smtp = 0  # port
    sessions_max = 0  # that the load may open at once; 0: any
    pipelines = True  # takes commands in one piece
    flags: tuple[str, ...] = ()  # that the load needs besides
    held, away = HELD, AWAY
    local, locals_ = 'u1@local.test', 'u%d@local.test'

    def __init__(self) -> None:
        self.group = Group(self.name)

    def flags_of(self, flags: Sequence[str]) -> list[str]:
        """Of a case's load, what this server can take."""
        fit = [*flags, *self.flags]
        if not self.pipelines:
            fit = [flag for flag in fit if flag != '--pipelining']
        if self.sessions_max and '-s' in fit:
            at = fit.index('-s') + 1
            fit[at] = str(min(int(fit[at]), self.sessions_max))
        return fit

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def add_users(self) -> None:
        """Those of `locals_`, where they are not there from the start."""

    def add_readers(self, count: int) -> None:
        """So many of these users can log in, with `password`."""

    def is_idle(self) -> bool:
        """Nothing is on its way any more; what is held does not count."""
        return True

    def forget_held(self) -> None:
        """Between rounds, so that all begin with as much in the queue."""

    def delivered(self) -> int:
        """Messages in the mailbox of `local`."""
        return 0

    def wait_for_port(self) -> None:
        wait_until(lambda: listens(self.smtp), f'the port of {self.name}', 30)


@contextlib.contextmanager
def running(server: Server) -> Iterator[Server]:
    """Started, and stopped whatever happens."""
    try:
        server.start()
        yield server
    finally:
        server.stop()
        server.group.remove()
