"""Checkpoints: what is stored and queued is the same after stops and kills, whichever journal a
start reads, and the journal does not grow for ever."""

import contextlib
import imaplib
import re
import threading
import time
import unittest

from harness import ALICE, BOB, Server, expect_ok, message, new_token, quoted, wait_until

SMALL = ('--set', 'store.checkpoint_size=65536', '--set', 'store.segment_size=8MiB')
SEGMENTS_MAX = 6  # of a journal after a start: four, the checkpoint's, and what is prepared
KEYWORDS = ('$Forwarded', 'blue', 'green')


def mailbox_names(client):
    lines = [line.decode() for line in expect_ok(client.list()) if line]
    return sorted(re.search(r'"/" "?(.*?)"?$', line).group(1)
                  for line in lines if '\\Noselect' not in line and '\\NonExistent' not in line)


def mailbox_state(client, name):
    status = expect_ok(client.status(
        quoted(name), '(MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)'))
    expect_ok(client.select(quoted(name), readonly=True))
    parts = expect_ok(client.uid('fetch', '1:*', '(UID FLAGS MODSEQ INTERNALDATE BODY.PEEK[])'))
    client.unselect()
    return status, [tuple(map(without_recent, part)) if isinstance(part, tuple) else part
                    for part in parts]


def without_recent(piece):
    """\\Recent is nobody's to keep."""
    for flag in (b'\\Recent ', b' \\Recent', b'\\Recent'):
        piece = piece.replace(flag, b'')
    return piece


def state(server):
    """Everything a client or an administrator can ask for, that a restart must keep."""
    everything = {}
    for user in (ALICE, BOB):
        with server.imap(user) as client:
            everything[user, 'list'] = sorted(expect_ok(client.list()))
            everything[user, 'lsub'] = sorted(expect_ok(client.lsub()), key=str)
            for name in mailbox_names(client):
                everything[user, name] = mailbox_state(client, name)
    everything['queue'] = sorted(
        (str(entry.get('queue_id') or entry.get('id')), entry.get('sender'), entry.get('recipients')
         if isinstance(entry.get('recipients'), int) else len(entry.get('recipients') or ()),
         entry.get('state') == 'held') for entry in server.queue())
    return everything


def change_folders(client, prefix):
    """Folders made, renamed with what is below them, deleted, and one of a deleted one's name."""
    for name in ('a', 'a/b', 'a/b/c', 'gone', 'again', 'moved'):
        expect_ok(client.create(quoted(f'{prefix}{name}')))
    expect_ok(client.subscribe(quoted(f'{prefix}a/b')))
    expect_ok(client.rename(quoted(f'{prefix}a'), quoted(f'{prefix}z/y')))
    expect_ok(client.delete(quoted(f'{prefix}gone')))
    expect_ok(client.delete(quoted(f'{prefix}again')))
    expect_ok(client.create(quoted(f'{prefix}again')))


def change_messages(client, prefix):
    """Flags and keywords of all, a copy, a move, an expunge."""
    expect_ok(client.select('INBOX'))
    uids = (expect_ok(client.uid('search', 'ALL'))[0] or b'').decode().split()
    for place, uid in enumerate(uids):
        expect_ok(client.uid('store', uid, '+FLAGS', f'(\\Seen {KEYWORDS[place % 3]})'))
    if len(uids) < 4:
        return
    expect_ok(client.uid('copy', uids[-1], quoted(f'{prefix}again')))
    expect_ok(client.uid('move', uids[-2], quoted(f'{prefix}moved')))
    expect_ok(client.uid('store', uids[-3], '+FLAGS', '(\\Deleted)'))
    expect_ok(client.uid('expunge', uids[-3]))


class Restarts(unittest.TestCase):
    def fill(self, server):
        for count in range(12):
            for user in (ALICE, BOB):
                token = new_token()
                server.send(message(token, 500 + 1000 * count), user)
                server.wait_for(token.encode(), user)
        for user in (ALICE, BOB):
            with server.imap(user) as client:
                change_folders(client, 'first-')
                change_messages(client, 'first-')
        for count in range(6):
            server.send(message(new_token(), 300_000 if count == 3 else 800),
                        f'{new_token()}@elsewhere.test', listener='submission', user=BOB,
                        sender=BOB)
        held = server.queue()[0]
        server.run('queue', 'hold', str(held.get('queue_id') or held.get('id')))

    def assert_few_segments(self, server):
        for shard, numbers in server.segments('journal').items():
            self.assertLessEqual(len(numbers), SEGMENTS_MAX, shard)

    def test_what_ended_after_it_is_not_called_damaged(self):
        with Server(*SMALL) as server:
            for _ in range(8):
                token = new_token()
                server.send(message(token, 300_000), f'{token}@elsewhere.test',
                            listener='submission', user=BOB, sender=BOB)
            server.stop()
            server.start()
            held = server.segments('spool')
            server.run('queue', 'remove', '--everything')
            wait_until(lambda: sum(map(len, server.segments('spool').values())) <
                       sum(map(len, held.values())), 20, 'content to be given back')
            server.kill()
            server.start()
            self.assertEqual(server.queue(), [])
            self.assertNotIn('damaged', (server.folder / 'log').read_text())

    def test_everything_is_the_same_after_stops_and_starts(self):
        with Server() as server:
            self.fill(server)
            self.assertEqual(len(state(server)['queue']), 6)
            for count in range(9):
                with server.imap(BOB, 'INBOX') as client:
                    expect_ok(client.uid('store', '1:*', '+FLAGS', f'(number{count})'))
                before = state(server)
                server.restart()
                self.assert_few_segments(server)
                self.assertEqual(state(server), before)
                self.assertNotIn('damaged', server.log_tail())

    def test_everything_is_the_same_after_a_stop_and_kills(self):
        with Server() as server:
            self.fill(server)
            server.restart()
            for user in (ALICE, BOB):
                with server.imap(user) as client:
                    change_folders(client, 'second-')
                    change_messages(client, 'second-')
            before = state(server)
            for _ in range(3):
                server.kill()
                server.start()
                self.assertEqual(state(server), before)

    def test_queued_mail_can_still_be_removed_after_checkpoints(self):
        with Server() as server:
            self.fill(server)
            server.restart()
            server.restart()
            for entry in server.queue():
                server.run('queue', 'remove', str(entry.get('queue_id') or entry.get('id')))
            server.restart()
            self.assertEqual(server.queue(), [])


class Load:
    """Changes of all kinds on one server, until stop(), or until the server is gone."""

    def __init__(self, server):
        self.server, self.ended = server, False
        self.kept, self.expunged = set(), set()  # tokens that were acknowledged as such
        self.threads = [threading.Thread(target=self.until_ended, args=(work,), daemon=True)
                        for work in (self.deliver_and_expunge, self.deliver_and_expunge,
                                     self.deliver, self.folders, self.flags)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.ended = True
        self.join()

    def join(self):
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()

    def until_ended(self, work):
        while not self.ended:
            try:
                work()
            except (OSError, EOFError, imaplib.IMAP4.abort):
                return  # the kill

    def deliver_and_expunge(self):
        """One may be delivered again when a checkpoint forgets that it was."""
        token = new_token()
        with self.server.smtp() as client:
            client.sendmail('sender@example.org', [ALICE], message(token))
        with self.server.imap(ALICE, 'INBOX') as client:
            def uid():
                expect_ok(client.noop())
                found = client.uid('search', 'HEADER', 'X-Token', token)[1][0]
                return found.decode() if found else None
            one = wait_until(uid)
            expect_ok(client.uid('store', one, '+FLAGS', '(\\Deleted)'))
            expect_ok(client.uid('expunge', one))
        self.expunged.add(token)

    def deliver(self):
        with self.server.smtp() as client:
            for octets in (400, 3000, 30_000, 200_000):
                token = new_token()
                client.sendmail('sender@example.org', [BOB], message(token, octets))
                self.kept.add(token)

    def folders(self):
        with self.server.imap(BOB) as client:
            prefix = new_token()
            change_folders(client, f'{prefix}-')
            for name in ('z', 'again', 'moved'):
                client.delete(quoted(f'{prefix}-{name}'))

    def flags(self):
        with self.server.imap(BOB, 'INBOX') as client:
            expect_ok(client.uid('store', '1:*', '+FLAGS', f'(\\Flagged {KEYWORDS[0]})'))
            expect_ok(client.uid('store', '1:*', '-FLAGS', '(\\Flagged)'))


def checkpoints_moved(server, before, times):
    """Whether some shard has turned to newer checkpoints so many times."""
    now = server.oldest_journal_segments()
    return any(now[shard] >= before.get(shard, 1) + times for shard in now)


class UnderLoad(unittest.TestCase):
    def tokens_of(self, server, user):
        return [found.group(1).decode() for _, content in server.messages(user)
                if (found := re.search(rb'^X-Token: (\S+)', content, re.M))]

    def assert_kept(self, server, load):
        """Deliveries go on after the restart, so what is missing has some seconds to come."""
        wait_until(lambda: load.kept <= set(self.tokens_of(server, BOB)), 15, 'what was kept')
        for user in (ALICE, BOB):
            tokens = self.tokens_of(server, user)
            self.assertEqual(len(tokens), len(set(tokens)), f'doubled in the INBOX of {user}')
            self.assertFalse(set(tokens) & load.expunged, 'expunged, and delivered again')

    def test_what_was_acknowledged_outlasts_kills_among_checkpoints(self):
        with Server(*SMALL) as server:
            for _ in range(5):
                before = server.oldest_journal_segments()
                load = Load(server)
                wait_until(lambda: load.kept and load.expunged and
                           checkpoints_moved(server, before, 2), 60, 'checkpoints')
                server.kill()
                load.join()
                server.start()
                self.assert_kept(server, load)

    def test_the_state_is_the_same_after_a_kill(self):
        with Server(*SMALL) as server:
            for _ in range(3):
                before = server.oldest_journal_segments()
                load = Load(server)
                wait_until(lambda: checkpoints_moved(server, before, 2), 60, 'checkpoints')
                load.stop()
                wait_until(lambda: not server.queue(), 15, 'an empty queue')
                now = state(server)
                server.kill()
                server.start()
                self.assertEqual(state(server), now)

    def test_a_stop_under_load_loses_nothing(self):
        with Server(*SMALL, '--set', 'shutdown.grace=1s') as server:
            for _ in range(3):
                load = Load(server)
                wait_until(lambda: len(load.expunged) > 5 and len(load.kept) > 5, 60, 'load')
                server.stop()
                load.join()
                server.start()
                self.assert_kept(server, load)


if __name__ == '__main__':
    unittest.main()
