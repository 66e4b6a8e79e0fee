"""Mail for elsewhere arrives there, once and unchanged, whatever the next hop's day is like."""

from harness import BOB, assert_trace_and, message, new_token, wait_until
from next_hop import (at_most_recipients, drop, drop_within, endless, for_recipients, greylist, raw,
                      say)
from relay import CountingThreads, RelayCase


class RelayDelivers(RelayCase):
    zone = ('plain A {10}\n'
            'alias CNAME d99\n'
            'pointing MX 10 other-name\nother-name CNAME real-name\nreal-name A {11}\n'
            'several MX 10 many\nmany A {12}\nmany A {13}\nmany A {14}\n')

    def test_content_arrives_unchanged(self):
        domain = self.domain()
        hop = self.hop(domain.mx[0])
        cases = {
            'small': b'text\r\n',
            'dots': b'.\r\n..\r\n.x\r\n...\r\nend\r\n.\r\n',
            'eight bits': 'Grüße, été, 例\r\n'.encode() * 50,
            'no body': b'',
            'long': b'a line of the message, of which there are many\r\n' * 60_000,
        }
        for name, body in cases.items():
            with self.subTest(name):
                token = new_token()
                sent = message(token, 0) + body
                self.submit(token, domain.address(), content=sent)
                mail = self.wait_for_mail(hop, token)
                self.assertEqual((mail.sender, mail.recipients), (BOB, [domain.address()]))
                assert_trace_and(sent, mail.content)
        self.wait_for_empty_queue()

    def test_recipients_of_a_domain_travel_together_and_domains_apart(self):
        first, second = self.domain(), self.domain()
        hops = [self.hop(domain.mx[0]) for domain in (first, second)]
        token = new_token()
        self.submit(token, first.address('a'), second.address('c'), first.address('b'), BOB)
        self.assertEqual(sorted(self.wait_for_mail(hops[0], token).recipients),
                         [first.address('a'), first.address('b')])
        self.assertEqual(self.wait_for_mail(hops[1], token).recipients, [second.address('c')])
        self.server.wait_for(token.encode())

    def test_events_tell_of_the_delivery(self):
        domain = self.domain()
        hop = self.hop(domain.mx[0], {'content': say('250 2.0.0 Queued as 4711')})
        token = new_token()
        self.submit(token, domain.address())
        self.wait_for_mail(hop, token)
        event = self.wait_for_event('Delivery', domain.address())
        self.assertEqual(event['response']['code'], 250)
        self.assertIn('4711', event['response']['content'])
        self.assertEqual(event['peer_address']['addr'], hop.host)
        self.assertEqual(event['sender'], BOB)

    def test_a_domain_without_mx_is_its_own_host(self):
        token, hop = new_token(), self.hop(self.network.address(10))
        self.submit(token, 'someone@plain.test')
        self.wait_for_mail(hop, token)

    def test_aliases_in_dns_are_followed(self):
        target = self.domains[-1]
        for recipient, host in (('someone@alias.test', target.mx[0]),
                                ('someone@pointing.test', self.network.address(11))):
            with self.subTest(recipient):
                token, hop = new_token(), self.hop(host)
                self.submit(token, recipient)
                self.wait_for_mail(hop, token)

    def test_each_address_of_a_host_is_tried(self):
        token, hop = new_token(), self.hop(self.network.address(14))
        self.submit(token, 'someone@several.test')
        self.wait_for_mail(hop, token)

    def test_the_second_mx_is_used_when_the_first_is_down(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[1])
        self.submit(token, domain.address())
        self.wait_for_mail(hop, token)
        self.assertEqual(self.events('Bounce', domain.address()), [])

    def test_the_first_mx_is_preferred(self):
        domain, token = self.domain(), new_token()
        first, second = self.hop(domain.mx[0]), self.hop(domain.mx[1])
        self.submit(token, domain.address())
        self.wait_for_mail(first, token)
        self.assertEqual(second.connections, 0)

    def test_the_second_mx_is_used_when_the_first_greets_badly(self):
        for greeting in (say('421 4.3.2 Not now'), say('554 5.3.2 Never'), drop(),
                         raw(b'junk\r\n')):
            with self.subTest(greeting.code):
                domain, token = self.domain(), new_token()
                first = self.hop(domain.mx[0], {'greeting': greeting})
                hop = self.hop(domain.mx[1])
                self.submit(token, domain.address())
                self.wait_for_mail(hop, token)
                self.assertGreater(first.connections, 0)

    def test_mail_waits_for_a_host_that_is_down(self):
        domain, token = self.domain(), new_token()
        self.submit(token, domain.address())
        event = self.wait_for_event('TransientFailure', domain.address())
        self.assertIn(str(event['response']['code'])[:1], '4')
        self.assertEqual(len(self.waiting(domain.address())), 1)
        hop = self.hop(domain.mx[0])
        self.wait_for_mail(hop, token)
        self.wait_for_empty_queue()

    def test_greylisting_is_waited_out(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0], {'rcpt': greylist()})
        self.submit(token, domain.address('a'), domain.address('b'))
        mails = wait_until(lambda: hop.received(token), 15, 'the greylisted mail')
        wait_until(lambda: sum(len(mail.recipients) for mail in hop.received(token)) == 2, 15,
                   'both recipients')
        self.assertEqual(mails[0].sender, BOB)
        event, = self.events('TransientFailure', domain.address('a'))
        self.assertEqual((event['response']['code'], event['bounce_classification']),
                         (451, 'policy-related'))
        self.wait_for_empty_queue()
        self.assertEqual(self.bounces(token), [])

    def test_a_refusal_for_now_at_any_step_is_tried_again(self):
        for step, reply in (('greeting', '421 4.3.2 no'), ('ehlo', '421 4.3.2 no'),
                            ('mail', '451 4.3.0 no'), ('rcpt', '450 4.2.0 no'),
                            ('data', '451 4.3.0 no'), ('content', '452 4.3.1 no')):
            with self.subTest(step):
                domain, token = self.domain(), new_token()
                hop = self.hop(domain.mx[0], {step: [say(reply), None]})
                self.submit(token, domain.address())
                self.wait_for_mail(hop, token)
                self.wait_for_event('Delivery', domain.address())
                self.assertEqual(len(self.events('TransientFailure', domain.address())), 1)
        self.wait_for_empty_queue()

    def test_a_drop_at_any_step_is_tried_again(self):
        for step, action in (('connect', drop()), ('greeting', drop(reset=True)), ('ehlo', drop()),
                             ('mail', drop()), ('rcpt', drop()), ('data', drop()),
                             ('body', drop_within(30_000)), ('content', drop()),
                             ('content', drop(reset=True)), ('mail', drop(b'250'))):
            with self.subTest(step):
                domain, token = self.domain(), new_token()
                hop = self.hop(domain.mx[0], {step: [action, None]})
                self.submit(token, domain.address(), content=message(token, 100_000))
                self.wait_for_mail(hop, token)
                self.wait_for_event('Delivery', domain.address())
        self.wait_for_empty_queue()

    def test_a_drop_after_the_reply_delivers_once(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0], {'quit': drop(), 'content': raw(b'250 2.0.0 ok\r\n')})
        self.submit(token, domain.address())
        self.wait_for_mail(hop, token)
        self.wait_for_empty_queue()
        self.assertEqual(len(hop.received(token)), 1)

    def test_nonsense_at_any_step_is_tried_again(self):
        for step in ('greeting', 'ehlo', 'mail', 'rcpt', 'data', 'content'):
            for action in (raw(b'what\r\n'), raw(b'999 what\r\n'), raw(b'\x00\xff\r\n'),
                           endless()):
                with self.subTest(step=step, code=action.code):
                    domain, token = self.domain(), new_token()
                    hop = self.hop(domain.mx[0], {step: [action, None]})
                    self.submit(token, domain.address())
                    self.wait_for_mail(hop, token)

    def test_slow_replies_and_replies_of_many_lines_are_read(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0], {
            'greeting': say('220-mx', '220-' + 'x' * 900, '220 mx', pause=0.0005),
            'ehlo': say('250-mx', '250-8BITMIME', '250 SIZE', pause=0.002),
            'mail': say('250-a', '250 b', pause=0.002),
            'rcpt': say('250-2.1.5 a', '250 2.1.5 b', pause=0.002),
            'data': say('354-go', '354 on', pause=0.002),
            'content': say('250-2.0.0 a', '250-2.0.0', '250 2.0.0 b', pause=0.002)})
        self.submit(token, domain.address())
        self.wait_for_mail(hop, token)
        self.wait_for_event('Delivery', domain.address())

    def test_helo_where_ehlo_is_refused(self):
        for reply in ('500 5.5.1 What', '502 5.5.1 No', '550 No'):
            with self.subTest(reply):
                domain, token = self.domain(), new_token()
                hop = self.hop(domain.mx[0], {'ehlo': say(reply)})
                self.submit(token, domain.address())
                self.assertEqual(self.wait_for_mail(hop, token).parameters, '')
                self.assertEqual(len(hop.said('HELO')), 1)

    def test_without_pipelining_commands_wait_for_replies(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0], extensions=('8BITMIME',))
        self.submit(token, domain.address('a'), domain.address('b'))
        self.wait_for_mail(hop, token)

    def test_a_host_may_take_few_recipients_at_once(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0], {'rcpt': at_most_recipients(2)})
        recipients = sorted(domain.address(name) for name in 'abcde')
        self.submit(token, *recipients)
        wait_until(lambda: sum(len(mail.recipients) for mail in hop.received(token)) >= 5, 15,
                   'all recipients')
        self.assertEqual(sorted(recipient for mail in hop.received(token)
                                for recipient in mail.recipients), recipients)
        self.wait_for_empty_queue()

    def test_one_recipient_put_off_does_not_hold_the_others(self):
        domain, token = self.domain(), new_token()
        later = {domain.address('b'): say('452 4.2.2 Full')}
        hop = self.hop(domain.mx[0], {'rcpt': for_recipients(later)})
        self.submit(token, domain.address('a'), domain.address('b'))
        self.assertEqual(self.wait_for_mail(hop, token).recipients, [domain.address('a')])
        self.wait_for_event('TransientFailure', domain.address('b'))
        later.clear()
        wait_until(lambda: len(hop.received(token)) == 2, 15, 'the other recipient')
        self.assertEqual(hop.received(token)[1].recipients, [domain.address('b')])
        self.wait_for_empty_queue()

    def test_many_messages_arrive_once_each(self):
        domain = self.domain()
        hop = self.hop(domain.mx[0])
        tokens = [[new_token() for _ in range(50)] for _ in range(8)]

        def each(client, number):
            for token in tokens[number]:
                client.sendmail(BOB, [domain.address()], message(token))
        CountingThreads(self.server, 8, each).run()
        wait_until(lambda: len(hop.accepted()) >= 400, 30, '400 messages')
        self.wait_for_empty_queue()
        text = b''.join(mail.content for mail in hop.accepted())
        for token in sum(tokens, []):
            self.assertEqual(text.count(b'X-Token: ' + token.encode()), 1)
        self.assertLess(hop.connections, 200, 'connections are not used again')


class RelayAndNames(RelayCase):
    def test_mail_waits_while_the_name_server_fails(self):
        token = new_token()
        self.submit(token, 'someone@broken.test')
        event = self.wait_for_event('TransientFailure', 'someone@broken.test')
        self.assertEqual(event['response']['code'] // 100, 4)
        self.assertEqual(len(self.waiting('someone@broken.test')), 1)
        self.assertEqual(self.bounces(token), [])

    def test_mail_waits_while_the_name_server_is_down(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0])
        self.names.pause()
        self.addCleanup(lambda: self.names.process or self.names.start())
        self.submit(token, domain.address())
        self.wait_for_event('TransientFailure', domain.address(), 30)
        self.assertEqual(hop.connections, 0)
        self.names.start()
        self.wait_for_mail(hop, token, 30)

    def test_what_waits_survives_a_crash(self):
        domain, token = self.domain(), new_token()
        self.submit(token, domain.address())
        self.wait_for_event('TransientFailure', domain.address())
        self.server.kill()
        self.server.start()
        self.assertEqual(len(self.waiting(domain.address())), 1)
        hop = self.hop(domain.mx[0])
        self.wait_for_mail(hop, token)
