"""Crashes while mail leaves: what was acknowledged arrives at the next hop, and is sent twice only
where it was being sent when the server was killed."""

import pathlib
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'e2e')]

from name_server import NameServer  # noqa: E402
from next_hop import NextHop  # noqa: E402
from oracle import Oracle  # noqa: E402
from relay import Network, relay_arguments  # noqa: E402
from senders import intact  # noqa: E402

# A next hop's 250 is on its way, is read and is journalled: until then a message is being sent.
IN_FLIGHT_SECONDS = 0.1
# A commit on a loop image takes longer.
POWER_IN_FLIGHT_SECONDS = 1.0
LOCAL = '@example.test'


class RelayOracle(Oracle):
    """What is for elsewhere must arrive there, and nowhere wait, in the end."""

    def __init__(self, in_flight_seconds=IN_FLIGHT_SECONDS):
        super().__init__()
        self.in_flight_seconds = in_flight_seconds
        self.arrivals = {}  # recipient -> times of arrival; each recipient has one message
        self.kills = []

    def arrived(self, recipient, moment, token, is_intact):
        self.arrivals.setdefault(recipient, []).append(moment)
        if not is_intact:
            self.damaged.add((recipient, token))

    def times(self, sent, name):
        if name.endswith(LOCAL):
            return self.in_mailbox[name, sent.token]
        return len(self.arrivals.get(name, ()))

    def duplicated(self):
        """In a mailbox, or sent again although no kill stood between."""
        wrong = [key for key, times in self.in_mailbox.items() if times > 1]
        return wrong + [name for name, moments in self.arrivals.items()
                        if not all(self.was_in_flight(moment) for moment in sorted(moments)[:-1])]

    def sent_again(self):
        """Copies that a kill explains."""
        return sum(len(moments) - 1 for moments in self.arrivals.values())

    def was_in_flight(self, moment):
        return any(abs(moment - kill) <= self.in_flight_seconds for kill in self.kills)


class Elsewhere:
    """The name server and the next hop that outlive all crashes."""

    def __init__(self, oracle):
        self.oracle, self.lock = oracle, threading.Lock()
        self.network = Network()
        self.names = NameServer({'elsewhere.test': f'@ MX 10 mx\nmx A {self.network.address(1)}\n'})
        self.hop = NextHop(self.network.address(1), self.network.port, {'content': self.take})

    def start(self):
        self.names.start()
        self.hop.start()
        return relay_arguments(self.names, self.network, {'queue.retry_interval': '"200ms"'})

    def stop(self):
        self.hop.stop()
        self.names.stop()

    def take(self, _, mail):
        """Counts it, before it is answered, and forgets its content."""
        token, is_intact = intact(mail.content) or ('?', False)
        mail.content = b''
        moment = time.time()
        with self.lock:
            for recipient in mail.recipients:
                self.oracle.arrived(recipient, moment, token, is_intact)
