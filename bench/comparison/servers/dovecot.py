"""Dovecot: LMTP in, IMAP and POP3 out; mdbox, mail_fsync = always. Any user, password "pass"."""

import pathlib
import shutil
import subprocess
import tempfile

import postfix as postfix_of_tests

from .. import encryption
from ..load import wait_until
from ..tree import listens
from .server import Missing, Server

CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/lib
listen = 127.0.0.1
protocols = imap pop3 lmtp
log_path = {folder}/log
{tls}
disable_plaintext_auth = no
auth_mechanisms = plain
auth_username_format = %Ln
mail_location = mdbox:~/mdbox
mail_fsync = always
mail_max_userip_connections = 0
first_valid_uid = 1
default_vsz_limit = 2G
default_process_limit = 4000
default_client_limit = 20000
postmaster_address = postmaster@localhost
passdb {{
  driver = static
  args = password=pass
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={folder}/home/%n allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  prefix =
  separator = /
}}
service imap-login {{
  service_count = 0
  client_limit = 5000
  process_min_avail = 2
  process_limit = 2
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  service_count = 0
  client_limit = 5000
  process_limit = 2
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service imap {{
  process_limit = 3000
}}
service lmtp {{
  process_min_avail = 8
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
"""


def tls() -> str:
    if not encryption.wanted:
        return 'ssl = no'
    certificate, key = encryption.pair()
    return f'ssl = yes\nssl_cert = <{certificate}\nssl_key = <{key}'


class Dovecot(Server):
    name = 'Dovecot'
    share = 0.1
    durability = 'mdbox, mail_fsync = always'
    flags = ('--lmtp',)
    user, password = 'bob', 'pass'
    local, locals_ = 'bob@local.test', 'u%d@local.test'

    def __init__(self, _sink_port: int | None = None) -> None:
        if shutil.which('dovecot') is None:
            raise Missing('dovecot is not installed')
        super().__init__()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='kurir-dovecot-'))
        self.folder.chmod(0o755)
        (self.folder / 'home').mkdir()
        shutil.chown(self.folder / 'home', 'mail', 'mail')
        self.imap, self.pop3, self.smtp = (postfix_of_tests.free_port() for _ in range(3))
        (self.folder / 'conf').write_text(CONFIGURATION.format(
            folder=self.folder, imap=self.imap, pop3=self.pop3, lmtp=self.smtp, tls=tls()))

    def start(self) -> None:
        with self.group.joined():
            subprocess.run(['dovecot', '-c', self.folder / 'conf'], check=True)
        self.wait_for_port()
        wait_until(lambda: listens(self.imap) and listens(self.pop3), 'the ports of Dovecot', 30)
        pid_file = self.folder / 'run/master.pid'
        wait_until(pid_file.exists, 'the pid of Dovecot', 30)
        self.group.leads(int(pid_file.read_text()))

    def stop(self) -> None:
        subprocess.run(['doveadm', '-c', self.folder / 'conf', 'stop'], check=False,
                       capture_output=True)
        self.group.end()
        shutil.rmtree(self.folder, ignore_errors=True)
