"""What a site's limits promise: connections at a time, and messages at a pace, of all cores."""

import os

from harness import BOB, message, new_token, wait_until
from relay import CountingThreads, RelayCase

MESSAGES = int(os.environ.get('KURIR_PACED_MESSAGES', '500'))
RATE = 100
SENDERS = 5


class RelayLimits(RelayCase):
    settings = {'default.max_message_rate': f'"{RATE}/s"', 'default.connection_limit': 5,
                'queue.max_age': '"1h"'}

    def test_a_site_is_sent_to_at_its_pace_by_so_many_connections(self):
        domain, token = self.domain(), new_token()
        most = [0]

        def count(session, _):
            most[0] = max(most[0], len(session.server.open_sessions))

        sent = message(token)
        CountingThreads(self.server, SENDERS, lambda client, _: [
            client.sendmail(BOB, [domain.address()], sent)
            for _ in range(MESSAGES // SENDERS)]).run()
        hop = self.hop(domain.mx[0], {'mail': count})  # now: the senders do not set the pace
        wait_until(lambda: len(hop.accepted()) >= MESSAGES, 2 * MESSAGES / RATE + 10,
                   'all of the messages')
        self.assertEqual(len(hop.accepted()), MESSAGES)
        self.assertLessEqual(most[0], 5)
        arrivals = [mail.arrived for mail in hop.accepted()]
        seconds = arrivals[-1] - arrivals[0]
        self.assertAlmostEqual((MESSAGES - 1) / seconds, RATE, delta=0.05 * RATE)
        # No bursts: any second has its share, and what the next hop's threads are late by.
        for first in range(MESSAGES):
            within = sum(1 for arrival in arrivals if 0 <= arrival - arrivals[first] < 1)
            self.assertLessEqual(within, 1.15 * RATE)
        self.wait_for_empty_queue()
