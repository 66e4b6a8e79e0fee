"""Programs that people use send and read mail over TLS, with the server's certificate checked: by
STARTTLS and from the first octet on. Told to believe another certificate, each gives up: so it
does speak TLS, and does check."""

import json
import os
import subprocess
import unittest

from harness import ALICE, BOB, ROOT, Case, message, new_token, run
from mutt_test import run_on_terminal

NODE = ROOT / 'build-peers/node'
MSMTP = """
account default
host localhost
port {port}
from {user}
auth on
user {user}
password {password}
tls on
tls_starttls {starttls}
tls_trust_file {certificate}
"""
MUTT = """
set folder = "imap{s}://localhost:{port}/"
set imap_user = "{user}"
set imap_pass = "{password}"
set smtp_url = "smtp{s}://{user}@localhost:{smtp_port}/"
set smtp_pass = "{password}"
# It takes SCRAM-SHA-256-PLUS where that is offered, and cannot bind it to the channel.
set smtp_authenticators = "plain"
set from = "{user}"
set ssl_starttls = yes
set ssl_force_tls = yes
set ssl_ca_certificates_file = "{certificate}"
set certificate_file = "/dev/null"
set mbox_type = Maildir
set confirmappend = no
set confirmcreate = no
set quit = yes
set wait_key = no
set move = no
set copy = no
set header_cache = ""
set tmpdir = "{folder}"
"""
FETCHMAIL = """
set no bouncemail
poll localhost protocol {protocol} port {port} no dns
  user "{user}" password "{password}" {security} sslcertfile "{certificate}" sslcertck
  fetchall keep mda "cat >> {folder}/mail"
"""
MBSYNC = """
IMAPAccount kurir
Host localhost
Port {port}
User {user}
Pass "{password}"
SSLType {kind}
CertificateFile {certificate}
SystemCertificates no

IMAPStore far
Account kurir

MaildirStore near
Path {folder}/mail/
Inbox {folder}/mail/INBOX

Channel all
Far :far:
Near :near:
Patterns INBOX
Create Near
Sync Pull
SyncState *
"""
S_NAIL = """
set v15-compat=yes noheader nosave quiet tls-verify=strict tls-ca-file={certificate}
set tls-ca-no-defaults emptystart errexit
set mta={url} smtp-auth=login from={user} {extra}
"""
NODEMAILER = """
const [settings, message] = JSON.parse(process.argv[1]);
require('nodemailer').createTransport(settings).sendMail(message).then(
  (sent) => console.log(sent.response), (error) => { console.error(error); process.exit(1); });
"""
IMAPFLOW = """
const {ImapFlow} = require('imapflow');
(async () => {
  const client = new ImapFlow({...JSON.parse(process.argv[1]), logger: false});
  await client.connect();
  const lock = await client.getMailboxLock('INBOX');
  for await (const found of client.fetch('1:*', {source: true, flags: true}))
    console.log(found.source.toString());
  await client.append('INBOX', process.argv[2]);
  lock.release();
  await client.logout();
})().catch((error) => { console.error(error); process.exit(1); });
"""




class Clients(Case):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.right = cls.server.demo['certificate']
        cls.wrong = str(cls.server.folder / 'strange.pem')
        run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
             '-nodes', '-days', '30', '-subj', '/CN=localhost', '-addext',
             'subjectAltName=DNS:localhost', '-keyout', cls.wrong + '.key', '-out', cls.wrong])

    def setUp(self):
        self.folder = self.temporary_folder()
        self.home = os.environ | {'HOME': str(self.folder), 'FETCHMAILHOME': str(self.folder),
                                  'LC_ALL': 'C.UTF-8', 'TERM': 'xterm', 'NODE_PATH':
                                  str(NODE / 'node_modules')}

    def file(self, name, text):
        path = self.folder / name
        path.touch(0o600)
        path.write_text(text)
        return path

    def port(self, listener):
        return self.server.port(listener)

    def password(self, user=BOB):
        return self.server.password(user)

    def deliver(self):
        """The token of a new message in Bob's inbox."""
        token = new_token()
        self.server.send(message(token))
        self.server.wait_for(token.encode())
        return token

    def sends(self, send, authenticated=True):
        """`send(token, certificate)` gives a finished program; with the right certificate the
        message is there, by TLS."""
        token = new_token()
        refused = send(token, self.wrong)
        self.assertNotEqual(refused.returncode, 0, refused)
        self.assertFalse([c for _, c in self.server.messages() if token.encode() in c])
        token = new_token()
        done = send(token, self.right)
        self.assertEqual(done.returncode, 0, (done.stdout, done.stderr))
        content = self.server.wait_for(token.encode())
        self.assertIn(b'with ESMTPSA id' if authenticated else b'with ESMTPS id', content)
        self.assertRegex(content, rb'tls [A-Z0-9_]+')

    def reads(self, read):
        """`read(certificate)` gives a finished program and what it read."""
        token = self.deliver()
        refused, got = read(self.wrong)
        self.assertNotEqual(refused.returncode, 0, refused)
        self.assertNotIn(token.encode(), got)
        done, got = read(self.right)
        self.assertEqual(done.returncode, 0, (done.stdout, done.stderr))
        self.assertIn(b'end ' + token.encode(), got)

    # swaks checks nothing unless told, curl everything.

    def test_swaks(self):
        for listener, security, login in (
                ('smtp', '--tls', []), ('submission', '--tls', ['--auth', 'LOGIN']),
                ('submissions', '--tlsc', ['--auth', 'PLAIN'])):
            def send(token, certificate):
                credentials = ['--auth-user', ALICE, '--auth-password', self.password(ALICE)]
                return run(['swaks', '--server', f'localhost:{self.port(listener)}', security,
                            '--tls-verify', '--tls-ca-path', certificate, '--from', ALICE, '--to',
                            BOB, '--body', token, *login, *(credentials if login else [])],
                           check=False)
            self.sends(send, bool(login))

    def curl(self, certificate, *arguments, user=BOB):
        return run(['curl', '-sS', '--cacert', certificate, '-u', f'{user}:{self.password(user)}',
                    *arguments], check=False)

    def test_curl_sends(self):
        for url, extra in ((f'smtps://localhost:{self.port("submissions")}/client.test', []),
                           (f'smtp://localhost:{self.port("submission")}/client.test',
                            ['--ssl-reqd'])):
            def send(token, certificate):
                mail = self.folder / 'mail'
                mail.write_bytes(message(token))
                return self.curl(certificate, '--mail-from', ALICE, '--mail-rcpt', BOB,
                                 '--upload-file', mail, *extra, url, user=ALICE)
            self.sends(send)

    def test_curl_reads(self):
        for scheme, listener, path, extra in (
                ('imaps', 'imaps', 'INBOX/;MAILINDEX=', []),
                ('imap', 'imap', 'INBOX/;MAILINDEX=', ['--ssl-reqd']),
                ('pop3s', 'pop3s', '', []), ('pop3', 'pop3', '', ['--ssl-reqd'])):
            def read(certificate):
                number = len(self.server.messages())
                done = self.curl(certificate, *extra,
                                 f'{scheme}://localhost:{self.port(listener)}/{path}{number}')
                return done, done.stdout
            self.reads(read)

    def test_msmtp(self):
        for listener, starttls in (('submission', 'on'), ('submissions', 'off')):
            def send(token, certificate):
                settings = self.file('msmtprc', MSMTP.format(
                    port=self.port(listener), user=ALICE, password=self.password(ALICE),
                    starttls=starttls, certificate=certificate))
                mail = self.folder / 'mail'
                mail.write_bytes(message(token))
                with open(mail, 'rb') as content:
                    return run(['msmtp', '-C', settings, BOB], stdin=content, check=False)
            self.sends(send)

    def mutt(self, certificate, secure, arguments, **options):
        """mutt on a terminal, or without one where there is something to send."""
        settings = self.file('muttrc', MUTT.format(
            s='s' if secure else '', port=self.port('imaps' if secure else 'imap'), user=BOB,
            smtp_port=self.port('submissions' if secure else 'submission'),
            password=self.password(), certificate=certificate, folder=self.folder))
        command = ['mutt', '-n', '-F', str(settings), *arguments]
        if options:
            return run(command, env=self.home, check=False, **options)
        status, drawn = run_on_terminal(command, self.home | {'LINES': '40', 'COLUMNS': '120'})
        return subprocess.CompletedProcess(command, status, drawn, b'')

    def test_mutt_sends(self):
        for secure in (True, False):
            def send(token, certificate):
                body = self.file('body', token + '\n')
                with open(body, 'rb') as content:
                    return self.mutt(certificate, secure, ['-s', 'hello', BOB], stdin=content)
            self.sends(send)

    def test_mutt_reads(self):
        for secure in (True, False):
            token = self.deliver()
            copy = self.folder / f'copy{secure}'
            # Told another certificate it asks its user, who is not there.
            with self.assertRaises(AssertionError):
                self.mutt_copy(self.wrong, secure, copy, seconds=3)
            self.assertFalse(copy.exists())
            self.mutt_copy(self.right, secure, copy, seconds=30)
            stored = b''.join(path.read_bytes() for path in copy.glob('*/*'))
            self.assertIn(b'end ' + token.encode(), stored)

    def mutt_copy(self, certificate, secure, copy, seconds):
        settings = self.file('muttrc', MUTT.format(
            s='s' if secure else '', port=self.port('imaps' if secure else 'imap'), user=BOB,
            smtp_port=self.port('submissions'), password=self.password(), certificate=certificate,
            folder=self.folder))
        keys = f'<tag-pattern>~A<enter><tag-prefix><copy-message>{copy}<enter><quit>'
        url = (f'imaps://localhost:{self.port("imaps")}/INBOX' if secure
               else f'imap://localhost:{self.port("imap")}/INBOX')
        status, drawn = run_on_terminal(
            ['mutt', '-n', '-F', str(settings), '-f', url, '-e', f'push "{keys}"'],
            self.home | {'LINES': '40', 'COLUMNS': '120'}, seconds)
        self.assertEqual(status, 0, drawn[-2000:])

    def test_mbsync(self):
        for kind, listener in (('IMAPS', 'imaps'), ('STARTTLS', 'imap')):
            def read(certificate):
                folder = self.temporary_folder()
                (folder / 'mail').mkdir()
                settings = folder / 'mbsyncrc'
                settings.write_text(MBSYNC.format(
                    kind=kind, port=self.port(listener), user=BOB, password=self.password(),
                    folder=folder, certificate=certificate))
                done = run(['mbsync', '--config', settings, '--all'], env=self.home, check=False)
                return done, b''.join(path.read_bytes()
                                      for path in (folder / 'mail/INBOX').glob('[cn]*/*'))
            self.reads(read)

    def test_fetchmail(self):
        for protocol, listener, security in (
                ('POP3', 'pop3s', 'ssl'), ('POP3', 'pop3', 'sslproto "tls1.2+"'),
                ('IMAP', 'imaps', 'ssl'), ('IMAP', 'imap', 'sslproto "tls1.2+"')):
            def read(certificate):
                folder = self.temporary_folder()
                settings = self.file('fetchmailrc', FETCHMAIL.format(
                    protocol=protocol, port=self.port(listener), user=BOB, folder=folder,
                    password=self.password(), security=security, certificate=certificate))
                done = run(['fetchmail', '--fetchmailrc', settings, '--nodetach', '--nosyslog',
                            '--pidfile', folder / 'pid', '--idfile', folder / 'ids'],
                           env=self.home, check=False)
                return done, b''.join(path.read_bytes() for path in folder.glob('mail'))
            self.reads(read)

    def s_nail(self, certificate, url, arguments, content):
        login = f'{BOB}:{self.password()}'.replace('@', '%40', 1)
        settings = self.file('mailrc', S_NAIL.format(
            certificate=certificate, user=BOB, url=url.format(login=login),
            extra='smtp-use-starttls' if url.startswith('smtp:') else ''))
        with open(self.file('content', content), 'rb') as stream:
            return run(['s-nail', '-:', 'u', *arguments], stdin=stream, check=False,
                       env=self.home | {'MAILRC': str(settings)})

    def test_s_nail_sends(self):
        for url in (f'smtps://{{login}}@localhost:{self.port("submissions")}',
                    f'smtp://{{login}}@localhost:{self.port("submission")}'):
            self.sends(lambda token, certificate: self.s_nail(
                certificate, url, ['-s', 'hello', BOB], token + '\n'))

    def test_s_nail_reads(self):
        login = f'{BOB}:{self.password()}'.replace('@', '%40', 1)
        for scheme in ('imaps', 'pop3s'):
            def read(certificate):
                done = self.s_nail(certificate, f'smtps://{{login}}@localhost:1',
                                   ['-f', f'{scheme}://{login}@localhost:{self.port(scheme)}'],
                                   'type $\nexit\n')
                return done, done.stdout
            self.reads(read)

    def node(self, script, *arguments):
        if not (NODE / 'packages').exists():
            raise unittest.SkipTest(f'{NODE} is not there: tools/setup --tests')
        return run(['node', '-e', script, *arguments], env=self.home, check=False)

    def node_settings(self, listener, certificate, secure, **more):
        return {'host': 'localhost', 'port': self.port(listener), 'secure': secure,
                'auth': {'user': BOB, 'pass': self.password()},
                'tls': {'ca': open(certificate, encoding='ascii').read()}, **more}

    def test_nodemailer(self):
        for listener, secure in (('submissions', True), ('submission', False)):
            def send(token, certificate):
                settings = self.node_settings(listener, certificate, secure, requireTLS=True)
                return self.node(NODEMAILER, json.dumps(
                    [settings, {'from': BOB, 'to': BOB, 'subject': 'hello', 'text': token}]))
            self.sends(send)

    def test_imapflow(self):
        for listener, secure in (('imaps', True), ('imap', False)):
            token = new_token()

            def read(certificate):
                settings = self.node_settings(listener, certificate, secure, doSTARTTLS=not secure)
                done = self.node(IMAPFLOW, json.dumps(settings), message(token).decode())
                return done, done.stdout
            self.reads(read)
            self.server.wait_for(token.encode())


if __name__ == '__main__':
    unittest.main()
