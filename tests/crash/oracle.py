"""What must be true after a crash, from acknowledgements and from what is found; no I/O."""

import collections


class Oracle:
    """Collects what was acknowledged and what is there; says what is lost, doubled, damaged."""

    def __init__(self):
        self.acknowledged = []
        self.in_mailbox = collections.Counter()  # (user, token) -> times
        self.in_queue = collections.Counter()    # queue id -> times
        self.damaged = set()
        self.rotten = set()  # tokens whose octets were changed on the disk: their loss is known

    def found_in_mailbox(self, user, token, intact):
        self.in_mailbox[user, token] += 1
        if not intact:
            self.damaged.add((user, token))

    def queue_is(self, identities):
        """What is queued now: replaces what was said before."""
        self.in_queue = collections.Counter(identities)

    def lost(self):
        """[(queue id, recipient)] of what was acknowledged and is nowhere."""
        return [(sent.queue_id, name) for sent in self.acknowledged for name in sent.recipients
                if sent.token not in self.rotten and not self.times(sent, name)]

    def times(self, sent, name):
        if name.endswith('@example.test'):
            return self.in_mailbox[name, sent.token]
        return self.in_queue[sent.queue_id]

    def duplicated(self):
        """Whatever is there more than once, acknowledged or not."""
        return [key for counter in (self.in_mailbox, self.in_queue)
                for key, times in counter.items() if times > 1]
