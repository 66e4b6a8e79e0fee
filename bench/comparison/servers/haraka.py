"""Haraka (npm): accepts and relays; it has no mailboxes. It fsyncs its queue files."""

import pathlib
import shutil
import subprocess
import tempfile

import postfix as postfix_of_tests

from .. import encryption
from ..tree import PEERS
from .postfix import has_files
from .server import Missing, Server

HOME = PEERS / 'haraka/node_modules/Haraka'
FILES = {
    'me': 'mail.example.org\n',
    'plugins': 'relay_to_sink\nrelay\n',
    'smtp.ini': 'listen=127.0.0.1:{port}\nnodes=cpus\n',
    'loglevel': 'WARN\n',
    'relay.ini': '[relay]\nacl=true\n',
    'relay_acl_allow': '127.0.0.0/8\n',
    'outbound.ini': 'disabled={holds}\nenable_tls=false\nconcurrency_max=100\n',
    'databytes': '52428800\n',
}
PLUGIN = """
exports.hook_lookup_rdns = (next) => next(OK, 'localhost')
exports.hook_get_mx = (next) => next(OK, {{ exchange: '127.0.0.1', port: {sink}, priority: 0 }})
"""


class Haraka(Server):
    name = 'Haraka'
    share = 0.05
    durability = 'a queue file a message, fsync'
    pipelines = False  # MAIL behind the dot in one piece is answered with 503

    def __init__(self, sink_port: int, holds: bool = False) -> None:
        if shutil.which('node') is None or not HOME.exists():
            raise Missing('Haraka (npm) is not installed')
        if encryption.wanted:
            raise Missing('it is set up without TLS here')
        super().__init__()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='kurir-haraka-'))
        self.smtp = postfix_of_tests.free_port()
        for name in ('config', 'queue', 'plugins'):
            (self.folder / name).mkdir()
        for name, text in FILES.items():
            (self.folder / 'config' / name).write_text(
                text.format(port=self.smtp, holds=str(holds).lower()))
        shutil.copy(HOME / 'config/connection.ini', self.folder / 'config')
        (self.folder / 'plugins/relay_to_sink.js').write_text(PLUGIN.format(sink=sink_port))

    def start(self) -> None:
        with self.group.joined(), open(self.folder / 'log', 'wb') as log:
            self.process = subprocess.Popen(
                ['node', HOME / 'bin/haraka', '-c', self.folder], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True)
        self.group.leads(self.process.pid)
        self.wait_for_port()

    def is_idle(self) -> bool:
        return not has_files(self.folder / 'queue')

    def forget_held(self) -> None:
        """While it holds it does not look at these files again."""
        for file in (self.folder / 'queue').iterdir():
            if file.is_file():
                file.unlink(missing_ok=True)

    def stop(self) -> None:
        self.group.end()
        self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)
