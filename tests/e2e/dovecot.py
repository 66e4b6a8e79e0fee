"""Debian's Dovecot as an LMTP server and an IMAP server, with all its state in a folder of its own.
Any user, password "pass"."""

import pathlib
import shutil
import socket
import subprocess
import tempfile

from harness import wait_until
from postfix import free_port

CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/lib
listen = 127.0.0.1
protocols = lmtp
log_path = {folder}/log
ssl = no
auth_mechanisms = plain
auth_username_format = %Ln
mail_location = maildir:~/mail
first_valid_uid = 1
postmaster_address = postmaster@localhost
lmtp_save_to_detail_mailbox = no
passdb {{
  driver = static
  args = password=pass
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={folder}/home/%n allow_all_users=yes
}}
service lmtp {{
  inet_listener lmtp {{
    port = {port}
  }}
  unix_listener {folder}/lmtp.sock {{
    mode = 0666
  }}
}}
"""


class Dovecot:

    def __init__(self):
        if shutil.which('dovecot') is None:
            raise RuntimeError('dovecot is not installed: tools/setup --tests')
        self.port = free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='kurir-dovecot-'))
        self.folder.chmod(0o755)
        self.socket = self.folder / 'lmtp.sock'
        (self.folder / 'home').mkdir()
        shutil.chown(self.folder / 'home', 'mail', 'mail')
        (self.folder / 'conf').write_text(CONFIGURATION.format(folder=self.folder, port=self.port))

    def start(self):
        # What it starts would keep pipes of ours open.
        subprocess.run(['dovecot', '-c', self.folder / 'conf'], check=True, timeout=30,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        wait_until(self.listens, 20, 'Dovecot')
        return self

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(('127.0.0.1', self.port)) == 0

    def stop(self):
        subprocess.run(['dovecot', '-c', self.folder / 'conf', 'stop'], check=False, timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def received(self, user, token):
        """What lies in the user's mailbox with the token."""
        found = (self.folder / 'home' / user / 'mail').glob('*/*')
        return [content for content in (path.read_bytes() for path in found if path.is_file())
                if f'X-Token: {token}'.encode() in content]
