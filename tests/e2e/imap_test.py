"""Python's imaplib against what the email package says of the same message."""

import calendar
import email
import imaplib
import re
import time

from harness import BOB, Case, assert_trace_and, expect_ok, message, new_token, quoted

MULTIPART = (
    b'From: "Ann Example" <ann@example.org>, second@example.org\r\n'
    b'To: Bob <bob@example.test>\r\nCc: undisclosed: ;\r\n'
    b'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= %s\r\nDate: Tue, 3 Feb 2026 08:00:00 +0000\r\n'
    b'Message-ID: <%s@example.org>\r\nIn-Reply-To: <previous@example.org>\r\n'
    b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="outer"\r\n\r\n'
    b'preamble\r\n--outer\r\nContent-Type: text/plain; charset=utf-8\r\n'
    b'Content-Transfer-Encoding: 8bit\r\n\r\nfirst part \xc3\xa9\r\n'
    b'--outer\r\nContent-Type: message/rfc822\r\n\r\n'
    b'From: inner@example.org\r\nSubject: inner\r\n\r\ninner body\r\n'
    b'--outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n'
    b'--inner\r\nContent-Type: text/plain\r\n\r\nplain\r\n'
    b'--inner\r\nContent-Type: text/html\r\nContent-ID: <part@example.org>\r\n\r\n<p>html\r\n'
    b'--inner--\r\n--outer\r\nContent-Type: application/octet-stream; name="a.bin"\r\n'
    b'Content-Disposition: attachment; filename="a.bin"\r\n'
    b'Content-Transfer-Encoding: base64\r\n\r\nAAECAwQ=\r\n--outer--\r\nepilogue %s\r\n')


class Imap(Case):
    def setUp(self):
        self.token = new_token()
        self.mailbox = 'box-' + self.token
        self.client = self.server.imap()
        self.addCleanup(self.client.shutdown)
        expect_ok(self.client.create(self.mailbox))

    def append(self, content=None, flags='', date='"03-Feb-2026 09:00:00 +0100"', mailbox=None):
        expect_ok(self.client.append(mailbox or self.mailbox, flags, date,
                                     content or message(self.token)))

    def select(self, mailbox=None):
        return int(expect_ok(self.client.select(mailbox or self.mailbox))[0])

    def fetch(self, what, number='1'):
        """The literal of a FETCH that has one."""
        return expect_ok(self.client.fetch(number, what))[0][1]

    def test_append_and_fetch_are_the_same_bytes(self):
        sent = message(self.token, 70_000)
        self.append(sent, '(\\Seen \\Flagged $Work)')
        self.assertEqual(self.select(), 1)
        self.assertEqual(self.fetch('(BODY.PEEK[])'), sent)
        self.assertEqual(self.fetch('(RFC822)'), sent)
        line = expect_ok(self.client.fetch('1', '(FLAGS INTERNALDATE RFC822.SIZE UID)'))[0]
        for word in (rb'\Seen', rb'\Flagged', b'$Work', b'RFC822.SIZE %d' % len(sent)):
            self.assertIn(word.lower(), line.lower())
        self.assertEqual(time.mktime(imaplib.Internaldate2tuple(line)),
                         calendar.timegm((2026, 2, 3, 8, 0, 0)))

    def test_what_smtp_delivers(self):
        sent = MULTIPART % (3 * (self.token.encode(),))
        self.server.send(sent)
        assert_trace_and(sent, self.server.wait_for(self.token.encode()))

    def test_sections_agree_with_the_email_package(self):
        sent = MULTIPART % (3 * (self.token.encode(),))
        self.append(sent)
        self.select()
        parsed = email.message_from_bytes(sent)
        parts = parsed.get_payload()
        head, body = sent.split(b'\r\n\r\n', 1)
        self.assertEqual(self.fetch('(BODY.PEEK[HEADER])'), head + b'\r\n\r\n')
        self.assertEqual(self.fetch('(BODY.PEEK[TEXT])'), body)
        self.assertEqual(self.fetch('(BODY.PEEK[1])').decode(), 'first part \u00e9')
        self.assertEqual(self.fetch('(BODY.PEEK[1.MIME])'),
                         b'Content-Type: text/plain; charset=utf-8\r\n'
                         b'Content-Transfer-Encoding: 8bit\r\n\r\n')
        self.assertEqual(self.fetch('(BODY.PEEK[2.HEADER])'),
                         b'From: inner@example.org\r\nSubject: inner\r\n\r\n')
        self.assertEqual(self.fetch('(BODY.PEEK[2.TEXT])'), b'inner body')
        self.assertEqual(self.fetch('(BODY.PEEK[3.1])').decode(), parts[2].get_payload(0)
                         .get_payload())
        self.assertEqual(self.fetch('(BODY.PEEK[3.2])').decode(), parts[2].get_payload(1)
                         .get_payload())
        self.assertEqual(self.fetch('(BODY.PEEK[4])'), b'AAECAwQ=')
        self.assertEqual(self.fetch('(BODY.PEEK[]<10.25>)'), sent[10:35])
        fields = self.fetch('(BODY.PEEK[HEADER.FIELDS (SUBJECT DATE)])')
        self.assertEqual(email.message_from_bytes(fields).keys(), ['Subject', 'Date'])
        others = self.fetch('(BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT DATE)])')
        self.assertEqual(email.message_from_bytes(others).keys(),
                         [name for name in parsed.keys() if name not in ('Subject', 'Date')])

    def test_envelope_and_structure(self):
        self.append(MULTIPART % (3 * (self.token.encode(),)))
        self.select()
        line = b' '.join(part if isinstance(part, bytes) else b' '.join(part)
                         for part in expect_ok(self.client.fetch('1', '(ENVELOPE)')))
        for piece in (b'"Tue, 3 Feb 2026 08:00:00 +0000"',
                      b'(("Ann Example" NIL "ann" "example.org")'
                      b'(NIL NIL "second" "example.org"))',
                      b'(("Bob" NIL "bob" "example.test"))', b'"<previous@example.org>"',
                      b'"<%s@example.org>"' % self.token.encode()):
            self.assertIn(piece.lower(), line.lower())
        line = expect_ok(self.client.fetch('1', '(BODYSTRUCTURE)'))[0].lower()
        for piece in (b'"text" "plain" ("charset" "utf-8") nil nil "8bit" 13 ',
                      b'"message" "rfc822"', b'"alternative"', b'"text" "html"',
                      b'"<part@example.org>"', b'("attachment" ("filename" "a.bin"))', b'"mixed"'):
            self.assertIn(piece, line)

    def test_search(self):
        self.append(message(self.token + 'a', 400), '(\\Seen)')
        self.append(message(self.token + 'b', 9000), '(\\Flagged)', '"10-Feb-2026 09:00:00 +0000"')
        self.append(MULTIPART % (3 * (self.token.encode(),)), '(\\Deleted $Junk)')
        self.select()
        rows = (('ALL', b'1 2 3'), ('SEEN', b'1'), ('UNSEEN', b'2 3'), ('FLAGGED', b'2'),
                ('KEYWORD $Junk', b'3'), ('UNKEYWORD $Junk', b'1 2'), ('NOT DELETED', b'1 2'),
                ('LARGER 8000', b'2'), ('SMALLER 8000', b'1 3'), ('SINCE 10-Feb-2026', b'2'),
                ('BEFORE 10-Feb-2026', b'1 3'), ('SENTON 3-Feb-2026', b'3'),
                ('FROM "ann"', b'3'), ('SUBJECT "' + self.token + 'b"', b'2'),
                ('BODY "inner body"', b'3'), ('TEXT "lazy dog"', b'1 2'), ('2:*', b'2 3'),
                ('HEADER X-Token ""', b'1 2'), ('OR SEEN FLAGGED', b'1 2'),
                ('NOT (OR SEEN FLAGGED)', b'3'), ('UID 1:*', b'1 2 3'),
                ('CC "nobody"', b''))
        for key, numbers in rows:
            with self.subTest(key):
                self.assertEqual(expect_ok(self.client.search(None, key))[0] or b'', numbers)

    def test_search_ignores_case_and_encoding(self):
        self.append(MULTIPART % (3 * (self.token.encode(),)))
        self.select()
        self.client.literal = 'GRÜSSE'.replace('SS', 'ß').encode()
        self.assertEqual(expect_ok(self.client.search('UTF-8', 'SUBJECT'))[0], b'1')

    def test_flags_are_seen_in_another_session(self):
        self.append()
        self.select()
        other = self.server.imap(mailbox=self.mailbox)
        expect_ok(self.client.store('1', '+FLAGS', '(\\Flagged $Later)'))
        other.noop()
        line = b' '.join(other.response('FETCH')[1])
        self.assertIn(rb'\Flagged', line)
        self.assertIn(b'$Later', line)
        expect_ok(other.store('1', 'FLAGS', '(\\Answered)'))
        self.assertNotIn(rb'\Flagged', expect_ok(self.client.fetch('1', '(FLAGS)'))[-1])
        other.logout()

    def test_expunge_is_seen_in_another_session(self):
        for n in range(3):
            self.append(message(self.token + str(n)))
        self.select()
        other = self.server.imap(mailbox=self.mailbox)
        expect_ok(self.client.store('2', '+FLAGS.SILENT', '(\\Deleted)'))
        self.assertEqual(expect_ok(self.client.expunge()), [b'2'])
        other.noop()
        self.assertEqual(other.response('EXPUNGE')[1], [b'2'])
        self.assertEqual(expect_ok(other.search(None, 'ALL'))[0], b'1 2')
        other.logout()

    def test_uid_expunge_takes_only_what_is_named(self):
        for n in range(3):
            self.append(message(self.token + str(n)))
        self.select()
        expect_ok(self.client.store('1:3', '+FLAGS.SILENT', '(\\Deleted)'))
        uid = expect_ok(self.client.fetch('2', '(UID)'))[0].split()[-1].rstrip(b')').decode()
        expect_ok(self.client.uid('expunge', uid))
        self.assertEqual(expect_ok(self.client.search(None, 'ALL'))[0], b'1 2')

    def test_copy_and_move(self):
        self.append(flags='(\\Seen)')
        self.append(message(self.token + 'second'))
        self.select()
        target = self.mailbox + '/under'
        self.assertEqual(self.client.copy('1', target)[0], 'NO')
        self.assertIn(b'[TRYCREATE]', self.client.copy('1', target)[1][0])
        expect_ok(self.client.create(target))
        expect_ok(self.client.copy('1', target))
        self.assertIsNotNone(self.client.response('COPYUID')[1][0])
        expect_ok(self.client._simple_command('MOVE', '2', target))
        self.assertEqual(expect_ok(self.client.search(None, 'ALL'))[0], b'1')
        self.assertEqual(self.select(target), 2)
        self.assertIn(rb'\Seen', expect_ok(self.client.fetch('1', '(FLAGS)'))[0])
        self.assertIn((self.token + 'second').encode(), self.fetch('(BODY.PEEK[])', '2'))

    def test_mailboxes(self):
        name = self.mailbox + '/a/b'
        expect_ok(self.client.create(name))
        self.assertEqual(self.client.create(name)[0], 'NO')
        self.append(mailbox=name)
        expect_ok(self.client.rename(name, self.mailbox + '/c'))
        listed = b'\n'.join(expect_ok(self.client.list('""', self.mailbox + '/*')))
        self.assertIn(b'/c', listed)
        self.assertNotIn(b'/a/b', listed)
        status = expect_ok(self.client.status(self.mailbox + '/c', '(MESSAGES UIDNEXT UNSEEN)'))
        self.assertRegex(status[0], rb'MESSAGES 1\b')
        self.assertRegex(status[0], rb'UNSEEN 1\b')
        expect_ok(self.client.subscribe(self.mailbox + '/c'))
        self.assertIn(b'/c', b'\n'.join(expect_ok(self.client.lsub('""', self.mailbox + '/*'))))
        expect_ok(self.client.unsubscribe(self.mailbox + '/c'))
        expect_ok(self.client.delete(self.mailbox + '/c'))
        self.assertEqual(self.client.select(self.mailbox + '/c')[0], 'NO')
        self.assertEqual(self.client.delete('INBOX')[0], 'NO')

    def test_special_use_and_namespace(self):
        listed = b'\n'.join(expect_ok(self.client.list('""', '"*"')))
        self.assertRegex(listed, rb'(?i)inbox')
        self.assertIn(b'(("" "/"))', expect_ok(self.client.namespace())[0])
        for word in ('IMAP4REV1', 'IMAP4REV2', 'IDLE', 'UIDPLUS', 'MOVE', 'LITERAL+', 'SASL-IR',
                     'ESEARCH', 'SPECIAL-USE', 'ID', 'CHILDREN', 'NAMESPACE', 'UNSELECT', 'ENABLE'):
            self.assertIn(word, ' '.join(expect_ok(self.client.capability())[0].decode().upper()
                                         .split()).split())

    def test_examine_changes_nothing(self):
        self.append()
        expect_ok(self.client.select(self.mailbox, readonly=True))
        self.fetch('(BODY[])')
        self.assertNotIn(rb'\Seen', expect_ok(self.client.fetch('1', '(FLAGS)'))[0])
        self.client._simple_command('STORE', '1', '+FLAGS', '(\\Seen)')  # may say NO or OK
        self.assertNotIn(rb'\Seen', expect_ok(self.client.fetch('1', '(FLAGS)'))[0])
        self.select()
        self.fetch('(BODY[])')
        self.assertIn(rb'\Seen', expect_ok(self.client.fetch('1', '(FLAGS)'))[0])

    def test_names_beyond_ascii(self):
        name = quoted('Entw&APw-rfe ' + self.token)
        expect_ok(self.client.create(name))
        self.append(mailbox=name)
        self.assertEqual(self.select(name), 1)
        self.assertIn(b'Entw&APw-rfe', b'\n'.join(expect_ok(self.client.list('""', '"*"'))))

    def test_wrong_password(self):
        client = imaplib.IMAP4(*self.server.address('imap'), timeout=20)
        self.addCleanup(client.shutdown)
        with self.assertRaisesRegex(imaplib.IMAP4.error, 'AUTHENTICATIONFAILED'):
            client.login(BOB, 'wrong')
        client.authenticate('PLAIN', lambda _: f'\0{BOB}\0{self.server.password()}'.encode())


class ImapAfterRestart(Case):
    def state(self):
        """UIDVALIDITY and, of every message, UID, flags, date and content."""
        with self.server.imap() as client:
            found = {}
            for line in expect_ok(client.list('""', '"*"')):
                name = line.split(b' "/" ')[1].strip(b'"').decode()
                expect_ok(client.select(quoted(name)))
                validity = client.response('UIDVALIDITY')[1]
                what = '(UID FLAGS INTERNALDATE BODY.PEEK[])'
                answer = expect_ok(client.fetch('1:*', what)) if self.has_any(client) else []
                found[name] = (validity, [self.plain(part) for part in answer])
            return found

    @staticmethod
    def has_any(client):
        return bool(expect_ok(client.search(None, 'ALL'))[0])

    @staticmethod
    def plain(part):
        """Without \\Recent, which belongs to a session."""
        return tuple(re.sub(rb'\\Recent ?', b'', piece) for piece in part) \
            if isinstance(part, tuple) else re.sub(rb'\\Recent ?', b'', part)

    def change_much(self):
        tokens = [new_token() for _ in range(12)]
        for token in tokens:
            self.server.send(message(token, 3000), 'bob+kept@example.test')
        for token in tokens:
            self.server.wait_for(token.encode(), mailbox='kept')
        with self.server.imap(mailbox='kept') as client:
            client.create('moved')
            client.store('1:4', '+FLAGS', '(\\Seen $One)')
            client.store('5', 'FLAGS', '(\\Flagged \\Answered)')
            client.copy('6', 'moved')
            client._simple_command('MOVE', '7', 'moved')
            client.store('8:9', '+FLAGS', '(\\Deleted)')
            client.expunge()
            client.create('gone')
            client.delete('gone')
            client.rename('moved', 'renamed')

    def test_stop_and_start_change_nothing(self):
        self.change_much()
        before = self.state()
        self.server.restart()
        self.assertEqual(before, self.state())
        self.server.restart()
        self.assertEqual(before, self.state())

    def test_kill_and_start_change_nothing(self):
        self.change_much()
        before = self.state()
        self.server.kill()
        self.server.start()
        self.assertEqual(before, self.state())

    def test_uids_are_never_used_again(self):
        with self.server.imap() as client:
            client.create('once')
            client.append('once', '', None, message(new_token()))
            client.select('once')
            first = expect_ok(client.fetch('1', '(UID)'))[0]
            client.store('1', '+FLAGS', '(\\Deleted)')
            client.expunge()
        self.server.kill()
        self.server.start()
        with self.server.imap() as client:
            client.append('once', '', None, message(new_token()))
            client.select('once')
            second = expect_ok(client.fetch('1', '(UID)'))[0]
        uid = [int(re.search(rb'UID (\d+)', line).group(1)) for line in (first, second)]
        self.assertGreater(uid[1], uid[0])
