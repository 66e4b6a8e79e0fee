"""OpenSMTPD, unpacked and not installed: in a mount namespace where its compiled-in paths lead to
its folder. It acknowledges without a sync (none is seen by strace or perf): it is shown, and is not
as durable as the others. Mail is held while its relaying is paused."""

import pathlib
import shutil
import subprocess
import tempfile

import postfix as postfix_of_tests

from .. import encryption
from ..tree import PEERS
from .postfix import has_files
from .server import Missing, Server

PROGRAM = PEERS / 'usr/sbin/smtpd'
USERS_OF_IT = {'opensmtpd': 60997, 'opensmtpq': 60998}  # exist only in its mount namespace
CONFIGURATION = """
smtp max-message-size "50M"
table anyone {{ "@" = "mail" }}
listen on 127.0.0.1 port {port} hostname mail.example.org
action "onward" relay host "smtp://127.0.0.1:{sink}"
action "local" maildir "{folder}/mail/%{{rcpt.user}}" virtual <anyone>
match from any for domain "local.test" action "local"
match from any for any action "onward"
"""
START = """
set -e
mount --bind {folder}/passwd /etc/passwd
mount --bind {folder}/group /etc/group
mount -t tmpfs tmpfs /var/lib
mkdir -p -m 755 /var/lib/opensmtpd/empty
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/spool
mkdir -m 711 /var/spool/smtpd
mount --bind {folder}/spool /var/spool/smtpd
mount -t tmpfs tmpfs /usr/libexec
cp -r {libexec} /usr/libexec/opensmtpd
exec {program} -d -f {folder}/smtpd.conf {options}
"""


class OpenSMTPD(Server):
    name = 'OpenSMTPD'
    share = 0.01
    durability = 'queue files without fsync, so less than the others; Maildir with fsync'
    sessions_max, pipelines = 4, False  # it listens with a backlog of 5, and has no PIPELINING

    def __init__(self, sink_port: int, holds: bool = False) -> None:
        if not PROGRAM.exists():
            raise Missing('opensmtpd is not unpacked')
        if encryption.wanted:
            raise Missing('it is set up without TLS here')
        super().__init__()
        self.sink_port, self.holds = sink_port, holds
        self.prepare()

    def prepare(self) -> None:
        self.folder = folder = pathlib.Path(tempfile.mkdtemp(prefix='kurir-opensmtpd-'))
        folder.chmod(0o755)
        (folder / 'spool').mkdir(mode=0o711)
        (folder / 'mail').mkdir()
        shutil.chown(folder / 'mail', 'mail', 'mail')
        self.smtp = postfix_of_tests.free_port()
        program = shutil.copy(PROGRAM, folder / 'smtpd')
        (folder / 'smtpd.conf').write_text(
            CONFIGURATION.format(folder=folder, port=self.smtp, sink=self.sink_port))
        for name, line in (('passwd', '{0}:x:{1}:{1}::/var/lib/opensmtpd/empty:/bin/false\n'),
                           ('group', '{0}:x:{1}:\n')):
            (folder / name).write_text(
                pathlib.Path('/etc', name).read_text() +
                ''.join(line.format(*user) for user in USERS_OF_IT.items()))
        (folder / 'start').write_text(START.format(
            folder=folder, program=program, libexec=PEERS / 'usr/libexec/opensmtpd',
            options='-P mta' if self.holds else ''))

    def start(self) -> None:
        with self.group.joined(), open(self.folder / 'log', 'wb') as log:
            self.process = subprocess.Popen(
                ['unshare', '--mount', '--propagation', 'private', 'bash', self.folder / 'start'],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.group.leads(self.process.pid)
        self.wait_for_port()

    def is_idle(self) -> bool:
        return not any(has_files(self.folder / 'spool' / name) for name in ('queue', 'incoming'))

    def forget_held(self) -> None:
        """It knows its queue in memory: begun anew."""
        self.stop()
        self.prepare()
        self.start()

    def delivered(self) -> int:
        return len(list(self.folder.glob('mail/u1/new/*')))

    def stop(self) -> None:
        self.group.end()
        self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)
