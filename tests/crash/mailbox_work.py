"""A user who works in mailboxes while the server is crashed: appends, flags, moves and expunges.
What was answered with OK before the cut stays; what was being done then is done or is not."""

import contextlib
import imaplib
import random
import re
import threading
import time

from senders import BOB, build, intact

FOLDERS = ('Work', 'Done')
FLAGS = ('\\Flagged', '\\Answered', '$Label1', '$Label2')
MESSAGES_MAX = 40
GONE = None
BEFORE = 0.001  # the moment of what an earlier cycle has done


class Work:
    """What was done over all cycles. A state is (folder, flags) or GONE."""

    def __init__(self):
        self.steps = {}       # token -> [[state, the moment of its OK or None]]
        self.uids = {}        # (folder, token) -> UID
        self.newest_uid = {}  # folder -> the highest UID that was answered before its cut, or seen
        self.answered = []    # since the last cut: (step, folder, token, UID)
        self.wrong = []
        self.done = 0         # operations that were answered with OK before their cut

    def begin(self, token, state):
        step = [state, None]
        self.steps.setdefault(token, []).append(step)
        return step

    def end(self, step):
        step[1] = time.monotonic()

    def uid_is(self, step, folder, token, uid):
        self.uids[folder, token] = uid
        self.answered.append((step, folder, token, uid))

    def count_answered(self, cut):
        """What was answered by a server that was cut off already may be taken back."""
        for step, folder, token, uid in self.answered:
            if step[1] and step[1] < cut:
                self.is_new(folder, token, uid)
            elif self.uids.get((folder, token)) == uid:
                del self.uids[folder, token]
        self.answered = []

    def is_new(self, folder, token, uid):
        if uid <= self.newest_uid.get(folder, 0):
            self.wrong.append(f'UID {uid} of {folder} was given again to {token}')
        self.newest_uid[folder] = max(uid, self.newest_uid.get(folder, 0))
        self.uids[folder, token] = uid

    def present(self):
        """[(token, folder, flags)] as far as known."""
        return [(token, *steps[-1][0]) for token, steps in self.steps.items()
                if steps[-1][0] is not GONE]

    def found(self, mail, cut):
        """Compares with what is there: {token: [(folder, flags, uid, intact)]}, after a cut at
        that moment; what is there is then what was done."""
        self.count_answered(cut)
        for token, steps in list(self.steps.items()):
            known = [index for index, step in enumerate(steps) if step[1] and step[1] < cut]
            self.done += sum(1 for index in known if steps[index][1] > BEFORE)
            last = known[-1] if known else -1
            allowed = [step[0] for step in steps[max(last, 0):]]
            if last < 0:
                allowed.append(GONE)
            places = mail.pop(token, [])
            state = places[0][:2] if places else GONE
            if len(places) > 1:
                self.wrong.append(f'{token} is there {len(places)} times: {places}')
            elif state not in allowed:
                self.wrong.append(f'{token} is {state}, not one of {allowed}')
            for folder, _, uid, is_intact in places:
                if not is_intact:
                    self.wrong.append(f'{token} is damaged')
                if (folder, token) not in self.uids:
                    self.is_new(folder, token, uid)
                elif self.uids[folder, token] != uid:
                    self.wrong.append(f'the UID of {token} has changed')
                self.uids[folder, token] = uid
                self.newest_uid[folder] = max(uid, self.newest_uid.get(folder, 0))
            if state is GONE:
                del self.steps[token]
            else:
                self.steps[token] = [[state, BEFORE]]
        self.wrong += [f'{token} is there, though nobody put it' for token in mail]


class Worker(threading.Thread):
    """Works until the server is gone."""

    def __init__(self, name, server, work, seed):
        super().__init__(name=name, daemon=True)
        self.server, self.work, self.chance = server, work, random.Random(seed)

    def run(self):
        with contextlib.suppress(OSError, EOFError, AssertionError, imaplib.IMAP4.error):
            with self.server.imap(BOB) as client:
                for folder in FOLDERS:
                    client.create(folder)
                count = 0
                while True:
                    count += 1
                    self.operate(client, f'work-{self.name}-{count}')

    def operate(self, client, fresh):
        present = self.work.present()
        kind = self.chance.random()
        if not present or (kind < 0.45 and len(present) < MESSAGES_MAX):
            self.append(client, fresh)
            return
        token, folder, flags = self.chance.choice(present)
        self.expect(client.select(folder))
        uid = self.work.uids[folder, token]
        if kind < 0.65:
            flag = self.chance.choice(FLAGS)
            step = self.work.begin(token, (folder, flags | {flag}))
            self.expect(client.uid('store', str(uid), '+FLAGS', f'({flag})'))
        elif kind < 0.8:
            other = FOLDERS[1 - FOLDERS.index(folder)]
            step = self.work.begin(token, (other, flags))
            self.work.uids.pop((other, token), None)  # of an earlier stay: it gets a new one there
            status, data = client.uid('move', str(uid), other)
            self.expect((status, data))
            copied = client.untagged_responses.pop('COPYUID', None) or client.response(
                'COPYUID')[1]
            self.work.uid_is(step, other, token, int(copied[0].split()[2]))
        else:
            step = self.work.begin(token, GONE)
            self.expect(client.uid('store', str(uid), '+FLAGS', '(\\Deleted)'))
            self.expect(client.uid('expunge', str(uid)))
        self.work.end(step)

    def append(self, client, token):
        folder = self.chance.choice(FOLDERS)
        step = self.work.begin(token, (folder, frozenset()))
        content = build(token, [BOB], self.chance.choice((300, 4000, 60_000)))
        data = self.expect(client.append(folder, '', None, content))
        uid = int(re.search(rb'APPENDUID \d+ (\d+)', data[0]).group(1))
        self.work.uid_is(step, folder, token, uid)
        self.work.end(step)

    @staticmethod
    def expect(answer):
        status, data = answer
        if status != 'OK':
            raise EOFError
        return data


def look(server):
    """{token: [(folder, flags, uid, intact)]} of all work folders."""
    mail = {}
    with server.imap(BOB) as client:
        for folder in FOLDERS:
            if client.select(folder, readonly=True)[0] != 'OK':
                continue
            answer = client.uid('fetch', '1:*', '(UID FLAGS BODY.PEEK[])')[1]
            for index, part in enumerate(answer):
                if not isinstance(part, tuple) or not (seen := intact(part[1])):
                    continue
                after = answer[index + 1] if index + 1 < len(answer) else b''
                head = part[0] + (after if isinstance(after, bytes) else b'')
                flags = re.search(rb'FLAGS \(([^)]*)\)', head).group(1).decode().split()
                uid = int(re.search(rb'UID (\d+)', head).group(1))
                kept = frozenset(flags) & frozenset(FLAGS)
                mail.setdefault(seen[0], []).append((folder, kept, uid, seen[1]))
    return mail
