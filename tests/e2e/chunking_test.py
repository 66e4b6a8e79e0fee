"""Content in chunks (RFC 3030), with peers that have them, and for hosts that take less."""

import re
import smtplib
import unittest

from exim import Exim
from harness import ALICE, BOB, message, new_token, wait_until
from hostile_smuggling_test import SEQUENCES
from next_hop import NextHop
from postfix import Postfix, free_port
from relay import RelayCase

BODY = b'\r\n.\r\n..\r\nQUIT\r\n.a\r\n'


def bdat(client, sender, recipients, chunks, options=()):
    """Everything in one group; the replies in order."""
    client.ehlo()
    group = b'MAIL FROM:<%s>%s\r\n' % (sender.encode(), ''.join(options).encode())
    group += b''.join(b'RCPT TO:<%s>\r\n' % recipient.encode() for recipient in recipients)
    for at, chunk in enumerate(chunks):
        last = b' LAST' if at + 1 == len(chunks) else b''
        group += b'BDAT %d%s\r\n%s' % (len(chunk), last, chunk)
    client.send(group)
    return [client.getreply() for _ in range(1 + len(recipients) + len(chunks))]


class Chunking(RelayCase):
    def test_what_came_in_chunks_is_read_as_it_was(self):
        token = new_token()
        content = message(token) + BODY
        with self.server.smtp('submission', BOB) as client:
            replies = bdat(client, BOB, [ALICE], [content[:7], content[7:300], content[300:], b''])
        self.assertEqual({code for code, _ in replies}, {250}, replies)
        wait_until(lambda: [text for _, text in self.server.messages(ALICE)
                            if token.encode() in text], 10, 'the message')
        stored, = [text for _, text in self.server.messages(ALICE) if token.encode() in text]
        self.assertTrue(stored.endswith(BODY))

    def test_a_large_message_by_chunks(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0])
        content = message(token, 700_000) + BODY
        with self.server.smtp('submission', BOB) as client:
            pieces = [content[at:at + 99_991] for at in range(0, len(content), 99_991)]
            replies = bdat(client, BOB, [domain.address()], pieces)
        self.assertEqual({code for code, _ in replies}, {250}, replies)
        self.assertTrue(self.wait_for_mail(hop, token).content.endswith(content))

    def test_eight_bits_are_converted_for_a_host_without_8bitmime(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0], extensions=('PIPELINING',))
        head = b'Subject: %s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n'
        self.submit(token, domain.address(), content=head % token.encode() +
                    b'Content-Transfer-Encoding: 8bit\r\n\r\nsm\xc3\xb6rg\xc3\xa5s\r\n')
        mail = self.wait_for_mail(hop, token)
        self.assertIn(b'Content-Transfer-Encoding: quoted-printable\r\n\r\nsm=C3=B6rg=C3=A5s',
                      mail.content)

    def test_what_cannot_be_converted_is_bounced(self):
        domain, token = self.domain(), new_token()
        self.hop(domain.mx[0], extensions=('PIPELINING',))
        self.submit(token, domain.address(), content=(
            b'Subject: %s\r\nMIME-Version: 1.0\r\nMessage-ID: <%s@example.org>\r\n'
            b'Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\xc3\xa5\r\n--b--\r\n'
            % (token.encode(), token.encode())))
        self.assertEqual(self.wait_for_bounce(token).only(domain.address())['Status'], '5.6.3')

    def test_binary_for_a_host_that_does_not_take_it(self):
        domain, token = self.domain(), new_token()
        hop = self.hop(domain.mx[0])
        content = (b'Subject: %s\r\nMIME-Version: 1.0\r\nContent-Type: application/x\r\n'
                   b'Content-Transfer-Encoding: binary\r\n\r\n\x00\n.\n\xff' % token.encode())
        with self.server.smtp('submission', BOB) as client:
            bdat(client, BOB, [domain.address()], [content], [' BODY=BINARYMIME'])
        mail = self.wait_for_mail(hop, token)
        self.assertTrue(mail.content.endswith(b'base64\r\n\r\nAAouCv8=\r\n'), mail.content)

    def test_nothing_is_smuggled_out(self):
        """threats.md A2: what BDAT lets in leaves in DATA without a bare CR or LF, as one mail."""
        domain = self.domain()
        hop = self.hop(domain.mx[0])
        head = (b'Subject: %s\r\nMIME-Version: 1.0\r\nContent-Type: application/x\r\n'
                b'Content-Transfer-Encoding: binary\r\n\r\n')
        accepted = []
        for sequence in SEQUENCES:
            for options in ((), (' BODY=8BITMIME',), (' BODY=BINARYMIME',)):
                token = new_token()
                content = (head % token.encode() + b'OUTER' + sequence +
                           b'MAIL FROM:<evil@evil.test>\r\nRCPT TO:<v@evil.test>\r\nDATA\r\n'
                           b'Subject: SMUGGLED\r\n\r\nx\r\n.\r\n')
                with self.server.smtp('submission', BOB) as client:
                    code = bdat(client, BOB, [domain.address()], [content], options)[-1][0]
                self.assertIn(code, (250, 550, 554), sequence)
                if code == 250:
                    accepted.append(token)
        self.wait_for_empty_queue()
        for token in accepted:
            mails = hop.received(token)
            bounces = self.bounces(token)
            self.assertEqual(len(mails) + len(bounces), 1, token)
            for mail in mails:
                self.assertIsNone(re.search(rb'(?<!\r)\n|\r(?!\n)', mail.content))
        self.assertGreaterEqual(len(accepted), len(SEQUENCES))
        self.assertFalse([line for line in hop.said('MAIL') if 'evil' in str(line)])

    def test_through_postfix_and_exim(self):
        for peer in (Postfix, Exim):
            with self.subTest(peer.__name__), NextHop('127.0.0.1', free_port()) as sink:
                domain, token = self.domain(), new_token()
                host = peer(sink.port, host=domain.mx[0], port=domain.port)
                self.addCleanup(host.stop)
                host.start()
                content = message(token, 300_000) + BODY
                self.submit(token, domain.address(), content=content)
                wait_until(lambda: sink.received(token), 20, 'the mail')
                mail, = sink.received(token)
                self.assertTrue(mail.content.endswith(BODY))
                self.wait_for_empty_queue()

    def test_from_exim(self):
        token = new_token()
        exim = Exim(self.server.port('smtp'))
        self.addCleanup(exim.stop)
        exim.start()
        with smtplib.SMTP(exim.host, exim.port, timeout=10) as client:
            client.sendmail(ALICE, [BOB], message(token) + BODY)
        wait_until(lambda: [text for _, text in self.server.messages(BOB)
                            if token.encode() in text], 20, f'the message\n{exim.log()}')
        stored, = [text for _, text in self.server.messages(BOB) if token.encode() in text]
        self.assertTrue(stored.endswith(BODY), stored[-100:])


if __name__ == '__main__':
    unittest.main()
