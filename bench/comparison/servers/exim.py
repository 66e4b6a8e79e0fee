"""Exim: a process a connection and a delivery; it fsyncs spool files and Maildir files."""

import pathlib
import shutil

import exim as exim_of_tests

from .. import encryption
from .postfix import has_files
from .server import USERS, Missing, Server

# What `control = queue` holds goes out with the next queue run: there is none where it shall stay.
CONFIGURATION = """
primary_hostname = exim.example.org
exim_path = {program}
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/pid
daemon_smtp_ports = {port}
local_interfaces = {host}
disable_ipv6 = true
smtp_accept_max = 20000
smtp_accept_queue_per_connection = 0
smtp_connect_backlog = 1024
split_spool_directory = true
message_size_limit = 50M
host_lookup =
rfc1413_query_timeout = 0s
{tls_in}
keep_environment =
never_users =
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
begin acl
rcpt:
  accept domains = hold.test
         control = queue
  accept hosts = 127.0.0.0/8
begin routers
maildir:
  driver = accept
  domains = local.test
  local_parts = lsearch;{folder}/etc/users
  transport = maildir
onward:
  driver = manualroute
  domains = ! local.test
  route_list = * "<+ 127.0.0.1"
  transport = onward
  self = send
  no_more
begin transports
maildir:
  driver = appendfile
  directory = {folder}/mail/$local_part_data
  maildir_format
  create_directory
  user = mail
  group = mail
onward:
  driver = smtp
  port = {next_hop}
  allow_localhost
  {tls_out}
  hosts_try_dane =
begin retry
* * F,1h,1m
"""


def configuration() -> str:
    """With or without TLS; the rest is filled in by who starts it."""
    inward, outward = 'tls_advertise_hosts =', 'hosts_avoid_tls = *'
    if encryption.wanted:
        certificate, key = encryption.pair()
        inward = (f'tls_advertise_hosts = *\ntls_certificate = {certificate}\n'
                  f'tls_privatekey = {key}')
        outward = 'hosts_require_tls = *'
    return CONFIGURATION.replace('{tls_in}', inward).replace('{tls_out}', outward)


class Exim(Server):
    name = 'Exim'
    share = 0.03
    durability = 'spool files with fsync; Maildir with fsync'

    def __init__(self, sink_port: int, holds: bool = False) -> None:
        if not exim_of_tests.PROGRAM.exists():
            raise Missing('exim is not unpacked')
        super().__init__()
        self.server = exim_of_tests.Exim(sink_port, configuration=configuration(),
                                         options='' if holds else '-q10s')
        self.smtp, self.folder = self.server.port, pathlib.Path(self.server.folder)
        (self.folder / 'mail').mkdir()
        shutil.chown(self.folder / 'mail', 'mail', 'mail')
        (self.folder / 'etc/users').write_text(
            ''.join(f'u{number}: u{number}\n' for number in range(1, USERS + 1)))

    def start(self) -> None:
        with self.group.joined():
            self.server.start()
        self.group.leads(self.server.process.pid)

    def is_idle(self) -> bool:
        return not has_files(self.folder / 'spool/input')

    def forget_held(self) -> None:
        """Exim knows its queue by these files only."""
        for kind in ('input', 'msglog'):
            for file in self.folder.glob(f'spool/{kind}/**/*'):
                if file.is_file():
                    file.unlink()

    def delivered(self) -> int:
        return len(list(self.folder.glob('mail/u1/new/*')))

    def stop(self) -> None:
        self.server.stop()
