"""Kurir and those it is compared with, each in a folder of its own, durable, counted as a group."""

import os
import pathlib
import pwd
import re
import shutil
import subprocess
import sys
import tempfile

from . import accounting
from .load import ROOT, listens, wait_until

sys.path.insert(0, str(ROOT / 'tests/e2e'))
import harness  # noqa: E402
import postfix as postfix_of_tests  # noqa: E402

HELD, AWAY = 'held@hold.test', 'away@example.net'
RESTRICTIONS = 'check_recipient_access inline:{{hold.test=HOLD}}, permit_mynetworks, reject'
USERS = 1000


class Sink:
    """smtp-sink, which counts the messages that it took."""

    def __init__(self):
        self.port = postfix_of_tests.free_port()
        self.file = tempfile.TemporaryFile()
        as_user = ['-u', 'postfix'] if os.geteuid() == 0 else []
        self.process = subprocess.Popen(
            ['smtp-sink', *as_user, '-c', f'127.0.0.1:{self.port}', '1024'], stdout=self.file,
            stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def count(self):
        size = os.fstat(self.file.fileno()).st_size
        tail = os.pread(self.file.fileno(), 200, max(0, size - 200)).decode()
        counts = re.findall(r'mesg=(\d+)[^\r\n]*[\r\n]', tail)
        return int(counts[-1]) if counts else 0

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.file.close()


class Kurir:
    """Mail for HELD waits for a host that nobody answers for; for AWAY it goes to the sink."""
    name = 'Kurir'
    share = 1.0  # of a case's messages

    def __init__(self, sink, settings=()):
        self.group = accounting.Group(self.name)
        routes = {'hold.test': postfix_of_tests.free_port(), 'example.net': sink.port}
        self.server = harness.Server(
            *(word for domain, port in routes.items()
              for word in ('--set', f'route."{domain}".to="127.0.0.1:{port}"')),
            '--set', 'default.connection_limit=20',
            *(word for setting in settings for word in ('--set', setting)))

    def start(self):
        with self.group.joined():
            self.server.start()
        self.group.leads(self.server.process.pid)
        for alias, target in (('held', HELD), ('away', AWAY)):
            self.server.run('alias', 'add', f'{alias}@example.test', target)
        self.held, self.away = 'held@example.test', 'away@example.test'
        self.local = harness.BOB
        self.smtp, self.imap, self.pop3 = map(self.server.port, ('smtp', 'imap', 'pop3'))
        self.user, self.password = harness.BOB, self.server.password()
        self.counted = 0

    def is_idle(self):
        return all(entry['domain'] == 'hold.test' for entry in self.server.queue())

    def forget_held(self):
        self.server.run('queue', 'remove', '--everything')

    def delivered(self):
        """Messages in the local user's INBOX."""
        with self.server.imap() as client:
            return int(client.select('INBOX', readonly=True)[1][0])

    def stop(self):
        self.server.remove()
        self.group.remove()


class Postfix:
    name = 'Postfix'
    share = 0.1

    def __init__(self, sink):
        self.group = accounting.Group(self.name)
        self.server = postfix_of_tests.Postfix(sink.port, RESTRICTIONS)
        folder = self.server.folder
        (folder / 'mail').mkdir()
        shutil.chown(folder / 'mail', 'mail', 'mail')
        owner = pwd.getpwnam('mail')
        with open(folder / 'etc/main.cf', 'a') as main:
            main.write('virtual_mailbox_domains = local.test\n'
                       f'virtual_mailbox_base = {folder}/mail\n'
                       f'virtual_mailbox_maps = texthash:{folder}/etc/users\n'
                       'virtual_minimum_uid = 1\nvirtual_mailbox_limit = 0\n'
                       f'virtual_uid_maps = static:{owner.pw_uid}\n'
                       f'virtual_gid_maps = static:{owner.pw_gid}\n'
                       'default_process_limit = 250\n')
        with open(folder / 'etc/master.cf', 'a') as master:
            master.write('virtual unix - n n - - virtual\nlmtp unix - - n - - lmtp\n'
                         'local unix - n n - - local\n')
        (folder / 'etc/users').write_text('u@local.test u/\n')

    def start(self):
        with self.group.joined():
            self.server.start()
        self.group.leads(int((self.server.folder / 'spool/pid/master.pid').read_text()))
        self.smtp = self.server.port
        self.held, self.away, self.local = HELD, AWAY, 'u@local.test'

    def is_idle(self):
        return not any(b'"queue_name": "hold"' not in line
                       for line in self.server.queued().splitlines())

    def forget_held(self):
        subprocess.run(['postsuper', '-c', self.server.folder / 'etc', '-d', 'ALL', 'hold'],
                       check=True, capture_output=True)

    def delivered(self):
        return sum(len(os.listdir(folder))
                   for folder in self.server.folder.glob('mail/u/new') if folder.is_dir())

    def stop(self):
        self.server.stop()
        self.group.remove()


DOVECOT = """
base_dir = {folder}/run
state_dir = {folder}/lib
listen = 127.0.0.1
protocols = imap pop3 lmtp
log_path = {folder}/log
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
auth_username_format = %Ln
mail_location = mdbox:~/mdbox
mail_fsync = always
mail_max_userip_connections = 0
first_valid_uid = 1
default_vsz_limit = 2G
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
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  service_count = 0
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service lmtp {{
  process_min_avail = 8
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
"""


class Dovecot:
    name = 'Dovecot'
    share = 0.1
    user, password, local = 'bob', 'pass', 'bob@example.test'

    def __init__(self, _sink):
        if shutil.which('dovecot') is None:
            raise RuntimeError('dovecot is not installed: tools/setup --compare')
        self.group = accounting.Group(self.name)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='kurir-dovecot-'))
        self.folder.chmod(0o755)
        (self.folder / 'home').mkdir()
        shutil.chown(self.folder / 'home', 'mail', 'mail')
        self.imap, self.pop3, self.lmtp = (postfix_of_tests.free_port() for _ in range(3))
        (self.folder / 'conf').write_text(DOVECOT.format(
            folder=self.folder, imap=self.imap, pop3=self.pop3, lmtp=self.lmtp))

    def start(self):
        with self.group.joined():
            subprocess.run(['dovecot', '-c', self.folder / 'conf'], check=True)
        for port in (self.imap, self.lmtp):
            wait_until(lambda: listens(port), f'port {port} of Dovecot')
        pid_file = self.folder / 'run/master.pid'
        wait_until(pid_file.exists, 'the pid of Dovecot')
        self.group.leads(int(pid_file.read_text()))

    def stop(self):
        subprocess.run(['doveadm', '-c', self.folder / 'conf', 'stop'], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.group.remove()


class Ceiling:
    """bench/ceiling: fixed replies; `durable`: with the group commit."""

    def __init__(self, durable, cpus):
        self.port = postfix_of_tests.free_port()
        self.folder = tempfile.mkdtemp(prefix='kurir-ceiling-')
        self.command = ['taskset', '-c', cpus, ROOT / 'build/bench/ceiling', str(self.port)]
        if durable:
            self.command += ['--durable', f'{self.folder}/data']

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)
        wait_until(lambda: listens(self.port), 'the port of the ceiling')

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)
