"""Extensions of SMTP beyond content and reports, with next hops that have them or not."""

import time
import unittest

from harness import BOB, message, new_token, wait_until
from next_hop import EXTENSIONS, NextHop
from postfix import Postfix, free_port
from relay import RelayCase


class Extensions(RelayCase):
    def send(self, token, recipients, options=(), sender=BOB, content=None):
        """With commands of UTF-8, which smtplib's sendmail() says only with SMTPUTF8."""
        with self.server.smtp('submission', BOB) as client:
            client.ehlo()
            client.command_encoding = 'utf-8'
            code, text = client.mail(sender, options)
            self.assertEqual(code, 250, text)
            for recipient in recipients:
                code, text = client.rcpt(recipient)
                self.assertEqual(code, 250, text)
            code, text = client.data(content or message(token, sender=BOB))
            self.assertEqual(code, 250, text)

    def test_utf8_goes_where_it_is_taken(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0], extensions=(*EXTENSIONS, 'SMTPUTF8'))
        self.send(token, [domain.address('j\u00f8rgen')], ['SMTPUTF8'])
        self.wait_for_mail(hop, token)
        self.assertTrue(hop.said('MAIL')[0].endswith(' SMTPUTF8'), hop.said('MAIL'))

    def test_utf8_is_returned_where_it_is_not_taken(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0])
        self.send(token, [domain.address('j\u00f8rgen')], ['SMTPUTF8'])
        wait_until(lambda: self.bounces(token), 15, 'a bounce')
        bounce, = self.bounces(token)
        fields, = bounce.recipients.values()
        self.assertEqual(fields['Status'], '5.6.7')
        self.assertEqual(fields['Final-Recipient'], f'utf-8; j\\x{{f8}}rgen@{domain.name}')
        self.assertEqual(hop.said('RCPT'), [])

    def test_utf8_that_is_ascii_after_all_goes_anywhere(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0])
        self.send(token, [domain.address()], ['SMTPUTF8'])
        self.wait_for_mail(hop, token)
        self.assertNotIn('SMTPUTF8', hop.said('MAIL')[0])

    def test_utf8_through_postfix(self):
        domain, token = self.domain(), new_token()
        extensions = (*EXTENSIONS, 'SMTPUTF8')
        with NextHop('127.0.0.1', free_port(), extensions=extensions) as sink:
            postfix = Postfix(sink.port, host=domain.mx[0], port=domain.port)
            self.addCleanup(postfix.stop)
            postfix.start()
            self.send(token, [domain.address('j\u00f8rgen')], ['SMTPUTF8'])
            wait_until(lambda: sink.received(token), 20, f'the mail\n{postfix.log()}')

    def test_limits_of_the_next_host_are_kept(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0], extensions=(*EXTENSIONS, 'LIMITS MAILMAX=2 RCPTMAX=2'))
        self.send(token, [domain.address(f'r{number}') for number in range(5)])
        wait_until(lambda: sum(len(mail.recipients) for mail in hop.received(token)) == 5, 15,
                   'five recipients')
        self.assertEqual(sorted(len(mail.recipients) for mail in hop.received(token)), [1, 2, 2])

    def test_mail_is_held_until_its_time(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0])
        begin = time.monotonic()
        self.send(token, [domain.address()], ['HOLDFOR=2'])
        self.wait_for_mail(hop, token)
        self.assertGreater(time.monotonic() - begin, 0.9)  # whole seconds are told

    def test_priority_is_passed_on(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0], extensions=(*EXTENSIONS, 'MT-PRIORITY'))
        self.send(token, [domain.address()], ['MT-PRIORITY=4'])
        self.wait_for_mail(hop, token)
        self.assertTrue(hop.said('MAIL')[0].endswith(' MT-PRIORITY=4'), hop.said('MAIL'))


if __name__ == '__main__':
    unittest.main()
