"""NSD, an authoritative name server, on a free port, with the zones that a test writes."""

import pathlib
import shutil
import socket
import subprocess
import tempfile

from harness import ROOT, wait_until
from postfix import free_port

PROGRAM = ROOT / 'build-peers/usr/sbin/nsd'
CONFIGURATION = """
server:
  ip-address: 127.0.0.1
  port: {port}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: ""
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
  logfile: "{folder}/log"
  server-count: 1
  hide-version: yes
remote-control:
  control-enable: no
"""
ZONE = 'zone:\n  name: "{name}"\n  zonefile: "{file}"\n'
HEAD = """$ORIGIN {name}.
$TTL 60
@ SOA ns.{name}. hostmaster.{name}. 1 3600 600 86400 60
@ NS ns.{name}.
ns A 127.0.0.1
"""


class NameServer:
    """Serves `zones`: {'remote.test': lines of a zone file behind SOA and NS}. A name in `broken`
    is a zone that cannot be read: SERVFAIL. What is in no zone is REFUSED."""

    def __init__(self, zones, broken=()):
        if not PROGRAM.exists():
            raise RuntimeError(f'{PROGRAM} is not there: tools/setup --tests')
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='kurir-nsd-'))
        self.port = free_port()
        self.process = None
        text = CONFIGURATION.format(folder=self.folder, port=self.port)
        for name, lines in zones.items():
            (self.folder / name).write_text(HEAD.format(name=name) + lines)
            text += ZONE.format(name=name, file=name)
        for name in broken:
            text += ZONE.format(name=name, file='missing')
        (self.folder / 'nsd.conf').write_text(text)

    @property
    def address(self):
        return f'127.0.0.1:{self.port}'

    def start(self):
        self.process = subprocess.Popen([PROGRAM, '-d', '-c', self.folder / 'nsd.conf'],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_until(self.serves, 20, 'the port of NSD')
        return self

    def serves(self):
        if self.process.poll() is not None:
            raise AssertionError(f'NSD ended: {self.log()}')
        with socket.socket() as probe:
            return probe.connect_ex(('127.0.0.1', self.port)) == 0

    def pause(self):
        """No answers until start(), as when the name server is down."""
        process, self.process = self.process, None
        if process is not None:
            process.terminate()
            process.wait(20)

    def stop(self):
        self.pause()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        return (self.folder / 'log').read_text(errors='replace')[-3000:]


def long_text(octets):
    """A TXT record's data of so many octets, in strings of 255."""
    strings = []
    while octets > 0:
        strings.append('"' + 'x' * min(octets, 255) + '"')
        octets -= 255
    return ' '.join(strings)
