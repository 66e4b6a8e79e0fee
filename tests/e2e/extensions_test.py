"""Extensions of SMTP beyond content and reports, with next hops that have them or not."""

import smtplib
import time
import unittest

from harness import BOB, message, new_token, wait_until
from next_hop import EXTENSIONS, NextHop
from postfix import Postfix, free_port
from relay import RelayCase


class Extensions(RelayCase):
    settings = {'smtp.etrn_networks': '["127.0.0.1"]'}

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

    def test_utf8_from_postfix(self):
        """By STARTTLS. Postfix 3.7 has no LIMITS, and is no client of XCLIENT or of the PROXY
        protocol: nothing of these can be tested with it here."""
        token, sender = new_token(), 's\u00f8ren@sender.test'
        postfix = Postfix(self.server.port('smtp'), settings='smtp_tls_security_level = encrypt\n')
        self.addCleanup(postfix.stop)
        postfix.start()
        with smtplib.SMTP(postfix.host, postfix.port, 'client.test', timeout=20) as client:
            client.ehlo()
            client.command_encoding = 'utf-8'
            for code, text in (client.mail(sender, ['SMTPUTF8']), client.rcpt(BOB),
                               client.data(message(token))):
                self.assertEqual(code, 250, text)
        wait_until(lambda: not postfix.queued(), 20, f'an empty queue of Postfix\n{postfix.log()}')
        stored = self.server.wait_for(token.encode())
        self.assertIn(f'Return-Path: <{sender}>'.encode(), stored)
        self.assertIn(b'with UTF8SMTPS id', stored)

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

    def test_what_is_late_comes_back(self):
        domain, token = self.domain(), new_token()
        self.send(token, [domain.address()], ['BY=1;R'])  # nobody listens there
        bounce = self.wait_for_bounce(token)
        self.assertEqual(bounce.only(domain.address())['Status'], '5.4.7')

    def test_the_sender_of_what_is_late_is_told(self):
        domain, token = self.domain(), new_token()
        self.send(token, [domain.address()], ['BY=1;N'])
        bounce = self.wait_for_bounce(token)
        fields = bounce.only(domain.address())
        self.assertEqual((fields['Action'], fields['Status']), ('delayed', '4.4.7'))
        self.assertTrue(self.waiting(domain.address()))

    def test_the_time_left_is_passed_on(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0], extensions=(*EXTENSIONS, 'DELIVERBY 10'))
        self.send(token, [domain.address()], ['BY=100;R'])
        self.wait_for_mail(hop, token)
        self.assertRegex(hop.said('MAIL')[0], r' BY=(100|9\d);R$')

    def test_what_must_come_back_in_time_does_not_leave_for_who_does_not_know(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0])
        self.send(token, [domain.address()], ['BY=100;R'])
        self.assertEqual(self.wait_for_bounce(token).only(domain.address())['Status'], '5.3.3')
        self.assertEqual(hop.said('MAIL'), [])

    def test_who_is_told_of_delays_is_told_where_they_are_not_known(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0], extensions=(*EXTENSIONS, 'DSN'))
        self.send(token, [domain.address()], ['BY=100;N'])
        self.wait_for_mail(hop, token)
        self.assertEqual(self.wait_for_bounce(token).only(domain.address())['Action'], 'relayed')

    def test_etrn_starts_what_waits(self):
        domain, token = self.domain(), new_token()
        self.submit(token, domain.address())
        self.wait_for_event('TransientFailure', domain.address())
        hop = self.hop(domain.mx[0])
        with self.server.smtp() as client:
            client.ehlo()
            self.assertTrue(client.has_extn('etrn'))
            code, text = client.docmd('ETRN', '@' + domain.name)
            self.assertEqual((code, text[:8]), (253, b'2.0.0 1 '))
        self.wait_for_mail(hop, token, 5)
        with self.server.smtp() as client:
            client.ehlo()
            wait_until(lambda: client.docmd('ETRN', domain.name)[0] == 251, 10, 'nothing to wait')


if __name__ == '__main__':
    unittest.main()
