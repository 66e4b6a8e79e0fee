#!/usr/bin/env python3
"""The crash tests' oracle against planted losses, doubles and damage: each is found."""

import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from mailbox_work import Work  # noqa: E402
from oracle import Oracle  # noqa: E402
from relay_run import IN_FLIGHT_SECONDS, RelayOracle  # noqa: E402
from senders import ALICE, BOB, Sent, build, intact  # noqa: E402


class Planted(unittest.TestCase):
    def setUp(self):
        self.oracle = Oracle()
        self.oracle.acknowledged = [Sent('one', [ALICE, BOB], 'A1'),
                                    Sent('two', ['x@elsewhere.test', BOB], 'A2')]

    def all_found(self):
        for user, token in ((ALICE, 'one'), (BOB, 'one'), (BOB, 'two')):
            self.oracle.found_in_mailbox(user, token, True)
        self.oracle.queue_is(['A2'])

    def test_nothing_wrong(self):
        self.all_found()
        self.assertEqual((self.oracle.lost(), self.oracle.duplicated()), ([], []))

    def test_lost(self):
        self.oracle.found_in_mailbox(ALICE, 'one', True)
        self.oracle.found_in_mailbox(BOB, 'two', True)
        self.assertEqual(self.oracle.lost(), [('A1', BOB), ('A2', 'x@elsewhere.test')])

    def test_duplicated_in_mailbox_and_queue(self):
        self.all_found()
        self.oracle.found_in_mailbox(BOB, 'one', True)
        self.oracle.found_in_mailbox(BOB, 'never acknowledged', True)
        self.oracle.found_in_mailbox(BOB, 'never acknowledged', True)
        self.oracle.queue_is(['A2', 'A2'])
        self.assertEqual(self.oracle.duplicated(),
                         [(BOB, 'one'), (BOB, 'never acknowledged'), 'A2'])

    def test_what_was_not_acknowledged_may_be_there_once(self):
        self.all_found()
        self.oracle.found_in_mailbox(BOB, 'extra', True)
        self.assertEqual((self.oracle.lost(), self.oracle.duplicated()), ([], []))

    def test_every_changed_octet_is_damage(self):
        content = build('token', [BOB], 500)
        self.assertEqual(intact(b'Received: x\r\n' + content), ('token', True))
        start = content.index(b'\r\n\r\n') + 4
        for at in range(start, len(content)):
            changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]
            self.assertEqual(intact(changed), ('token', False), at)
        for end in range(start, len(content)):
            self.assertEqual(intact(content[:end]), ('token', False), end)


class PlantedRelay(unittest.TestCase):
    def setUp(self):
        self.oracle = RelayOracle()
        self.oracle.acknowledged = [Sent('one', ['one-0@elsewhere.test', BOB], 'A1')]
        self.oracle.found_in_mailbox(BOB, 'one', True)
        self.oracle.kills = [1000.0]

    def arrives(self, *moments, is_intact=True):
        for moment in moments:
            self.oracle.arrived('one-0@elsewhere.test', moment, 'one', is_intact)

    def test_lost(self):
        self.oracle.queue_is(['A1'])
        self.assertEqual(self.oracle.lost(), [('A1', 'one-0@elsewhere.test')])

    def test_twice_around_a_kill_is_no_fault(self):
        self.arrives(1000.0 - IN_FLIGHT_SECONDS / 2, 1001.0)
        self.assertEqual((self.oracle.lost(), self.oracle.duplicated()), ([], []))
        self.assertEqual(self.oracle.sent_again(), 1)

    def test_twice_without_a_kill_or_long_before_one(self):
        for first, second in ((990.0, 990.1), (990.0, 1001.0), (1001.0, 1002.0)):
            self.oracle.arrivals.clear()
            self.arrives(first, second)
            self.assertEqual(self.oracle.duplicated(), ['one-0@elsewhere.test'])

    def test_damaged(self):
        self.arrives(999.0, is_intact=False)
        self.assertTrue(self.oracle.damaged)


class Uids(unittest.TestCase):
    """A worker's APPEND, the next one with the same UID, and what the oracle says of it."""

    def appended(self, work, token, uid):
        step = work.begin(token, ('Work', frozenset()))
        work.uid_is(step, 'Work', token, uid)
        work.end(step)
        return step[1]

    def test_what_was_answered_before_the_cut_stays(self):
        work = Work()
        answered = self.appended(work, 'one', 81)
        work.found({}, answered + 1)
        self.assertEqual(len(work.wrong), 1)  # it is gone
        self.appended(work, 'two', 81)
        work.found({'two': [('Work', frozenset(), 81, True)]}, time.monotonic() + 1)
        self.assertEqual(len(work.wrong), 2)  # and its UID came again

    def test_what_was_answered_after_it_may_be_taken_back(self):
        work = Work()
        answered = self.appended(work, 'one', 81)
        work.found({}, answered - 1)
        self.appended(work, 'two', 81)
        work.found({'two': [('Work', frozenset(), 81, True)]}, time.monotonic() + 1)
        self.assertEqual(work.wrong, [])


if __name__ == '__main__':
    outcome = unittest.main(exit=False).result
    bad = len(outcome.failures) + len(outcome.errors)
    print(f'{outcome.testsRun - bad} passed, {bad} failed')
    sys.exit(1 if bad else 0)
