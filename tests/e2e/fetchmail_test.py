"""fetchmail takes mail by POP3 and by IMAP and hands it to a program that keeps the bytes."""

import os

from harness import BOB, Case, assert_trace_and, message, new_token, run

SETTINGS = """
set no bouncemail
poll 127.0.0.1 protocol {protocol} port {port} no dns {options}
  user "{user}" password "{password}" sslproto "" {extra} fetchall mda "{folder}/keep"
"""
KEEP = """#!/bin/sh
cat > "$(mktemp {folder}/mail.XXXXXX)"
"""


class Fetchmail(Case):
    def fetch(self, protocol, extra='', options=''):
        """The messages that one run of fetchmail took, in its order."""
        folder = self.temporary_folder()
        keep = folder / 'keep'
        keep.write_text(KEEP.format(folder=folder))
        keep.chmod(0o700)
        settings = folder / 'fetchmailrc'
        settings.touch(0o600)
        settings.write_text(SETTINGS.format(
            protocol=protocol.upper(), port=self.server.port(protocol), user=BOB, folder=folder,
            password=self.server.password(), extra=extra, options=options))
        run(['fetchmail', '--fetchmailrc', settings, '--nodetach', '--nosyslog', '--verbose',
             '--pidfile', folder / 'pid', '--idfile', folder / 'ids'],
            env=os.environ | {'HOME': str(folder), 'FETCHMAILHOME': str(folder)})
        return [path.read_bytes() for path in folder.glob('mail.*')]

    def send(self, octets=2500):
        token = new_token()
        sent = message(token, octets)
        self.server.send(sent)
        self.server.wait_for(token.encode())
        return sent

    def check(self, protocol):
        sent = [self.send(octets) for octets in (400, 2500, 60_000)]
        taken = self.fetch(protocol)
        self.assertEqual(len(taken), 3)
        for content in sent:
            text = content.replace(b'\r\n', b'\n')
            found = [one for one in taken if one.endswith(text)]
            self.assertEqual(len(found), 1)
            assert_trace_and(text, found[0], b'\n')
        self.assertEqual(self.server.messages(), [])

    def test_pop3(self):
        self.check('pop3')

    def test_imap(self):
        self.check('imap')

    def test_keep_leaves_the_mail_there(self):
        for protocol in ('pop3', 'imap'):
            self.send()
            self.assertEqual(len(self.fetch(protocol, 'keep')), len(self.server.messages()))
        self.assertEqual(len(self.fetch('pop3')), 2)
