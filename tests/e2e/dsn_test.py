"""Senders are told what they asked to be told (RFC 3461), by Kurir or by the next host."""

import smtplib
import unittest

from harness import ALICE, BOB, message, new_token, wait_until
from next_hop import EXTENSIONS, NextHop, for_recipients, say
from postfix import Postfix, free_port
from relay import RelayCase

WITH_DSN = (*EXTENSIONS, 'DSN')


class DeliveryStatusNotifications(RelayCase):
    def ask(self, token, recipient, rcpt=(), mail=()):
        with self.server.smtp('submission', BOB) as client:
            refused = client.sendmail(BOB, [recipient], message(token, sender=BOB), mail, rcpt)
        self.assertEqual(refused, {})

    def test_success_of_a_local_delivery_is_told(self):
        token = new_token()
        self.ask(token, ALICE, ['NOTIFY=SUCCESS', f'ORCPT=rfc822;a+2Bb@{token}.test'],
                 ['RET=FULL', f'ENVID=id+2B{token}'])
        bounce = self.wait_for_bounce(token)
        fields = bounce.only(ALICE)
        self.assertEqual((fields['Action'], fields['Status']), ('delivered', '2.1.5'))
        self.assertEqual(fields['Original-Recipient'], f'rfc822; a+b@{token}.test')
        self.assertEqual(bounce.about['Original-Envelope-Id'], f'id+{token}')
        self.assertEqual(bounce.returned.get_content_type(), 'text/rfc822-headers')
        self.wait_for_empty_queue()

    def test_success_at_a_host_that_does_not_report_is_relayed(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0])
        self.ask(token, domain.address(), ['NOTIFY=SUCCESS,FAILURE', 'ORCPT=rfc822;x@y.test'],
                 ['RET=HDRS', 'ENVID=x'])
        fields = self.wait_for_bounce(token).only(domain.address())
        self.assertEqual(fields['Action'], 'relayed')
        self.assertEqual(fields['Remote-MTA'], f'dns; mx1.{domain.name}')
        told = hop.said('MAIL') + hop.said('RCPT')
        self.assertFalse([line for line in told if 'NOTIFY' in line or 'RET' in line], told)

    def test_a_host_that_reports_is_told_what_to_report(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0], extensions=WITH_DSN)
        self.ask(token, domain.address(), ['NOTIFY=SUCCESS,DELAY', 'ORCPT=rfc822;x+2By@z.test'],
                 ['RET=HDRS', 'ENVID=e+3D1'])
        self.wait_for_mail(hop, token)
        self.wait_for_empty_queue()
        mail, = hop.said('MAIL')
        self.assertTrue(mail.endswith(' RET=HDRS ENVID=e+3D1'), mail)
        rcpt, = hop.said('RCPT')
        self.assertTrue(rcpt.endswith(' NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x+2By@z.test'), rcpt)
        self.assertEqual(self.bounces(token), [])

    def test_failure_is_told_as_asked(self):
        for notify, told in (('NEVER', False), ('SUCCESS', False), ('FAILURE', True)):
            with self.subTest(notify):
                domain, token = self.domain(), new_token()
                self.hop(domain.mx[0], {'rcpt': say('550 5.1.1 no')}, extensions=WITH_DSN)
                self.ask(token, domain.address(), [f'NOTIFY={notify}'], ['RET=FULL', 'ENVID=q'])
                self.wait_for_event('Bounce', domain.address())
                self.wait_for_empty_queue()
                self.assertEqual(len(self.bounces(token)), 1 if told else 0)
                if told:
                    bounce, = self.bounces(token)
                    self.assertEqual(bounce.returned.get_content_type(), 'message/rfc822')
                    self.assertIn(f'end {token}', bounce.content.decode())

    def test_success_and_failure_of_one_message_are_two_reports(self):
        domain, token = self.domain(), new_token()
        bad = domain.address('bad')
        self.hop(domain.mx[0], {'rcpt': for_recipients({bad: say('550 5.1.1 no')})})
        with self.server.smtp('submission', BOB) as client:
            client.sendmail(BOB, [domain.address('a'), bad], message(token, sender=BOB), [],
                            ['NOTIFY=SUCCESS,FAILURE'])
        wait_until(lambda: len(self.bounces(token)) == 2, 15, 'two reports')
        actions = {recipient: fields['Action'] for bounce in self.bounces(token)
                   for recipient, fields in bounce.recipients.items()}
        self.assertEqual(actions, {domain.address('a'): 'relayed', bad: 'failed'})

    def test_postfix_reports_what_kurir_passed_on(self):
        domain, token = self.domain(), new_token()
        with NextHop('127.0.0.1', free_port()) as sink:
            postfix = Postfix(sink.port, host=domain.mx[0], port=domain.port)
            self.addCleanup(postfix.stop)
            postfix.start()
            self.ask(token, domain.address(), ['NOTIFY=SUCCESS', 'ORCPT=rfc822;who+40x@y.test'],
                     ['ENVID=from-kurir'])
            wait_until(lambda: len(sink.received(token)) == 2, 20, 'the mail and its report')
            report, = [mail.content for mail in sink.received(token) if mail.sender == '']
            for field in (b'Original-Envelope-Id: from-kurir', b'Action: relayed',
                          b'Original-Recipient: rfc822;who@x@y.test'):
                self.assertIn(field, report)

    def test_kurir_reports_what_postfix_passed_on(self):
        token = new_token()
        postfix = Postfix(self.server.port('smtp'))
        self.addCleanup(postfix.stop)
        postfix.start()
        with smtplib.SMTP(postfix.host, postfix.port, timeout=10) as client:
            client.sendmail(ALICE, [BOB], message(token, sender=ALICE), ['ENVID=from-postfix'],
                            ['NOTIFY=SUCCESS'])
        bounce = self.wait_for_bounce(token, user=ALICE)
        self.assertEqual(bounce.about['Original-Envelope-Id'], 'from-postfix')
        self.assertEqual(bounce.only(BOB)['Action'], 'delivered')


if __name__ == '__main__':
    unittest.main()
