"""Debian's Postfix on a free port, with all its state in a folder of its own."""

import os
import pathlib
import pwd
import shutil
import socket
import tempfile

from harness import run, wait_until

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = /
myhostname = relay.example.org
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{next_hop}
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
alias_maps =
alias_database =
smtp_destination_concurrency_limit = 20
in_flow_delay = 0
smtpd_recipient_restrictions = {restrictions}
transport_maps = {transport}
"""
MASTER = """
{host}:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
lmtp unix - - n - - lmtp
postlog unix-dgram n - n - 1 postlogd
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def privileged(command):
    return command if os.geteuid() == 0 else ['sudo', '-n', *command]


class Postfix:
    """Postfix with all its state under a folder; needs root or sudo to start. It relays all it
    takes to the port `next_hop`, but for domains in `routes`, which go to their (host, port).
    `settings`: more lines of main.cf."""

    def __init__(self, next_hop, restrictions='permit_mynetworks, reject', host='127.0.0.1',
                 port=None, routes=None, settings=''):
        if shutil.which('postfix') is None:
            raise RuntimeError('postfix is not installed: tools/setup --tests')
        self.host = host
        self.port = port or free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='kurir-postfix-'))
        self.folder.chmod(0o755)
        for name in ('etc', 'spool', 'data'):
            (self.folder / name).mkdir()
        owner = pwd.getpwnam('postfix')
        run(privileged(['chown', f'{owner.pw_uid}', self.folder / 'data']))
        (self.folder / 'etc/main.cf').write_text(MAIN.format(
            folder=self.folder, next_hop=next_hop, restrictions=restrictions,
            transport=self.transport_of(routes or {})) + settings)
        (self.folder / 'etc/master.cf').write_text(MASTER.format(host=host, port=self.port))

    @staticmethod
    def transport_of(routes):
        entries = ', '.join(f'{{ {domain} = relay:[{host}]:{port} }}'
                            for domain, (host, port) in routes.items())
        return f'inline:{{ {entries} }}' if entries else ''

    def start(self):
        run(privileged(['postfix', '-c', self.folder / 'etc', 'start']))
        wait_until(self.listens, 20, 'the port of Postfix')
        return self

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex((self.host, self.port)) == 0

    def stop(self):
        run(privileged(['postfix', '-c', self.folder / 'etc', 'stop']), check=False)
        run(privileged(['rm', '-rf', self.folder]), check=False)

    def queued(self):
        return run(privileged(['postqueue', '-c', self.folder / 'etc', '-j'])).stdout

    def log(self):
        return (self.folder / 'log').read_text(errors='replace')[-3000:]
