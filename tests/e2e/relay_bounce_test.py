"""What cannot be delivered is told to its sender, once, and to nobody else."""

import email.utils

from harness import ALICE, BOB, message, new_token, wait_until
from next_hop import for_recipients, say
from relay import RelayCase


class RelayBounces(RelayCase):
    zone = 'null MX 0 .\n'

    def test_one_of_three_recipients_is_refused(self):
        domain, token = self.domain(), new_token()
        bad = domain.address('bad')
        hop = self.hop(domain.mx[0], {'rcpt': for_recipients(
            {bad: say('550-5.1.1 No such user', '550 5.1.1 here, at all')})})
        self.submit(token, domain.address('a'), bad, domain.address('c'))
        self.assertEqual(sorted(self.wait_for_mail(hop, token).recipients),
                         [domain.address('a'), domain.address('c')])
        bounce = self.wait_for_bounce(token)
        fields = bounce.only(bad)
        self.assertEqual((fields['Action'], fields['Status']), ('failed', '5.1.1'))
        self.assertIn('No such user', fields['Diagnostic-Code'])
        self.assertIn('No such user', bounce.text)
        self.assertIn(bad, bounce.text)
        self.assertEqual(bounce.returned.get_content_type(), 'text/rfc822-headers')
        self.assertIn(token, bounce.returned.get_payload(decode=True).decode())
        self.assertNotIn(f'end {token}', bounce.content.decode(), 'the body was returned')
        event = self.wait_for_event('Bounce', bad)
        self.assertEqual(event['bounce_classification'], 'bad-mailbox')
        self.assertEqual(event['response']['code'], 550)
        self.assertEqual(self.events('Bounce', domain.address('a')), [])
        self.wait_for_empty_queue()

    def test_a_bounce_says_which_message_it_is_about(self):
        domain, token = self.domain(), new_token()
        self.hop(domain.mx[0], {'mail': say('550 5.7.1 No')})
        self.submit(token, domain.address())
        bounce = self.wait_for_bounce(token)
        self.assertEqual(email.utils.parseaddr(bounce.message['To'])[1], BOB)
        self.assertEqual(bounce.message['In-Reply-To'], f'<{token}@example.org>')
        self.assertIsNotNone(email.utils.parsedate(bounce.message['Date']))
        self.assertIsNotNone(email.utils.parsedate(bounce.about['Arrival-Date']))
        self.assertEqual(bounce.only(domain.address())['Status'], '5.7.1')

    def test_a_refusal_for_good_at_any_step_is_told_at_once(self):
        for step, reply, status in (('mail', '550 5.7.1 no', '5.7.1'),
                                    ('rcpt', '550 5.2.1 no', '5.2.1'),
                                    ('data', '554 5.6.0 no', '5.6.0'),
                                    ('content', '552 5.3.4 no', '5.3.4'),
                                    ('content', '554 no', '5.0.0')):
            with self.subTest(step):
                domain, token = self.domain(), new_token()
                hop = self.hop(domain.mx[0], {step: say(reply)})
                self.submit(token, domain.address())
                fields = self.wait_for_bounce(token).only(domain.address())
                self.assertEqual(fields['Status'], status)
                self.assertEqual(len(hop.said('MAIL')), 1)
                self.assertEqual(hop.accepted(), [])
        self.wait_for_empty_queue()

    def test_names_that_take_no_mail(self):
        for recipient, status in (('a@null.test', '5.1.10'), ('a@missing.test', '5.1.2')):
            with self.subTest(recipient):
                token = new_token()
                self.submit(token, recipient)
                fields = self.wait_for_bounce(token).only(recipient)
                self.assertEqual(fields['Action'], 'failed')
                self.assertEqual(fields['Status'], status)
                event = self.wait_for_event('Bounce', recipient)
                self.assertEqual(event['bounce_classification'], 'bad-domain')

    def test_what_the_next_hop_says_cannot_harm(self):
        domain, token = self.domain(), new_token()
        text = 'a \x1b[2J \u202eevil \x07 --=_kurir-report-1_'
        self.hop(domain.mx[0], {'rcpt': say(f'550-5.1.1 {text}', '550-5.1.1 ' + 'w' * 3000,
                                            '550 5.1.1 end')})
        self.submit(token, domain.address())
        bounce = self.wait_for_bounce(token)
        self.assertEqual(bounce.only(domain.address())['Status'], '5.1.1')
        self.assertNotIn(b'\x1b', bounce.content)
        self.assertNotIn(b'\x07', bounce.content)
        self.assertLessEqual(max(len(line) for line in bounce.content.split(b'\r\n')), 998)

    def test_mail_of_the_null_sender_is_never_bounced(self):
        domain, token = self.domain(), new_token()
        self.server.run('alias', 'add', f'{token}@example.test', domain.address())
        hop = self.hop(domain.mx[0], {'rcpt': say('550 5.1.1 no')})
        self.server.send(message(token), f'{token}@example.test', sender='<>')
        self.wait_for_event('Bounce', domain.address())
        self.wait_for_empty_queue()
        self.assertEqual(self.bounces(token), [])
        self.assertEqual(hop.said('MAIL'), [line for line in hop.said('MAIL')
                                            if line.startswith('MAIL FROM:<>')])

    def test_a_bounce_leaves_with_the_null_sender_and_ends_there(self):
        away, home, token = self.domain(), self.domain(), new_token()
        self.server.run('alias', 'add', f'{token}@example.test', away.address())
        self.hop(away.mx[0], {'rcpt': say('550 5.1.1 no')})
        sender_hop = self.hop(home.mx[0], {'rcpt': say('550 5.1.1 not here either')})
        self.server.send(message(token), f'{token}@example.test', sender=home.address('sender'))
        self.wait_for_event('Bounce', home.address('sender'))
        self.wait_for_empty_queue()
        self.assertEqual(len(sender_hop.said('MAIL')), 1)
        self.assertTrue(sender_hop.said('MAIL')[0].startswith('MAIL FROM:<>'))
        for user in (ALICE, BOB):
            self.assertEqual(self.bounces(token, user), [])

    def test_a_bounce_goes_home_through_the_relay(self):
        away, home, token = self.domain(), self.domain(), new_token()
        self.server.run('alias', 'add', f'{token}@example.test', away.address())
        self.hop(away.mx[0], {'rcpt': say('550 5.1.1 no')})
        sender_hop = self.hop(home.mx[0])
        self.server.send(message(token), f'{token}@example.test', sender=home.address('sender'))
        mail = self.wait_for_mail(sender_hop, token)
        self.assertEqual((mail.sender, mail.recipients), ('', [home.address('sender')]))
        self.assertIn(b'report-type=delivery-status', mail.content)


class RelayMeetsItself(RelayCase):
    settings = {'hostname': '"mail.self.test"'}
    zone = 'self MX 10 mail.self\nmail.self A {20}\nfirst MX 10 mx1.d99\nfirst MX 20 mail.self\n'

    def test_an_mx_that_is_ourselves_is_a_loop(self):
        token, hop = new_token(), self.hop(self.network.address(20))
        self.submit(token, 'someone@self.test')
        fields = self.wait_for_bounce(token).only('someone@self.test')
        self.assertEqual(fields['Status'], '5.4.6')
        event = self.wait_for_event('Bounce', 'someone@self.test')
        self.assertEqual(event['bounce_classification'], 'routing-errors')
        self.assertEqual(hop.connections, 0)

    def test_we_are_not_asked_where_a_better_one_is_down(self):
        hop = self.hop(self.network.address(20))
        self.submit(new_token(), 'someone@first.test')
        self.wait_for_event('TransientFailure', 'someone@first.test')
        self.assertEqual(hop.connections, 0)


class RelayGivesUp(RelayCase):
    settings = {'queue.max_age': '"3s"'}

    def test_what_is_too_old_is_returned(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0], {'rcpt': say('451 4.7.1 Come back tomorrow')})
        self.submit(token, domain.address())
        bounce = self.wait_for_bounce(token)
        fields = bounce.only(domain.address())
        self.assertEqual(fields['Action'], 'failed')
        self.assertEqual(fields['Status'].split('.')[1:], ['4', '7'])
        self.assertIn('Come back tomorrow', ' '.join(bounce.text.split()))
        event = self.wait_for_event('Expiration', domain.address())
        self.assertGreater(event['num_attempts'], 1)
        self.wait_for_empty_queue()
        self.assertGreater(len(hop.said('MAIL')), 1)

    def test_hosts_that_never_answered_and_names_that_failed(self):
        for recipient in (self.domain().address(), 'someone@broken.test'):
            with self.subTest(recipient):
                token = new_token()
                self.submit(token, recipient)
                bounce = self.wait_for_bounce(token)
                self.assertEqual(bounce.only(recipient)['Action'], 'failed')
                self.wait_for_event('Expiration', recipient)


class RelayWarns(RelayCase):
    settings = {'queue.delay_warning': '"1s"'}

    def test_a_sender_is_warned_once(self):
        domain, token = self.domain(), new_token()
        self.submit(token, domain.address())
        bounce = self.wait_for_bounce(token)
        fields = bounce.only(domain.address())
        self.assertEqual(fields['Action'], 'delayed')
        self.assertTrue(fields['Status'].startswith('4.'))
        self.assertIsNotNone(email.utils.parsedate(fields['Will-Retry-Until']))
        attempts = len(self.events('TransientFailure', domain.address()))
        wait_until(lambda: len(self.events('TransientFailure', domain.address())) > attempts + 1,
                   15, 'two more attempts')
        hop = self.hop(domain.mx[0])
        self.wait_for_mail(hop, token)
        self.wait_for_empty_queue()
        self.assertEqual(len(self.bounces(token)), 1)
