"""What the server gives up when it starts (threats K), and how it talks to a service manager."""

import json
import os
import pathlib
import pwd
import re
import signal
import socket
import subprocess
import tempfile
import unittest

from harness import Case, PROGRAM, Server, message, new_token, wait_until

NOBODY = 'nobody'
PASS_ON = """
import os, sys
os.environ['LISTEN_PID'] = str(os.getpid())
os.execv(sys.argv[1], sys.argv[1:])
"""


def status_of_threads(pid):
    """[{field: value}] of /proc/PID/task/*/status."""
    return [dict(line.split(':\t', 1) for line in (task / 'status').read_text().splitlines()
                 if ':\t' in line)
            for task in pathlib.Path(f'/proc/{pid}/task').iterdir()]


class GivenUp(Case):
    def test_every_thread_is_confined(self):
        threads = status_of_threads(self.server.process.pid)
        self.assertGreater(len(threads), 1)
        for status in threads:
            self.assertEqual(status['NoNewPrivs'].strip(), '1')
            self.assertEqual(status['Seccomp'].strip(), '2')

    def test_mail_arrives_all_the_same(self):
        token = new_token()
        self.server.send(message(token))
        self.assertIn(token.encode(), self.server.wait_for(token.encode()))

    def test_no_warning_where_the_kernel_has_it_all(self):
        self.assertNotIn('warning', self.server.log_tail())


@unittest.skipUnless(os.geteuid() == 0, 'only root can become another user')
class Dropped(unittest.TestCase):

    def setUp(self):
        self.server = Server('--set', f'process.user={NOBODY}')
        self.server.folder.chmod(0o755)
        self.addCleanup(self.server.remove)
        self.server.start()

    def test_no_thread_is_root_or_has_a_capability(self):
        user = pwd.getpwnam(NOBODY)
        for status in status_of_threads(self.server.process.pid):
            self.assertEqual(set(status['Uid'].split()), {str(user.pw_uid)})
            self.assertEqual(set(status['Gid'].split()), {str(user.pw_gid)})
            for kind in ('CapEff', 'CapPrm', 'CapInh', 'CapAmb'):
                self.assertEqual(int(status[kind], 16), 0, kind)

    def test_the_data_is_the_users(self):
        token = new_token()
        self.server.send(message(token))
        self.server.wait_for(token.encode())
        user = pwd.getpwnam(NOBODY).pw_uid
        owners = {path.lstat().st_uid for path in self.server.data.rglob('*')}
        self.assertEqual(owners, {user})
        self.server.restart()
        self.server.wait_for(token.encode())

    def test_an_unknown_user_is_said(self):
        done = subprocess.run([PROGRAM, 'serve', '--data', self.server.folder / 'other', '--ports',
                               'free', '--set', 'process.user=no-such-user'],
                              capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 77)
        self.assertIn('no user "no-such-user"', done.stderr)


class Notified(unittest.TestCase):
    """The test is the service manager."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='kurir-e2e-')
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, 'notify')
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.bind(self.path)
        self.manager.settimeout(20)

    def heard(self):
        return self.manager.recv(4096).decode()

    def test_what_a_manager_hears(self):
        old = {name: os.environ.pop(name, None) for name in ('NOTIFY_SOCKET', 'WATCHDOG_USEC')}
        os.environ.update(NOTIFY_SOCKET=self.path, WATCHDOG_USEC='100000')
        try:
            server = Server()
            self.addCleanup(server.remove)
            server.start()
        finally:
            for name, value in old.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value
        self.assertTrue(self.heard().startswith('READY=1\n'))
        for _ in range(3):
            self.assertEqual(self.heard(), 'WATCHDOG=1')
        server.process.send_signal(signal.SIGHUP)
        said = [wait_until(self.not_alive, what='RELOADING'), wait_until(self.not_alive)]
        self.assertRegex(said[0], r'^RELOADING=1\nMONOTONIC_USEC=\d+$')
        self.assertTrue(said[1].startswith('READY=1\n'), said)
        server.process.send_signal(signal.SIGTERM)
        self.assertTrue(wait_until(self.not_alive).startswith('STOPPING=1\n'))

    def not_alive(self):
        said = self.heard()
        return None if said == 'WATCHDOG=1' else said


class Activated(unittest.TestCase):
    """Sockets that somebody else opened: systemd's LISTEN_FDS."""

    def start(self, sockets, names):
        folder = tempfile.mkdtemp(prefix='kurir-e2e-')
        self.addCleanup(subprocess.run, ['rm', '-rf', folder], check=True)

        def place():
            spare = [os.dup(one.fileno()) for one in sockets]
            for at, number in enumerate(spare):
                os.dup2(os.dup(number), 100 + at)
            for at in range(len(sockets)):
                os.dup2(100 + at, 3 + at, inheritable=True)
        environment = dict(os.environ, LISTEN_FDS=str(len(sockets)), LISTEN_FDNAMES=names)
        process = subprocess.Popen(
            ['python3', '-c', PASS_ON, str(PROGRAM), 'serve', '--data', folder + '/data', '--ports',
             'free', '--set', 'dns.servers=["127.0.0.1:9"]'],
            env=environment, preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        return process, pathlib.Path(folder) / 'data/demo.json'

    def test_connections_made_before_the_start_are_served(self):
        sockets = [socket.create_server(('127.0.0.1', 0)) for _ in range(2)]
        clients = [socket.create_connection(one.getsockname(), 20) for one in sockets]
        process, demo = self.start(sockets, 'imap:smtp')
        for one in sockets:
            one.close()
        try:
            self.assertTrue(clients[0].recv(100).startswith(b'* OK'))
            self.assertTrue(clients[1].recv(100).startswith(b'220 '))
            listeners = json.loads(wait_until(
                lambda: demo.exists() and demo.read_text(), what='demo.json'))['listeners']
            self.assertEqual({name for name, at in listeners.items() if at}, {'imap', 'smtp'})
        finally:
            for client in clients:
                client.close()
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(20), 0, process.stderr.read())

    def test_a_socket_that_nothing_is_known_of_is_said(self):
        one = socket.create_server(('127.0.0.1', 0))
        process, _ = self.start([one], 'mystery')
        one.close()
        self.assertEqual(process.wait(20), 73)
        self.assertIn(b'FileDescriptorName=', process.stderr.read())


class Unit(unittest.TestCase):
    def test_it_is_printed(self):
        unit = subprocess.run([PROGRAM, 'unit', '--config', '/etc/kurir/k.toml'], text=True,
                              capture_output=True, check=True).stdout
        self.assertRegex(unit, r'(?m)^ExecStart=/.*kurir\S* serve --config /etc/kurir/k.toml$')
        self.assertIn('Type=notify-reload', unit)
        sockets = subprocess.run([PROGRAM, 'unit', '--sockets'], text=True, capture_output=True,
                                 check=True).stdout
        names = re.findall(r'FileDescriptorName=(\w+)', sockets)
        self.assertEqual(names, ['smtp', 'submission', 'submissions', 'imap', 'imaps', 'pop3',
                                 'pop3s'])
