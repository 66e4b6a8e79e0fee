"""Extensions of SMTP with Exim 4.96 as Debian builds it, both ways: DSN, SMTPUTF8, CHUNKING and
PIPECONNECT. To and from Exim all goes by STARTTLS. It has no LIMITS and no XCLIENT."""

import smtplib
import unittest

from exim import Exim, configuration_with
from harness import ALICE, BOB, Server, message, new_token, wait_until
from next_hop import EXTENSIONS, NextHop
from postfix import free_port
from relay import RelayCase

# With a certificate that Exim makes itself at its start.
OFFERS_TLS = 'tls_advertise_hosts = *\n'
LOGS = 'log_selector = +pipelining\n'
REPORTS = 'dsn_advertise_hosts = *\n'
ASKED = {'rcpt': ['NOTIFY=SUCCESS,FAILURE', 'ORCPT=rfc822;who+2Bx@y.test'],
         'mail': ['RET=HDRS', 'ENVID=id+2B7']}


def before_kurir(main='', transport=''):
    """A configuration that comes to Kurir by STARTTLS only, whoever signed its certificate."""
    text = configuration_with(LOGS + main, transport)
    old = 'hosts_avoid_tls = *'
    assert text.count(old) == 1
    return text.replace(old, 'hosts_require_tls = *')


def behind_kurir(main=''):
    """A configuration to which Kurir can come by STARTTLS, and that goes on without."""
    text = configuration_with(main)
    old = 'tls_advertise_hosts =\n'
    assert text.count(old) == 1
    return text.replace(old, OFFERS_TLS)


class EximCase(RelayCase):
    settings = {'default.enable_tls': 'RequiredInsecure'}

    def exim_behind(self, domain, main='', extensions=EXTENSIONS):
        """(Exim where Kurir takes mail for the domain, the host where Exim takes all of it)."""
        sink = NextHop('127.0.0.1', free_port(), extensions=extensions)
        self.addCleanup(sink.stop)
        exim = Exim(sink.start().port, domain.mx[0], domain.port, behind_kurir(main))
        self.addCleanup(exim.stop)
        return exim.start(), sink

    def exim_before(self, main='', transport='', server=None):
        exim = Exim((server or self.server).port('smtp'),
                    configuration=before_kurir(main, transport))
        self.addCleanup(exim.stop)
        return exim.start()

    def wait_for_nothing_left(self, exim):
        """Whatever has something to report has reported it."""
        self.wait_for_empty_queue()
        wait_until(lambda: not exim.queued(), 20, f'an empty queue of Exim\n{exim.log()}')
        self.wait_for_empty_queue()

    def submit_with(self, token, recipient, options, sender=BOB):
        with self.server.smtp('submission', BOB) as client:
            refused = client.sendmail(sender, [recipient], message(token, sender=sender),
                                      options['mail'], options['rcpt'])
        self.assertEqual(refused, {})

    @staticmethod
    def give(exim, token, recipient, mail=(), rcpt=(), sender=ALICE):
        with smtplib.SMTP(exim.host, exim.port, 'client.test', timeout=20) as client:
            client.sendmail(sender, [recipient], message(token, sender=sender), mail, rcpt)


class ToExim(EximCase):
    def test_exim_reports_where_it_says_that_it_does(self):
        domain, token = self.domain(), new_token()
        exim, sink = self.exim_behind(domain, REPORTS)
        self.submit_with(token, domain.address(), ASKED)
        wait_until(lambda: len(sink.received(token)) == 2, 12, f'mail and report\n{exim.log()}')
        self.wait_for_nothing_left(exim)
        report, = [mail for mail in sink.received(token) if mail.sender == '']
        self.assertEqual(report.recipients, [BOB])
        # Exim 4.96 leaves both in xtext, which RFC 3464 2.2.1 would have undone.
        for field in (b'Original-Envelope-ID: id+2B7', b'Original-Recipient: rfc822;who+2Bx@y.test',
                      b'Reporting-MTA: dns; exim.example.org', domain.address().encode()):
            self.assertIn(field, report.content)
        self.assertEqual(len(sink.received(token)), 2)
        self.assertEqual(self.bounces(token), [], 'Kurir reported too')

    def test_kurir_reports_where_exim_does_not(self):
        domain, token = self.domain(), new_token()
        exim, sink = self.exim_behind(domain, 'dsn_advertise_hosts =\n')
        self.submit_with(token, domain.address(), ASKED)
        bounce = self.wait_for_bounce(token)
        fields = bounce.only(domain.address())
        self.assertEqual(fields['Action'], 'relayed')
        self.assertEqual(fields['Original-Recipient'], 'rfc822; who+x@y.test')
        self.assertEqual(bounce.about['Original-Envelope-Id'], 'id+7')
        wait_until(lambda: sink.received(token), 12, f'the mail\n{exim.log()}')
        self.wait_for_nothing_left(exim)
        self.assertEqual([mail.sender for mail in sink.received(token)], [BOB])
        self.assertEqual(len(self.bounces(token)), 1)

    def test_what_is_asked_goes_through_both(self):
        domain, token = self.domain(), new_token()
        exim, sink = self.exim_behind(domain, REPORTS, (*EXTENSIONS, 'DSN'))
        self.submit_with(token, domain.address(), ASKED)
        wait_until(lambda: sink.received(token), 12, f'the mail\n{exim.log()}')
        self.wait_for_nothing_left(exim)
        mail, = sink.received(token)
        self.assertEqual(mail.sender, BOB)
        line, = sink.said('MAIL')
        self.assertIn('RET=HDRS', line)
        self.assertIn('ENVID=id+2B7', line)
        line, = sink.said('RCPT')
        self.assertIn('NOTIFY=SUCCESS,FAILURE', line)
        self.assertIn('ORCPT=rfc822;who+2Bx@y.test', line)
        self.assertEqual(self.bounces(token), [])

    def send_utf8(self, recipient, token):
        with self.server.smtp('submission', BOB) as client:
            client.ehlo()
            client.command_encoding = 'utf-8'
            for code, text in (client.mail(BOB, ['SMTPUTF8']), client.rcpt(recipient),
                               client.data(message(token, sender=BOB))):
                self.assertEqual(code, 250, text)

    def test_utf8_goes_through_exim(self):
        domain, token = self.domain(), new_token()
        exim, sink = self.exim_behind(domain, 'smtputf8_advertise_hosts = *\n',
                                      (*EXTENSIONS, 'SMTPUTF8'))
        self.send_utf8(domain.address('j\u00f8rgen'), token)
        wait_until(lambda: sink.received(token), 12, f'the mail\n{exim.log()}')
        mail, = sink.received(token)
        self.assertEqual(mail.recipients, [domain.address('j\u00f8rgen')])
        self.assertIn('SMTPUTF8', sink.said('MAIL')[0])

    def test_utf8_comes_back_where_exim_does_not_take_it(self):
        domain, token = self.domain(), new_token()
        exim, sink = self.exim_behind(domain, 'smtputf8_advertise_hosts =\n')
        self.send_utf8(domain.address('j\u00f8rgen'), token)
        bounce = self.wait_for_bounce(token)
        fields, = bounce.recipients.values()
        self.assertEqual((fields['Action'], fields['Status']), ('failed', '5.6.7'))
        self.wait_for_nothing_left(exim)
        self.assertEqual(sink.said('RCPT'), [])

    def test_chunks_where_exim_takes_them(self):
        for hosts, taken in (('*', True), ('', False)):
            with self.subTest(hosts):
                domain, token = self.domain(), new_token()
                exim, sink = self.exim_behind(domain, f'chunking_advertise_hosts = {hosts}\n')
                content = message(token, 100_000) + b'.\r\n..\r\n'
                self.submit(token, domain.address(), content=content)
                wait_until(lambda: sink.received(token), 12, f'the mail\n{exim.log()}')
                mail, = sink.received(token)
                self.assertTrue(mail.content.endswith(content))
                arrival, = exim.logged('<=')
                self.assertEqual(' K ' in arrival, taken, arrival)
                self.assertIn(' P=esmtps ', arrival)


class FromExim(EximCase):
    def test_kurir_reports_what_it_took_of_exim(self):
        token = new_token()
        exim = self.exim_before(REPORTS)
        self.give(exim, token, BOB, ASKED['mail'], ASKED['rcpt'])
        bounce = self.wait_for_bounce(token, ALICE, 30)
        fields = bounce.only(BOB)
        self.assertEqual(fields['Action'], 'delivered')
        self.assertEqual(fields['Original-Recipient'], 'rfc822; who+x@y.test')
        self.assertEqual(bounce.about['Original-Envelope-Id'], 'id+7')
        self.wait_for_nothing_left(exim)
        self.assertEqual(len(self.bounces(token, ALICE)), 1)
        stored = self.server.wait_for(token.encode())
        self.assertRegex(stored, rb'from exim\.example\.org .*\s+by .* with ESMTPS id')

    def reports_of(self, exim, token):
        """What lies in Alice's mailbox about the message."""
        self.wait_for_nothing_left(exim)
        return [content for _, content in self.server.messages(ALICE)
                if token.encode() in content and b'delivery-status' in content]

    def test_exim_reports_what_kurir_refused_if_it_was_asked(self):
        exim = self.exim_before(REPORTS)
        for turn, (notify, count) in enumerate((('FAILURE', 1), ('NEVER', 0), ('SUCCESS', 0))):
            with self.subTest(notify):
                token = new_token()
                self.give(exim, token, 'nobody@example.test', ASKED['mail'], [f'NOTIFY={notify}'])
                wait_until(lambda: len(exim.logged('**')) == turn + 1, 12,
                           f'a refusal\n{exim.log()}')
                reports = self.reports_of(exim, token)
                self.assertEqual(len(reports), count, exim.log())
                for report in reports:
                    self.assertIn(b'Reporting-MTA: dns; exim.example.org', report)
                    self.assertIn(b'Action: failed', report)

    def test_utf8_from_exim(self):
        token = new_token()
        exim = self.exim_before('smtputf8_advertise_hosts = *\n')
        sender = 's\u00f8ren@sender.test'
        with smtplib.SMTP(exim.host, exim.port, 'client.test', timeout=20) as client:
            client.ehlo()
            client.command_encoding = 'utf-8'
            for code, text in (client.mail(sender, ['SMTPUTF8']), client.rcpt(BOB),
                               client.data(message(token))):
                self.assertEqual(code, 250, text)
        wait_until(lambda: not exim.queued(), 12, f'an empty queue of Exim\n{exim.log()}')
        stored = self.server.wait_for(token.encode())
        self.assertIn(f'Return-Path: <{sender}>'.encode(), stored)
        self.assertIn(b'with UTF8SMTPS id', stored)

    def test_chunks_from_exim(self):
        exim = self.exim_before()
        token = new_token()
        self.give(exim, token, BOB)
        self.server.wait_for(token.encode())
        wait_until(lambda: exim.logged('=>'), 12, f'the delivery\n{exim.log()}')
        departure, = exim.logged('=>')
        self.assertIn(' K ', departure)


class PipeConnect(EximCase):
    """Exim remembers what a host offered, and the next time says EHLO before the greeting."""

    def departures(self, offers):
        server = Server('--set', f'smtp.pipelining_connect={offers}')
        self.addCleanup(server.remove)
        server.start()
        exim = self.exim_before(transport='  hosts_pipe_connect = *\n', server=server)
        for count in (1, 2, 3):
            token = new_token()
            self.give(exim, token, BOB)
            server.wait_for(token.encode(), seconds=12)
            wait_until(lambda: len(exim.logged('=>')) == count, 12, f'{count}\n{exim.log()}')
        return exim.logged('=>')

    def test_exim_talks_before_the_greeting_where_it_may(self):
        first, second, third = self.departures('true')
        self.assertNotIn(' L* ', first)
        self.assertIn(' L* ', second)
        self.assertIn(' L* ', third)

    def test_exim_waits_for_the_greeting_where_it_must(self):
        for line in self.departures('false'):
            self.assertNotIn(' L* ', line)
            self.assertIn(' L ', line)


if __name__ == '__main__':
    unittest.main()
