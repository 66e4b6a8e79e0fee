"""mbsync: a Maildir beside Kurir's mailboxes, both ways."""

import re

from harness import BOB, Case, assert_trace_and, message, new_token, run

SETTINGS = """
IMAPAccount kurir
Host 127.0.0.1
Port {port}
User {user}
Pass "{password}"
SSLType None
AuthMechs LOGIN

IMAPStore far
Account kurir

MaildirStore near
Path {folder}/mail/
Inbox {folder}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
Sync All
SyncState *
"""


class Mbsync(Case):
    def setUp(self):
        self.folder = self.temporary_folder()
        (self.folder / 'mail').mkdir()
        (self.folder / 'mbsyncrc').write_text(SETTINGS.format(
            port=self.server.port('imap'), user=BOB, password=self.server.password(),
            folder=self.folder))

    def sync(self):
        run(['mbsync', '--config', self.folder / 'mbsyncrc', '--all'])

    def stored(self, mailbox='INBOX'):
        """{path: content} of the Maildir; mbsync adds a field X-TUID of its own."""
        return {path: re.sub(rb'^X-TUID: .*\n', b'', path.read_bytes(), flags=re.M)
                for path in (self.folder / 'mail' / mailbox).glob('[cn]*/*')}

    def path_of(self, token, mailbox='INBOX'):
        return next(p for p, content in self.stored(mailbox).items() if token in content)

    def flags_of(self, token, mailbox='INBOX'):
        with self.server.imap(mailbox=mailbox) as client:
            numbers = client.search(None, 'TEXT', token.decode())[1][0].split()
            assert len(numbers) == 1, numbers
            return client.fetch(numbers[0], '(FLAGS)')[1][0]

    def test_bytes_come_as_they_were_sent(self):
        sent = [message(new_token(), octets) for octets in (300, 5000, 200_000)]
        for content in sent:
            self.server.send(content)
        self.server.send(sent[0], 'bob+post@example.test')
        self.server.wait_for(sent[-1][-40:-2])
        self.server.wait_for(sent[0][-40:-2], mailbox='post')
        self.sync()
        for content in sent:
            text = content.replace(b'\r\n', b'\n')
            found = [stored for stored in self.stored().values() if stored.endswith(text)]
            self.assertEqual(len(found), 1)
            assert_trace_and(text, found[0], b'\n')
        self.assertEqual(len(self.stored('post')), 1)

    def test_flags_and_deletions_go_back(self):
        seen, gone = new_token().encode(), new_token().encode()
        for token in (seen, gone):
            self.server.send(message(token.decode()))
            self.server.wait_for(token)
        self.sync()
        for token, flags in ((seen, 'FS'), (gone, 'ST')):
            path = self.path_of(token)
            path.rename(path.parent.parent / 'cur' / (path.name.split(':')[0] + ':2,' + flags))
        self.sync()
        answer = self.flags_of(seen)
        self.assertIn(b'\\Seen', answer)
        self.assertIn(b'\\Flagged', answer)
        self.assertFalse([c for _, c in self.server.messages() if gone in c])
        with self.server.imap(mailbox='INBOX') as client:
            number = client.search(None, 'TEXT', seen.decode())[1][0]
            client.store(number, '-FLAGS', '(\\Flagged)')
        self.sync()
        self.assertTrue(self.path_of(seen).name.endswith(':2,S'))

    def test_new_files_are_uploaded(self):
        token = new_token()
        self.sync()
        sent = message(token, 3000)
        path = self.folder / 'mail/INBOX/new/1.2.host'
        path.write_bytes(sent.replace(b'\r\n', b'\n'))
        self.sync()
        content = re.sub(rb'^X-TUID: .*\r\n', b'', self.server.wait_for(token.encode()),
                         flags=re.M)
        self.assertEqual(content, sent)
        before = len(self.stored())
        self.sync()
        self.assertEqual(len(self.stored()), before)
