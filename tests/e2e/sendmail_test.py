"""sendmail and mailq as programs call them."""

import concurrent.futures
import os
import pathlib
import pwd
import re
import subprocess

from harness import ALICE, BOB, PROGRAM, Case, new_token

USER = pwd.getpwuid(os.getuid()).pw_name


class Sendmail(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.names = pathlib.Path(cls.server.folder) / 'names'
        cls.names.mkdir()
        for name in ('sendmail', 'mailq'):
            (cls.names / name).symlink_to(PROGRAM.resolve())

    def call(self, name, *arguments, text=b'', expect=0):
        done = subprocess.run([self.names / name, *arguments], input=text, capture_output=True,
                              timeout=30, check=False,
                              env={**os.environ, 'KURIR_DATA': str(self.server.data)})
        self.assertEqual(done.returncode, expect, done.stderr.decode())
        return done

    def sent(self, *arguments, text, user=BOB):
        """What arrives of a text that has a token in it."""
        token = new_token()
        self.call('sendmail', *arguments, text=text.replace(b'TOKEN', token.encode()))
        content = self.server.wait_for(token.encode(), user)
        return content.replace(token.encode(), b'TOKEN')

    def test_missing_fields_are_added_and_lines_get_their_ends(self):
        content = self.sent(BOB, text=b'Subject: x\nTo: bob\n\nTOKEN\r\nline\rmore\nlast')
        head, _, body = content.partition(b'\r\n\r\n')
        self.assertEqual(body, b'TOKEN\r\nline\r\nmore\r\nlast\r\n')
        for field in (rb'Date: \w{3}, ', rb'Message-ID: <\w+@', b'From: .*' + USER.encode() + b'@',
                      rb'Received: by \S+ \(Kurir, from user ' + USER.encode() + b'\\)'):
            self.assertRegex(head, field)

    def test_recipients_from_the_header_and_no_blind_copies_shown(self):
        text = (b'To: Bob <bob@example.test>,\n group: alice@example.test;\nBcc: ' + ALICE.encode()
                + b'\nFrom: me@example.test\n\nTOKEN\n')
        content = self.sent('-t', '-i', text=text)
        self.assertNotIn(b'bcc', content.lower())
        self.assertEqual(content.count(b'From:'), 1)
        token = new_token().encode()
        self.call('sendmail', '-ti', text=b'Bcc: ' + ALICE.encode() + b'\n\n' + token + b'\n')
        self.assertIn(b'undisclosed-recipients', self.server.wait_for(token, ALICE))

    def test_a_dot_ends_the_message_unless_it_is_told_not_to(self):
        self.assertTrue(self.sent(BOB, text=b'\nTOKEN\n..a\n.b\n.\nnot this\n')
                        .endswith(b'TOKEN\r\n..a\r\n.b\r\n'))
        for flag in ('-i', '-oi'):
            self.assertTrue(self.sent(flag, BOB, text=b'\nTOKEN\n.\nthis too\n')
                            .endswith(b'TOKEN\r\n.\r\nthis too\r\n'))

    def test_sender_and_full_name(self):
        content = self.sent('-f', 'news@example.test', '-F', 'Zo\xeb "Z"', BOB, text=b'\nTOKEN\n')
        self.assertIn(b'Return-Path: <news@example.test>', content)
        self.assertIn(b'<news@example.test>', re.search(rb'(?m)^From: .*', content).group())
        self.assertIn(b'Return-Path: <>', self.sent('-f', '<>', BOB, text=b'\nTOKEN\n'))

    def test_large_and_binary_text(self):
        body = b''.join(b'%06d %s\n' % (i, b'\xe9\xff.' * 20) for i in range(40_000))
        content = self.sent('-oi', '-B8BITMIME', '--', BOB, text=b'\nTOKEN\n' + body)
        self.assertTrue(content.endswith(body.replace(b'\n', b'\r\n')))

    def test_exit_codes(self):
        nothing = b'\nx\n'
        self.call('sendmail', 'nobody@example.test', text=nothing, expect=67)
        self.call('sendmail', text=nothing, expect=64)
        self.call('sendmail', '-t', text=nothing, expect=64)
        self.call('sendmail', '-K', BOB, text=nothing, expect=64)
        self.call('sendmail', '-bd', text=nothing, expect=64)
        self.call('sendmail', '-N', 'sometimes', BOB, text=nothing, expect=64)
        self.call('sendmail', '-f', 'a@b>x', BOB, text=nothing, expect=64)
        self.call('sendmail', 'a\nRCPT TO:<b>', text=nothing, expect=64)
        self.call('sendmail', BOB, text=b'\nnul \0\n', expect=65)
        missing = str(self.temporary_folder())
        self.call('sendmail', '--data', missing, BOB, text=nothing, expect=75)

    def test_an_unknown_recipient_does_not_keep_it_from_the_others(self):
        token = new_token().encode()
        done = self.call('sendmail', 'nobody@example.test', BOB, text=b'\n' + token + b'\n',
                         expect=67)
        self.assertIn(b'nobody@example.test: 550', done.stderr)
        self.server.wait_for(token)

    def test_many_at_once(self):
        token = new_token().encode()
        with concurrent.futures.ThreadPoolExecutor(48) as pool:
            calls = [pool.submit(self.call, 'sendmail', BOB, text=b'\n%s %d\n' % (token, i))
                     for i in range(96)]
        for one in calls:
            one.result()
        found = [c for _, c in self.server.messages() if token in c]
        self.assertEqual(len(found), 96)

    def test_an_smtp_session_by_the_standard_streams(self):
        token = new_token().encode()
        text = (b'EHLO here\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n')
        process = subprocess.Popen([self.names / 'sendmail', '-bs', '--data', self.server.data],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        replies = [process.stdout.readline()]
        for command in text.splitlines(True) + [b'\r\n' + token + b'\r\n.\r\n', b'QUIT\r\n']:
            process.stdin.write(command)
            process.stdin.flush()
            replies.append(process.stdout.readline())
            while replies[-1][3:4] == b'-':
                replies.append(process.stdout.readline())
        process.stdin.close()
        self.assertEqual(process.wait(10), 0)
        process.stdout.close()
        self.assertEqual([reply[:3] for reply in replies if reply[3:4] == b' '],
                         [b'220', b'250', b'250', b'250', b'354', b'250', b'221'])
        self.server.wait_for(token)

    def test_mailq(self):
        self.assertEqual(self.call('mailq').stdout, b'Mail queue is empty\n')
        recipient = f'{new_token()}@elsewhere.test'
        self.call('sendmail', '-f', 'me@example.test', recipient, text=b'\nx\n')
        for command in (('mailq',), ('sendmail', '-bp')):
            shown = self.call(*command).stdout.decode()
            self.assertRegex(shown, r'(?m)^[0-9A-Z]{13}[ *!] +\d+ \w{3} \w{3} [ \d]\d '
                                    r'\d\d:\d\d:\d\d  me@example\.test$')
            self.assertRegex(shown, rf'(?m)^ +{re.escape(recipient)}$')
            self.assertRegex(shown, r'(?m)^-- \d+ Kbytes in 1 Request\.$')
        self.call('sendmail', '-q')
        self.server.run('queue', 'remove', '--recipient', recipient)
