"""Debian's Postfix, in a folder of its own, hands its mail to Kurir."""

import smtplib

from harness import ALICE, BOB, Case, assert_trace_and, message, new_token, run, wait_until
from postfix import Postfix, privileged


class PostfixHandsMailIn(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postfix = Postfix(cls.server.port('smtp'))
        cls.addClassCleanup(cls.postfix.stop)
        cls.postfix.start()

    def wait_for_empty_queue(self):
        wait_until(lambda: not self.postfix.queued(), 30, 'an empty Postfix queue')

    def test_mail_of_its_sendmail_arrives(self):
        token = new_token()
        file = self.temporary_folder() / 'message'
        sent = message(token, 20_000)
        file.write_bytes(sent.replace(b'\r\n', b'\n'))
        with open(file, 'rb') as content:
            run(privileged(['sendmail', '-C', self.postfix.folder / 'etc', '-i', '-f',
                            'a@example.org', BOB, ALICE]), stdin=content)
        self.wait_for_empty_queue()
        for user in (BOB, ALICE):
            stored = self.server.wait_for(token.encode(), user)
            self.assertTrue(stored.endswith(sent.split(b'\r\n\r\n', 1)[1]), self.postfix.log())

    def test_what_its_smtpd_took_arrives_unchanged(self):
        token = new_token()
        sent = message(token, 3000)
        with smtplib.SMTP('127.0.0.1', self.postfix.port, 'client.test', 20) as client:
            client.sendmail('a@example.org', [BOB], sent)
        self.wait_for_empty_queue()
        assert_trace_and(sent, self.server.wait_for(token.encode()))

    def test_many_at_once_arrive_once_each(self):
        before = len(self.server.messages(ALICE))
        run(['smtp-source', '-s', '10', '-m', '200', '-l', '2000', '-f', 'a@example.org', '-t',
             ALICE, f'127.0.0.1:{self.postfix.port}'])
        self.wait_for_empty_queue()
        wait_until(lambda: len(self.server.messages(ALICE)) >= before + 200, 20, '200 messages')
        self.assertEqual(len(self.server.messages(ALICE)), before + 200)

    def test_unknown_user_makes_postfix_bounce_and_not_kurir(self):
        with smtplib.SMTP('127.0.0.1', self.postfix.port, 'client.test', 20) as client:
            client.sendmail(BOB, ['nobody@example.test'], message(new_token()))
        self.server.wait_for(b'550 5.1.1', BOB, seconds=20)
        wait_until(lambda: not self.server.queue(), 10, 'an empty queue of Kurir')

