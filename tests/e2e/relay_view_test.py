"""What people are told of mail on its way out: where it waits, for what, since which line of the
configuration, and how long each stage took."""

import datetime
import json

from harness import BOB, message, new_token, wait_until
from next_hop import for_recipients, say
from relay import RelayCase

RATE = 5  # messages a minute
INTERVAL = '"500ms"'


class RelayView(RelayCase):
    settings = {'"slow.test".max_message_rate': f'"{RATE}/min"', 'cores': 2}
    zone = 'slow MX 10 mx.slow\nmx.slow A {1}\ndead MX 10 mx.dead\nmx.dead A {2}\n'

    def ask(self, *arguments):
        done = self.server.run(*arguments, '--json')
        return [json.loads(line) for line in done.stdout.splitlines()]

    def listed(self, recipient, *filters):
        return [entry for entry in self.ask('queue', 'list', *filters)
                for one in entry['recipients'] if one['address'] == recipient]

    def test_a_site_is_known_before_the_first_attempt(self):
        """The second message waits for its turn: nobody has tried it yet."""
        hop = self.hop(self.network.address(1))
        first, token = 'first@slow.test', new_token()
        self.submit(token, first)
        self.wait_for_mail(hop, token)
        recipients = [f'{number}@slow.test' for number in range(6)]  # on all cores
        for recipient in recipients:
            self.submit(new_token(), recipient)
        site = 'unspecified->slow.test@smtp_client'
        wait_until(lambda: len(self.ask('queue', 'list', '--site', site)) == len(recipients),
                   10, 'the queue by site')
        self.assertEqual(self.ask('queue', 'list', '--site', '*dead*'), [])
        summary, = self.ask('queue', 'summary', '--site', site)
        self.assertEqual([(row['site'], row['recipients']) for row in summary['sites']],
                         [(site, len(recipients))])
        for recipient in recipients:
            entry, = self.listed(recipient)
            one, = entry['recipients']
            if one['state'] != 'ready':
                continue  # it has its place, and the connection for it
            self.assertIn(site, one['waits_for'])
            shown = self.server.run('queue', 'list', '--recipient', recipient).stdout
            self.assertIn(site, shown)
            why = self.server.run('why', entry['queue_id']).stdout
            self.assertIn(f'max_message_rate = {RATE}/m (--set "slow.test"', why)
            self.assertIn(site, why)
            break
        else:
            self.fail('none is ready')
        self.server.run('queue', 'remove', '--domain', 'slow.test')

    def test_the_last_trouble_of_a_site_is_seen_from_any_core(self):
        recipients = [f'{number}@dead.test' for number in range(8)]
        for recipient in recipients:
            self.submit(new_token(), recipient)
        wait_until(lambda: all(self.waiting(recipient) for recipient in recipients), 10,
                   'the queue')
        trouble = f'mx.dead.test [{self.network.address(2)}]: Connection refused'

        attempts = []

        def everybody_knows():  # the sessions, and so the messages, are on both cores
            attempts.clear()
            for recipient in recipients:
                entry, = self.listed(recipient)
                one, = entry['recipients']
                if trouble not in one.get('delay_reason', ''):
                    return False
                attempts.append(one['attempts'])
            return True
        wait_until(everybody_knows, 15, 'the trouble in each entry')
        self.assertEqual(min(attempts), 0, 'each knows only its own')
        shown = self.server.run('queue', 'list', '--domain', 'dead.test').stdout
        self.assertEqual(shown.count(trouble), len(recipients))
        self.server.run('queue', 'remove', '--domain', 'dead.test')

    def test_why_names_the_line_of_a_queue_key(self):
        domain, token = self.domain(), new_token()
        self.hop(domain.mx[0], {'rcpt': say('451 4.7.1 later')})
        self.submit(token, domain.address())
        wait_until(lambda: self.listed(domain.address())[0]['recipients'][0]['attempts'] > 0
                   and 'next_attempt' in self.listed(domain.address())[0], 15, 'an attempt')
        identity = self.listed(domain.address())[0]['queue_id']
        wait_until(lambda: 'queue.retry_interval is 500ms '
                   f'(--set queue.retry_interval={INTERVAL})'
                   in self.server.run('why', identity).stdout, 10, 'the retry interval')
        self.assertIn('queue.max_age is 1m, --set queue.max_age="60s"',
                      self.server.run('why', identity).stdout)
        self.server.run('queue', 'remove', identity)

    def test_events_tell_the_times_and_who_sent_it(self):
        domain, token = self.domain(), new_token()
        recipient = domain.address()
        hop = self.hop(domain.mx[0], {'rcpt': [say('451 4.7.1 later'), None]})
        self.submit(token, recipient)
        self.wait_for_mail(hop, token)
        reception = self.wait_for_event('Reception', recipient)
        put_off = self.wait_for_event('TransientFailure', recipient)
        delivery = self.wait_for_event('Delivery', recipient)
        for stage in ('receive', 'commit'):
            self.assertGreaterEqual(reception['stage_us'][stage], 0)
        self.assertNotIn('first_attempt_time', reception)
        for stage in ('queue', 'connect', 'data'):
            self.assertGreaterEqual(put_off['stage_us'][stage], 0)
        self.assertGreaterEqual(delivery['stage_us']['data'], 0)
        for event in (reception, put_off, delivery):
            self.assertEqual(event['meta']['authn_id'], BOB)
            self.assertRegex(event['meta']['received_from'], r'^127\.0\.0\.1:\d+$')
            self.assertEqual(event['durable_time'], reception['durable_time'])
        first = put_off['first_attempt_time']
        self.assertEqual(delivery['first_attempt_time'], first)
        times = [reception['created_time'], reception['durable_time'], first,
                 put_off['event_time'], delivery['event_time']]
        self.assertEqual(sorted(times), times)
        self.assertGreater(moment(delivery['event_time']) - moment(first),
                           datetime.timedelta(seconds=0.4))

    def test_a_bounce_tells_the_address_of_the_host_that_refused(self):
        domain, token = self.domain(), new_token()
        recipient = domain.address()
        self.hop(domain.mx[0], {'rcpt': for_recipients({recipient: say('550 5.1.1 no such user')})})
        self.submit(token, recipient, content=message(token, sender=BOB))
        bounce = self.wait_for_bounce(token)
        self.assertIn(f'mx1.{domain.name} [{domain.mx[0]}]', bounce.text)


def moment(text):
    return datetime.datetime.fromisoformat(text.replace('Z', '+00:00'))
