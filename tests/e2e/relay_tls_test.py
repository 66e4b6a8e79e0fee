"""Mail for elsewhere over TLS: where it is offered, where it is required, and where the next hop's
TLS is broken or lies."""

import pathlib
import shutil
import ssl
import tempfile

from harness import BOB, message, new_token, run, wait_until
from next_hop import EXTENSIONS, raw, say
from relay import RelayCase

OFFERED = (*EXTENSIONS, 'STARTTLS')


def starttls(context, behind=b''):
    """For 'other': goes over to TLS, having said `behind` in plaintext."""
    def act(session):
        session.send(b'220 go ahead\r\n' + behind)
        session.input = b''
        session.socket = context.wrap_socket(session.socket, server_side=True)
    act.code = '220'
    return act


class RelayTls(RelayCase):

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix='kurir-e2e-'))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.contexts = [cls.context_for(f'mx1.d{number}.test') for number in range(12)]
        authorities = cls.folder / 'authorities.pem'
        authorities.write_text(''.join(
            (cls.folder / f'mx1.d{number}.test.pem').read_text() for number in range(10)))
        own = cls.folder / 'own.pem'
        own.write_text((cls.folder / 'mx1.d9.test.key').read_text()
                       + (cls.folder / 'mx1.d9.test.pem').read_text())
        cls.contexts[9].verify_mode = ssl.CERT_REQUIRED
        cls.contexts[9].load_verify_locations(authorities)
        cls.settings = {'tls.ca_file': str(authorities), 'relay.certificate': str(own),
                        **{f'"d{number}.test".enable_tls': use for number, use in (
                            (5, 'Required'), (6, 'Required'), (7, 'RequiredInsecure'),
                            (8, 'Disabled'), (10, 'Required'), (11, 'RequiredInsecure'))}}
        super().setUpClass()
        cls.numbered = list(cls.domains)

    @classmethod
    def context_for(cls, name):
        chain, key = cls.folder / f'{name}.pem', cls.folder / f'{name}.key'
        run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
             '-nodes', '-days', '30', '-subj', f'/CN={name}', '-addext',
             f'subjectAltName=DNS:{name}', '-keyout', key, '-out', chain])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        return context

    def send_to(self, number, extensions=OFFERED, **behaviour):
        """A hop for the domain of that number, its address, and a token on its way there."""
        domain, token = self.numbered[number], new_token()
        hop = self.hop(domain.mx[0], behaviour, extensions=extensions)
        self.submit(token, domain.address(token))
        return hop, domain.address(token), token

    def test_encrypted_where_it_is_offered(self):
        for number in (0, 5, 7, 11):  # whoever signed it, unless that is asked
            hop, address, token = self.send_to(number, other=starttls(self.contexts[number]))
            self.wait_for_mail(hop, token)
            event = self.wait_for_event('Delivery', address)
            self.assertEqual(event['tls_protocol_version'], 'TLSv1.3')
            self.assertRegex(event['tls_cipher'], '^TLS_')
            self.assertEqual(len(hop.said('EHLO')), 2)
            self.assertEqual(hop.connections, 1)

    def test_shows_its_own_certificate_where_it_is_asked(self):
        hop, address, token = self.send_to(9, other=starttls(self.contexts[9]))
        self.wait_for_mail(hop, token)
        event = self.wait_for_event('Delivery', address)
        self.assertEqual(event['tls_protocol_version'], 'TLSv1.3')
        self.assertEqual(hop.connections, 1)

    def test_plain_where_it_is_not_offered_or_switched_off(self):
        for number, extensions in ((1, EXTENSIONS), (8, OFFERED)):
            hop, address, token = self.send_to(number, extensions)
            self.wait_for_mail(hop, token)
            self.assertNotIn('tls_cipher', self.wait_for_event('Delivery', address))
            self.assertEqual(hop.said('STARTTLS'), [])

    def test_a_new_connection_without_it_where_the_handshake_fails(self):
        hop, _, token = self.send_to(2, other=raw(b'220 go\r\n\x15\x03\x01\x00\x02\x02\x28'))
        self.wait_for_mail(hop, token)
        self.assertEqual(hop.connections, 2)
        self.assertEqual(hop.received(token)[0].session, 2)

    def test_on_the_same_connection_where_it_is_refused(self):
        hop, _, token = self.send_to(3, other=say('454 4.7.0 not now'))
        self.wait_for_mail(hop, token)
        self.assertEqual(hop.connections, 1)

    def test_what_is_said_behind_the_go_ahead_is_never_taken(self):
        behind = b'250-evil\r\n250 8BITMIME\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n'
        hop, address, token = self.send_to(4, other=starttls(self.contexts[4], behind))
        self.wait_for_mail(hop, token)  # without TLS
        self.assertEqual(hop.received(token)[0].session, 2)
        content = self.wait_for_event('Delivery', address)['response']['content']
        self.assertEqual(content, 'Taken')

    def send_strictly(self, number, extensions, options=('REQUIRETLS',), **behaviour):
        domain, token = self.numbered[number], new_token()
        hop = self.hop(domain.mx[0], behaviour, extensions=extensions)
        other = self.hop(domain.mx[1], behaviour, extensions=extensions)
        with self.server.smtp('submission') as client:
            client.starttls(context=ssl._create_unverified_context())
            client.login(BOB, self.server.password(BOB))
            client.sendmail(BOB, [domain.address(token)], message(token, sender=BOB), options)
        return hop, other, domain.address(token), token

    def test_requiretls_goes_where_it_is_kept(self):
        hop, _, _, token = self.send_strictly(0, (*OFFERED, 'REQUIRETLS'),
                                              other=starttls(self.contexts[0]))
        self.wait_for_mail(hop, token)
        self.assertTrue(hop.said('MAIL')[0].endswith(' REQUIRETLS'), hop.said('MAIL'))

    def test_requiretls_comes_back_from_where_it_is_not_kept(self):
        cases = ((1, OFFERED, {'other': starttls(self.contexts[1])}),  # does not offer it
                 (4, (*EXTENSIONS, 'REQUIRETLS'), {}),                 # has no TLS
                 (11, (*OFFERED, 'REQUIRETLS'), {'other': starttls(self.contexts[11])}))  # unsigned
        for number, extensions, behaviour in cases:
            hop, other, address, token = self.send_strictly(number, extensions, **behaviour)
            self.assertEqual(self.wait_for_bounce(token).only(address)['Status'], '5.7.30')
            for refused in (hop, other):
                self.assertEqual(refused.said('MAIL'), [])
                refused.stop()

    def test_optional_tls_goes_where_it_is_required_and_cannot_be_had(self):
        domain, token = self.numbered[6], new_token()
        hop = self.hop(domain.mx[1])
        content = b'TLS-Required: No\r\n' + message(token, sender=BOB)
        self.submit(token, domain.address(token), content=content)
        self.wait_for_mail(hop, token)

    def test_waits_where_it_is_required_and_cannot_be_had(self):
        cases = ((6, EXTENSIONS, {}, (4, 7, 10)),
                 (10, OFFERED, {'other': starttls(self.contexts[10])}, (4, 7, 5)))
        for number, extensions, behaviour, status in cases:
            other = self.hop(self.numbered[number].mx[1], behaviour, extensions=extensions)
            hop, address, token = self.send_to(number, extensions, **behaviour)
            wait_until(lambda: self.events('TransientFailure', address), 15, 'a deferral')
            enhanced = self.events('TransientFailure', address)[0]['response']['enhanced_code']
            self.assertEqual(enhanced, dict(zip(('class', 'subject', 'detail'), status)))
            for refused in (hop, other):
                self.assertEqual(refused.said('MAIL'), [])
                self.assertEqual(refused.received(token), [])
