"""mutt, on a terminal of its own, reads a folder through IMAP and copies it into a Maildir."""

import contextlib
import os
import pty
import select
import signal
import time

from harness import BOB, Case, assert_trace_and, message, new_token

SETTINGS = """
set folder = "imap://127.0.0.1:{port}/"
set imap_user = "{user}"
set imap_pass = "{password}"
set imap_authenticators = "login"
set ssl_starttls = no
set ssl_force_tls = no
set mbox_type = Maildir
set confirmappend = no
set confirmcreate = no
set delete = yes
set quit = yes
set wait_key = no
set move = no
set header_cache = ""
set tmpdir = "{folder}"
"""


def run_on_terminal(command, environment, seconds=30):
    """Runs a full-screen program until it ends; what it drew."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe(command[0], command, environment)
    drawn, end = b'', time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            if not select.select([terminal], [], [], 0.5)[0]:
                continue
            with contextlib.suppress(OSError):  # EIO: the program has ended
                data = os.read(terminal, 65536)
                drawn += data
                if data:
                    continue
            return os.waitpid(child, 0)[1], drawn
        raise AssertionError(f'{command[0]} did not end: {drawn[-2000:]}')
    finally:
        os.close(terminal)
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


class Mutt(Case):
    def mutt(self, mailbox, keys):
        folder = self.temporary_folder()
        settings = SETTINGS.format(user=BOB, password=self.server.password(),
                                   port=self.server.port('imap'), folder=folder)
        (folder / 'muttrc').write_text(settings)
        environment = os.environ | {'HOME': str(folder), 'TERM': 'xterm', 'LC_ALL': 'C.UTF-8',
                                    'LINES': '40', 'COLUMNS': '120'}
        url = f'imap://127.0.0.1:{self.server.port("imap")}/{mailbox}'
        status, drawn = run_on_terminal(
            ['mutt', '-n', '-F', str(folder / 'muttrc'), '-f', url,
             '-e', 'push "' + keys.format(folder=folder) + '"'], environment)
        self.assertEqual(status, 0, drawn[-2000:])
        return folder

    def test_copies_a_folder_into_a_maildir(self):
        sent = [message(new_token(), 1000 * (n + 1)) for n in range(3)]
        for content in sent:
            self.server.send(content)
            self.server.wait_for(content[-40:-2])
        folder = self.mutt('INBOX', '<tag-pattern>~A<enter><tag-prefix><copy-message>'
                                    '{folder}/copy<enter><quit>')
        stored = [path.read_bytes() for path in (folder / 'copy').glob('*/*')]
        self.assertEqual(len(stored), 3)
        for content in sent:
            text = content.replace(b'\r\n', b'\n')
            body = text.split(b'\n\n', 1)[1]
            self.assertEqual(len([copy for copy in stored if copy.endswith(b'\n\n' + body)]), 1)

    def test_deletes_what_it_moved_away(self):
        token = new_token()
        self.server.send(message(token), 'bob+desk@example.test')
        self.server.wait_for(token.encode(), mailbox='desk')
        self.mutt('desk', '<delete-message><quit>')
        self.assertEqual(self.server.messages(mailbox='desk'), [])

    def test_saves_into_another_mailbox_of_the_server(self):
        token = new_token()
        sent = message(token)
        self.server.send(sent, 'bob+from@example.test')
        self.server.wait_for(token.encode(), mailbox='from')
        with self.server.imap() as client:
            client.create('into')
        self.mutt('from', '<save-message>=into<enter><quit>')
        assert_trace_and(sent, self.server.wait_for(token.encode(), mailbox='into'))
        self.assertEqual(self.server.messages(mailbox='from'), [])
