"""Postfix: the hold queue, an SMTP relay, Maildir. It fsyncs queue files and Maildir files."""

import contextlib
import os
import pathlib
import pwd
import shutil
import subprocess

import postfix as postfix_of_tests

from .. import encryption
from .server import USERS, Missing, Server

RESTRICTIONS = 'check_recipient_access inline:{{hold.test=HOLD}}, permit_mynetworks, reject'
MAIN = """
message_size_limit = 52428800
default_process_limit = 1100
virtual_mailbox_domains = local.test
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = texthash:{folder}/etc/users
virtual_minimum_uid = 1
virtual_mailbox_limit = 0
virtual_uid_maps = static:{owner.pw_uid}
virtual_gid_maps = static:{owner.pw_gid}
"""
TLS = """
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtp_tls_security_level = encrypt
smtp_tls_session_cache_database = btree:$data_directory/smtp_scache
"""
MASTER = 'virtual unix - n n - - virtual\nlmtp unix - - n - - lmtp\nlocal unix - n n - - local\n'


def has_files(folder: pathlib.Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        with os.scandir(folder) as entries:
            return any(has_files(pathlib.Path(entry.path)) if entry.is_dir() else True
                       for entry in entries)
    return False


class Postfix(Server):
    name = 'Postfix'
    share = 0.1
    durability = 'a queue file a message, fsync; Maildir with fsync'

    def __init__(self, sink_port: int) -> None:
        if shutil.which('postfix') is None:
            raise Missing('postfix is not installed')
        super().__init__()
        self.server = postfix_of_tests.Postfix(sink_port, RESTRICTIONS)
        folder = self.server.folder
        (folder / 'mail').mkdir()
        shutil.chown(folder / 'mail', 'mail', 'mail')
        with open(folder / 'etc/main.cf', 'a') as main:
            main.write(MAIN.format(folder=folder, owner=pwd.getpwnam('mail')))
            if encryption.wanted:
                certificate, key = encryption.pair()
                main.write(TLS.format(certificate=certificate, key=key))
        with open(folder / 'etc/master.cf', 'a') as master:
            master.write(MASTER)
        (folder / 'etc/users').write_text(
            ''.join(f'u{number}@local.test u{number}/\n' for number in range(1, USERS + 1)))
        self.smtp = self.server.port

    def start(self) -> None:
        with self.group.joined():
            self.server.start()
        self.group.leads(int((self.server.folder / 'spool/pid/master.pid').read_text()))

    def is_idle(self) -> bool:
        """By its folders: postqueue would be a load of its own."""
        return not any(has_files(self.server.folder / 'spool' / queue)
                       for queue in ('incoming', 'active', 'deferred'))

    def forget_held(self) -> None:
        subprocess.run(['postsuper', '-c', self.server.folder / 'etc', '-d', 'ALL', 'hold'],
                       check=True, capture_output=True)

    def delivered(self) -> int:
        return len(os.listdir(self.server.folder / 'mail/u1/new'))

    def stop(self) -> None:
        self.server.stop()
