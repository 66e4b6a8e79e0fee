"""A next hop that says nothing, at each step: given up at that step's timeout, tried again, and the
message arrives once."""

from harness import new_token, wait_until
from next_hop import silence
from relay import RelayCase

STEPS = {'greeting': 'banner_timeout', 'ehlo': 'ehlo_timeout', 'mail': 'mail_from_timeout',
         'rcpt': 'rcpt_to_timeout', 'data': 'data_timeout', 'content': 'data_dot_timeout'}
SAID = {'greeting': 'connection', 'ehlo': 'EHLO', 'mail': 'MAIL', 'rcpt': 'RCPT', 'data': 'DATA',
        'content': '.'}


class RelaySilence(RelayCase):
    zone = ''.join(f'{step} MX 10 mx.{step}\nmx.{step} A {{{number}}}\n'
                   for number, step in enumerate(STEPS, 1))
    # Only that step's may pass: the others are longer than the test waits.
    settings = {f'"{step}.test".{key}': '"300ms"' for step, key in STEPS.items()}

    def test_a_silent_host_is_given_up_at_each_step(self):
        for number, step in enumerate(STEPS, 1):
            with self.subTest(step):
                token = new_token()
                recipient = f'{token}@{step}.test'
                hop = self.hop(self.network.address(number), {step: [silence(), None]})
                self.submit(token, recipient)
                failure = self.wait_for_event('TransientFailure', recipient)
                self.assertIn(f'No answer in time after {SAID[step]}',
                              failure['response']['content'])
                wait_until(lambda: hop.accepted(), 15, 'the second attempt')
                mail, = hop.accepted()
                self.assertEqual(mail.recipients, [recipient])
        self.wait_for_empty_queue()
