"""What mail leaves by: connections, their rate, what each carries, and from which address."""

import re
import time
from collections import Counter

from harness import new_token, wait_until
from relay import RelayCase

MESSAGES = 40


class RelayEgress(RelayCase):
    zone = ''.join(f'{name} MX 10 mx.{name}\nmx.{name} A {{{number}}}\n'
                   for number, name in enumerate(('rate', 'few', 'source', 'pool', 'alien'), 1))

    settings = {'"rate.test".max_connection_rate': '"4/s"',
                '"rate.test".max_deliveries_per_connection': 1,
                '"few.test".max_deliveries_per_connection': 3,
                '"few.test".connection_limit': 1,
                'source.one.source_address': '"127.0.0.101"',
                'source.one.ehlo_domain': '"one.example.test"',
                'source.two.source_address': '"127.0.0.102"',
                'source.alien.source_address': '"192.0.2.1"',
                'pool.both.one.weight': 3, 'pool.both.two.weight': 1,
                'pool.lone.two.weight': 1, 'pool.nowhere.alien.weight': 1,
                '"source.test".egress_pool': '"lone"',
                '"pool.test".egress_pool': '"both"',
                '"pool.test".max_deliveries_per_connection': 1,
                '"alien.test".egress_pool': '"nowhere"',
                'queue.max_age': '"1h"', 'cores': 2}

    def submit_many(self, count, domain):
        tokens = [new_token() for _ in range(count)]
        for token in tokens:
            self.submit(token, f'{token}@{domain}')
        return tokens

    def watched_hop(self, number):
        """A next hop that notes from where, and when, each connection came."""
        self.sources, self.opened, self.helo = [], [], []

        def note(session, argument):
            self.sources.append(session.peer[0])
            self.helo.append(argument)
        return self.hop(self.network.address(number),
                        {'ehlo': note, 'connect': self.note_opening})

    def note_opening(self, session, _):
        self.opened.append(time.monotonic())

    def wait_for(self, hop, count):
        wait_until(lambda: len(hop.accepted()) >= count, 30,
                   f'{count} messages\n{self.server.log_tail()}')
        self.assertEqual(len(hop.accepted()), count)

    def test_connections_are_made_at_their_rate(self):
        self.submit_many(9, 'rate.test')
        hop = self.watched_hop(1)
        self.wait_for(hop, 9)
        self.assertEqual(len(self.opened), 9)
        self.assertGreaterEqual(self.opened[-1] - self.opened[0], 8 / 4 * 0.95)
        for earlier, later in zip(self.opened, self.opened[1:]):
            self.assertGreater(later - earlier, 0.15)

    def test_a_connection_carries_no_more_than_it_may(self):
        self.submit_many(10, 'few.test')
        hop = self.watched_hop(2)
        self.wait_for(hop, 10)
        carried = Counter(mail.session for mail in hop.accepted())
        self.assertLessEqual(max(carried.values()), 3)
        self.assertGreater(max(carried.values()), 1, 'connections were not used again')

    def test_mail_leaves_from_the_address_of_its_source(self):
        token, = self.submit_many(1, 'source.test')
        hop = self.watched_hop(3)
        self.wait_for(hop, 1)
        self.assertEqual(self.sources, ['127.0.0.102'])
        delivery = self.wait_for_event('Delivery', f'{token}@source.test')
        self.assertEqual((delivery['egress_pool'], delivery['egress_source']), ('lone', 'two'))
        self.assertEqual(delivery['site'], 'two->source.test@smtp_client')

    def test_a_pool_shares_mail_out_by_weight(self):
        hop = self.watched_hop(4)
        self.submit_many(MESSAGES, 'pool.test')
        self.wait_for(hop, MESSAGES)
        counts = Counter(self.sources)
        self.assertEqual(set(counts), {'127.0.0.101', '127.0.0.102'})
        # Each of the two cores shares out what it has.
        self.assertAlmostEqual(counts['127.0.0.101'], MESSAGES * 3 / 4, delta=2)
        self.assertEqual({name for name, source in zip(self.helo, self.sources)
                          if source == '127.0.0.101'}, {'one.example.test'})

    def test_a_source_that_is_not_of_this_host_puts_mail_off(self):
        hop = self.watched_hop(5)
        token, = self.submit_many(1, 'alien.test')
        failure = self.wait_for_event('TransientFailure', f'{token}@alien.test')
        self.assertTrue(re.search('source address is not of this host',
                                  failure['response']['content']), failure['response'])
        self.assertEqual(hop.accepted(), [])
        self.server.run('queue', 'remove', '--domain', 'alien.test')
