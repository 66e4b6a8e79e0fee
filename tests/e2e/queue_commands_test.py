"""The queue by command: what each order does, counted exactly, and that it outlasts a crash."""

import json
import re

from harness import BOB, Case, message, new_token, wait_until


class QueueCommands(Case):
    def setUp(self):
        self.domain = f'{new_token()}.test'

    def submit(self, *recipients, sender=BOB):
        with self.server.smtp('submission', BOB) as client:
            client.mail(sender)
            for recipient in recipients:
                client.rcpt(recipient)
            code, text = client.data(message(new_token()))
        self.assertEqual(code, 250)
        return re.search(rb'queued as (\S+)', text).group(1).decode()

    def ask(self, *arguments, check=True):
        done = self.server.run(*arguments, '--json', check=check)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def listed(self, *filters):
        return [entry['queue_id'] for entry in self.ask('queue', 'list', *filters)]

    def order(self, *arguments):
        answer = self.ask('queue', *arguments)[0]
        return answer['messages'], answer['recipients']

    def summary(self):
        answer = self.ask('queue', 'summary', '--domain', self.domain)[0]
        return answer['domains'][0] if answer['domains'] else None

    def clear(self):
        self.server.run('queue', 'remove', '--domain', self.domain)

    def test_filters_choose_and_dry_runs_only_count(self):
        first = self.submit(f'one@{self.domain}')
        second = self.submit(f'two@{self.domain}', f'three@{self.domain}', 'x@other.test')
        here = ('--domain', self.domain)
        self.assertEqual(self.listed(*here), [first, second])
        self.assertEqual(self.listed(*here, '--recipient', 'TWO@*'), [second])
        self.assertEqual(self.listed(*here, '--sender', BOB, '--limit', '1'), [first])
        self.assertEqual(self.listed(*here, '--sender', '<>'), [])
        self.assertEqual(self.listed(*here, '--older-than', '1h'), [])
        self.assertEqual(self.listed(*here, '--state', 'held'), [])
        self.assertEqual(self.listed(second, first), [first, second])
        self.assertEqual(self.order('remove', *here, '--dry-run'), (2, 3))
        self.assertEqual(self.order('remove', *here, '--recipient', 't*', '--dry-run'), (1, 2))
        self.assertEqual(self.listed(*here), [first, second])
        self.assertEqual(self.order('remove', *here), (2, 3))
        self.assertEqual(self.listed(*here), [])
        self.assertEqual(self.listed('--recipient', 'x@other.test'), [second])
        self.assertEqual(self.order('remove', second), (1, 1))

    def test_what_is_held_stays_held_over_a_crash_until_it_is_released(self):
        identity = self.submit(f'one@{self.domain}')
        other = self.submit(f'two@{self.domain}')
        self.assertEqual(self.order('hold', identity), (1, 1))
        self.assertEqual(self.order('hold', identity), (0, 0))
        self.assertEqual(self.order('hold', other), (1, 1))
        self.assertEqual(self.order('release', other), (1, 1))
        self.server.kill()
        self.server.start()
        self.assertEqual(self.listed('--domain', self.domain, '--state', 'held'), [identity])
        self.assertEqual(self.summary()['held'], 1)
        self.assertEqual(self.order('retry', identity), (0, 0))
        self.assertIn('holds it', self.server.run('why', identity).stdout)
        self.assertEqual(self.order('release', '--domain', self.domain), (1, 1))
        self.assertEqual(self.listed('--domain', self.domain, '--state', 'held'), [])
        self.clear()

    def test_what_was_bounced_or_removed_is_gone_over_a_crash(self):
        bounced = self.submit(f'one@{self.domain}')
        removed = self.submit(f'two@{self.domain}')
        kept = self.submit(f'three@{self.domain}')
        self.assertEqual(self.order('bounce', bounced, '--reason', 'not wanted'), (1, 1))
        self.assertEqual(self.order('remove', removed), (1, 1))
        told = wait_until(lambda: self.told(2), what='the events')
        self.assertEqual(set(told), {bounced, removed})
        self.assertIn('not wanted', told[bounced]['response']['content'])
        self.server.kill()
        self.server.start()
        wait_until(lambda: self.listed('--domain', self.domain) == [kept], what='the bounce')
        self.clear()

    def told(self, count):
        """The AdminBounce events of this test, by queue id, when there are so many."""
        events = [json.loads(line) for line in
                  (self.server.folder / 'log').read_text().splitlines()
                  if self.domain in line and line.startswith('{')]
        told = {event['id']: event for event in events if event['type'] == 'AdminBounce'}
        return told if len(told) == count else None

    def test_the_summary_counts_what_waits(self):
        self.assertIsNone(self.summary())
        self.submit(f'one@{self.domain}', f'two@{self.domain}')
        held = self.submit(f'three@{self.domain}')
        self.order('hold', held)
        counts = self.summary()
        self.assertEqual((counts['recipients'], counts['held']), (3, 1))
        self.assertEqual(sum(counts['ages']), 3)
        for by in ('domain', 'site', 'state', 'age'):
            self.assertRegex(self.server.run('queue', 'summary', '--by', by).stdout, '(?m)^[A-Z]+ ')
        self.assertIn(self.domain, self.server.run('queue', 'summary').stdout)
        self.clear()
        self.assertIsNone(self.summary())

    def test_why_says_what_a_message_waits_for(self):
        identity = self.submit(f'one@{self.domain}')
        answer = self.ask('why', identity)[0]
        self.assertEqual([one['address'] for one in answer['recipients']], [f'one@{self.domain}'])
        self.assertGreater(len(answer['recipients'][0]['waits_for']), 10)
        self.assertIn('queue.max_age', self.server.run('why', identity).stdout)
        self.clear()
        self.assertEqual(self.server.run('why', identity, check=False).returncode, 65)

    def test_orders_without_a_condition_are_refused(self):
        for order in ('retry', 'hold', 'release', 'bounce', 'remove'):
            done = self.server.run('queue', order, check=False)
            self.assertEqual(done.returncode, 65, order)
            self.assertIn('--everything', done.stderr)
        for wrong in (('--older-than', 'x'), ('--state', 'late'), ('nonsense!',)):
            self.assertIn(self.server.run('queue', 'list', *wrong, check=False).returncode,
                          (64, 65))

    def test_a_list_longer_than_a_piece_is_whole(self):
        with self.server.smtp('submission', BOB) as client:
            for number in range(600):
                client.sendmail(BOB, f'{number:04}{"x" * 50}@{self.domain}', message('t'))
        listed = self.ask('queue', 'list', '--domain', self.domain)
        addresses = [entry['recipients'][0]['address'] for entry in listed]
        self.assertEqual(len(set(addresses)), 600)
        arrivals = [entry['arrival_time'] for entry in listed]
        self.assertEqual(arrivals, sorted(arrivals))
        self.assertEqual(self.order('hold', '--domain', self.domain), (600, 600))
        self.assertEqual(self.order('remove', '--domain', self.domain, '--state', 'held'),
                         (600, 600))
