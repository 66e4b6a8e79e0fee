"""The peers of the relay's tests do what those tests think they do."""

import random
import smtplib
import socket
import struct
import unittest

from exim import Exim
from harness import Wire, message, new_token, run, wait_until
from name_server import NameServer, long_text
from next_hop import (NextHop, at_most_recipients, drop, drop_within, endless, for_recipients,
                      greylist, raw, say, silence)
from postfix import Postfix, free_port

A, CNAME, MX, TXT = 1, 5, 15, 16
NO_ERROR, SERVER_FAILURE, NAME_ERROR, REFUSED = 0, 2, 3, 5
TRUNCATED = 0x0200


def ask(port, name, kind, over_tcp=False):
    """(response code, flags, answers, octets of the response)."""
    identity = random.randrange(1 << 16)
    labels = b''.join(bytes([len(label)]) + label.encode() for label in name.split('.'))
    query = struct.pack('>6H', identity, 0x0100, 1, 0, 0, 0) + labels + struct.pack('>BHH', 0,
                                                                                  kind, 1)
    if over_tcp:
        with socket.create_connection(('127.0.0.1', port), 5) as connection:
            connection.sendall(struct.pack('>H', len(query)) + query)
            with connection.makefile('rb') as stream:
                reply = stream.read(struct.unpack('>H', stream.read(2))[0])
    else:
        with socket.socket(type=socket.SOCK_DGRAM) as asker:
            asker.settimeout(5)
            asker.connect(('127.0.0.1', port))
            asker.send(query)
            reply = asker.recv(65535)
    got, flags, _, answers = struct.unpack('>4H', reply[:8])
    assert got == identity
    return flags & 0xF, flags, answers, len(reply)


class NameServerServes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.names = NameServer({'remote.test': (
            '@ MX 10 mx1\n@ MX 20 mx2\nmx1 A 127.9.9.1\nmx2 A 127.9.9.2\n'
            f'none MX 0 .\nalias CNAME mx1\nlong TXT {long_text(60 * 1024)}\n')},
            broken=['broken.test'])
        cls.addClassCleanup(cls.names.stop)
        cls.names.start()

    def test_what_is_in_its_zones(self):
        for name, kind, answers in (('remote.test', MX, 2), ('mx1.remote.test', A, 1),
                                    ('none.remote.test', MX, 1), ('alias.remote.test', A, 2),
                                    ('mx1.remote.test', MX, 0)):
            code, _, count, _ = ask(self.names.port, name, kind)
            self.assertEqual((code, count), (NO_ERROR, answers), name)

    def test_how_it_fails(self):
        self.assertEqual(ask(self.names.port, 'missing.remote.test', MX)[0], NAME_ERROR)
        self.assertEqual(ask(self.names.port, 'a.broken.test', MX)[0], SERVER_FAILURE)
        self.assertEqual(ask(self.names.port, 'elsewhere.test', MX)[0], REFUSED)

    def test_a_long_answer_goes_over_tcp(self):
        self.assertTrue(ask(self.names.port, 'long.remote.test', TXT)[1] & TRUNCATED)
        code, _, count, octets = ask(self.names.port, 'long.remote.test', TXT, over_tcp=True)
        self.assertEqual((code, count), (NO_ERROR, 1))
        self.assertGreater(octets, 60 * 1024)


class NextHopDoesAsItIsTold(unittest.TestCase):
    def hop(self, **behaviour):
        hop = NextHop('127.0.0.1', free_port(), behaviour)
        self.addCleanup(hop.stop)
        return hop.start()

    def client(self, hop):
        client = smtplib.SMTP(hop.host, hop.port, 'client.test', timeout=10)
        self.addCleanup(client.close)
        return client

    def send(self, hop, recipients, content=None):
        return self.client(hop).sendmail('a@x.test', recipients, content or message(new_token()))

    def test_takes_mail_as_it_is(self):
        hop = self.hop()
        sent = message('t') + b'.\r\n..\r\n.x\r\n'
        self.send(hop, ['b@y.test', 'c@y.test'], sent)
        mail, = hop.accepted()
        self.assertEqual((mail.sender, mail.recipients, mail.content),
                         ('a@x.test', ['b@y.test', 'c@y.test'], sent))

    def test_answers_by_recipient_by_count_and_by_time(self):
        hop = self.hop(rcpt=for_recipients({'b@y.test': say('550-5.1.1 no', '550 5.1.1 no')}))
        refused = self.send(hop, ['b@y.test', 'c@y.test'])
        self.assertEqual(refused, {'b@y.test': (550, b'5.1.1 no\n5.1.1 no')})
        hop = self.hop(rcpt=at_most_recipients(2))
        self.assertEqual(list(self.send(hop, [f'{n}@y.test' for n in 'abc'])), ['c@y.test'])
        hop = self.hop(rcpt=greylist())
        with self.assertRaises(smtplib.SMTPRecipientsRefused):
            self.send(hop, ['b@y.test'])
        self.assertEqual(self.send(hop, ['b@y.test']), {})
        self.assertEqual(len(hop.accepted()), 1)

    def test_answers_from_a_list_one_after_another(self):
        hop = self.hop(mail=[say('451 4.3.0 later'), None])
        with self.assertRaises(smtplib.SMTPSenderRefused):
            self.send(hop, ['b@y.test'])
        self.send(hop, ['b@y.test'])
        self.assertEqual(len(hop.said('MAIL')), 2)

    def test_greets_as_told(self):
        for lines in (('421 4.3.2 no',), ('554-a', '554 b')):
            with Wire(('127.0.0.1', self.hop(greeting=say(*lines)).port)) as wire:
                self.assertEqual(wire.reply()[0], int(lines[0][:3]))
        hop = self.hop(ehlo=say('502 5.5.1 What'))
        client = self.client(hop)
        client.ehlo_or_helo_if_needed()
        self.assertEqual(hop.said('HELO'), ['helo client.test'])

    def test_drops_where_told(self):
        steps = {'connect': drop(), 'greeting': drop(reset=True), 'ehlo': drop(), 'mail': drop(),
                 'rcpt': drop(), 'data': drop(), 'body': drop_within(100), 'content': drop()}
        for step, action in steps.items():
            with self.subTest(step):
                hop = self.hop(**{step: action})
                with self.assertRaises((smtplib.SMTPException, OSError)):
                    self.send(hop, ['b@y.test'], message('t', 200_000))
                self.assertEqual(hop.accepted(), [])
                self.assertEqual(len(hop.mails), 1 if step == 'content' else 0)

    def test_says_too_much_too_slowly_and_nothing(self):
        with Wire(('127.0.0.1', self.hop(greeting=endless(octets=1 << 20)).port)) as wire:
            count = 0
            while wire.line() is not None:
                count += 1
            self.assertGreater(count, 10_000)
        with Wire(('127.0.0.1', self.hop(greeting=say('220 slow', pause=0.01)).port)) as wire:
            self.assertEqual(wire.reply(), (220, 'slow'))
        with Wire(('127.0.0.1', self.hop(greeting=silence()).port), timeout=0.2) as wire:
            with self.assertRaises(TimeoutError):
                wire.reply()
        with Wire(('127.0.0.1', self.hop(greeting=raw(b'\x00junk\n')).port)) as wire:
            self.assertEqual(wire.line(), b'\x00junk')

    def test_is_gone_when_stopped_and_back_when_started(self):
        hop = self.hop()
        client = self.client(hop)
        hop.stop()
        with self.assertRaises((smtplib.SMTPException, OSError)):
            client.noop()
        with self.assertRaises(OSError):
            self.client(hop)
        hop.start()
        self.client(hop)


class RelaysPassOn(unittest.TestCase):
    def passes_on(self, relay, sink):
        token = new_token()
        run(['swaks', '--server', f'{relay.host}:{relay.port}', '--from', 'a@x.test', '--to',
             'b@y.test', '--body', token, '--helo', 'client.test'])
        wait_until(lambda: sink.received(token), 20, f'mail from the relay\n{relay.log()}')
        mail, = sink.received(token)
        self.assertEqual((mail.sender, mail.recipients), ('a@x.test', ['b@y.test']))
        wait_until(lambda: not relay.queued(), 20, 'an empty queue')

    def test_exim(self):
        with NextHop('127.0.0.1', free_port()) as sink:
            exim = Exim(sink.port, '127.8.8.1')
            self.addCleanup(exim.stop)
            self.passes_on(exim.start(), sink)

    def test_postfix(self):
        with NextHop('127.0.0.1', free_port()) as sink:
            postfix = Postfix(sink.port, host='127.8.8.2')
            self.addCleanup(postfix.stop)
            self.passes_on(postfix.start(), sink)

    def test_exim_tries_again_soon(self):
        with NextHop('127.0.0.1', free_port(), {'rcpt': greylist()}) as sink:
            exim = Exim(sink.port)
            self.addCleanup(exim.stop)
            self.passes_on(exim.start(), sink)


if __name__ == '__main__':
    unittest.main()
