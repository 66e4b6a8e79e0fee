"""The directory of users: imports from other servers' files, what another process changes, and a
database that cannot be read."""

import crypt
import os
import shutil
import smtplib
import sqlite3
import time
import unittest

from harness import ALICE, BOB, Case, new_token, wait_until

SEEN_SECONDS_MAX = 1.0  # a change of another process's


class ImportTest(Case):
    def file(self, name, text):
        path = self.temporary_folder() / name
        path.write_text(text)
        return str(path)

    def test_users_of_dovecot(self):
        hashes = [crypt.crypt('secret one', '$6$0123456789abcdef'),
                  crypt.crypt('secret two', '$2b$05$0123456789abcdefghijkl')]
        users = self.file('users', '# users\n'
                          f'dora@import.test:{{SHA512-CRYPT}}{hashes[0]}:500:500::/home/d::'
                          'userdb_quota_rule=*:storage=2G other=x\n'
                          f'dan:{{BLF-CRYPT}}{hashes[1]}\nnobody@import.test:*\n')
        done = self.server.run('user', 'import', users, '--domain', 'import.test')
        self.assertIn('3 users imported', done.stdout)
        self.server.demo['users'] += [{'name': 'dora@import.test', 'password': 'secret one'},
                                      {'name': 'dan@import.test', 'password': 'secret two'}]
        for user in ('dora@import.test', 'dan@import.test'):
            token = new_token()
            self.server.send(f'Subject: {token}\r\n\r\n{token}\r\n', user)
            self.server.wait_for(token.encode(), user)
        listed = self.server.run('user', 'list', 'import.test').stdout
        self.assertRegex(listed, r'dora@import\.test +2')

    def test_what_cannot_be_taken_over_is_told_with_its_line(self):
        users = self.file('users', 'a@x.test:{CRYPT}$6$x$y\nb@x.test:{CRAM-MD5}abcdef\n')
        done = self.server.run('user', 'import', users, check=False)
        self.assertEqual(done.returncode, 65, done.stderr)
        self.assertIn(f'{users}:', done.stderr)
        self.assertNotIn('x.test', self.server.run('user', 'list').stdout)

    def test_aliases_of_postfix(self):
        aliases = self.file('virtual', '# of Postfix\nvirtual.test anything\n'
                            'chief@virtual.test bob@example.test\n'
                            'sales@virtual.test  chief@virtual.test,\n   alice@example.test\n'
                            '@virtual.test alice@example.test\n')
        done = self.server.run('alias', 'import', aliases)
        self.assertIn('3 aliases imported', done.stdout)
        for recipient, readers in (('sales@virtual.test', (ALICE, BOB)),
                                   ('whoever@virtual.test', (ALICE,))):
            token = new_token()
            self.server.send(f'Subject: {token}\r\n\r\n{token}\r\n', recipient)
            for reader in readers:
                self.server.wait_for(token.encode(), reader)

    def test_an_alias_may_stand_before_the_one_it_leads_to(self):
        aliases = self.server.folder / 'chain'
        aliases.write_text(f'one@chain.test two@chain.test\n'
                           f'other@chain.test {BOB}\n'
                           f'two@chain.test three@chain.test\n'
                           f'three@chain.test {ALICE}\n')
        self.assertIn('4 aliases imported', self.server.run('alias', 'import', aliases).stdout)
        token = new_token()
        self.server.send(f'Subject: {token}\r\n\r\n{token}\r\n', 'one@chain.test')
        self.server.wait_for(token.encode(), ALICE)
        aliases.write_text('four@chain.test five@chain.test\nsix@chain.test four@chain.test\n')
        refused = self.server.run('alias', 'import', aliases, check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn('does not exist', refused.stderr)
        self.assertNotIn('six@', self.server.run('alias', 'list').stdout)

    def test_a_long_file_may_lead_forward(self):
        aliases = self.server.folder / 'long'
        aliases.write_text(''.join(
            ['first@long.test last@long.test\n',
             *(f'a{number}@long.test {BOB}\n' for number in range(12_000)),
             f'last@long.test {BOB}\n']))
        self.assertIn('12002 aliases imported', self.server.run('alias', 'import', aliases).stdout)

    def test_domain_aliases_senders_and_the_states_of_a_user(self):
        run = self.server.run
        run('domain', 'add', 'first.test')
        run('domain', 'add', 'second.test', '--alias-of', 'first.test')
        run('user', 'add', 'eve@first.test', '--password', 'secret')
        run('sender', 'add', 'news@elsewhere.test', 'eve@first.test')
        self.server.demo['users'].append({'name': 'eve@first.test', 'password': 'secret'})
        with self.server.smtp('submission', 'eve@first.test') as client:
            self.assertEqual(client.mail('eve@second.test')[0], 250)
            client.rset()
            self.assertEqual(client.mail('news@elsewhere.test')[0], 250)
            client.rset()
            run('sender', 'remove', 'news@elsewhere.test', 'eve@first.test')
            self.assertEqual(client.mail('news@elsewhere.test')[0], 553)
        run('user', 'quota', 'eve@first.test', '1GB')
        run('user', 'disable', 'eve@first.test')
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            self.server.smtp('submission', 'eve@first.test')
        run('user', 'enable', 'eve@first.test')
        run('user', 'passwd', 'eve@first.test', '--password', 'other')
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            self.server.smtp('submission', 'eve@first.test')
        run('user', 'remove', 'eve@first.test')
        self.assertNotIn('eve@', run('user', 'list').stdout)


class ForeignChangeTest(Case):
    def path(self):
        return self.server.data / 'directory.db'

    def code_for(self, recipient):
        with self.server.smtp('smtp') as client:
            client.ehlo()
            client.mail('a@example.org')
            return client.rcpt(recipient)[0]

    def change(self, sql, *values):
        with sqlite3.connect(self.path(), timeout=10) as database:
            database.execute(sql, values)
        database.close()

    def add_alias(self, name):
        self.change('INSERT INTO alias (address, domain, target, target_key) VALUES (?, ?, ?, ?)',
                    f'{name}@example.test', 'example.test', BOB, 'example.test@bob')

    def test_what_another_process_changes_is_seen_within_a_second(self):
        for _ in range(3):
            name = new_token()
            self.assertEqual(self.code_for(f'{name}@example.test'), 550)
            self.add_alias(name)
            begun = time.monotonic()
            wait_until(lambda: self.code_for(f'{name}@example.test') == 250, 10, 'the alias')
            self.assertLess(time.monotonic() - begun, SEEN_SECONDS_MAX)

    def test_content_that_may_not_be_keeps_the_old_state(self):
        name = new_token()
        self.change('INSERT INTO user (address, domain, password_hash, quota_octets, disabled) '
                    'VALUES (?, ?, ?, 0, 0)', 'No Address', 'example.test', '')
        wait_until(lambda: 'cannot be read' in self.server.log_tail(), 5, 'the complaint')
        self.assertEqual(self.code_for(BOB), 250)
        with self.server.imap(BOB):
            pass
        self.change('DELETE FROM user WHERE address = ?', 'No Address')
        self.add_alias(name)
        wait_until(lambda: self.code_for(f'{name}@example.test') == 250, 5, 'the alias')


class BrokenFileTest(Case):
    def test_a_file_of_rubbish_keeps_the_old_state(self):
        path = self.server.data / 'directory.db'
        for rest in ('-wal', '-shm'):
            if os.path.exists(f'{path}{rest}'):
                self.assertTrue(os.path.isfile(f'{path}{rest}'))
        kept = self.temporary_folder() / 'kept'
        shutil.copy(path, kept)
        with open(path, 'r+b') as file:
            file.write(os.urandom(8192))
        self.addCleanup(shutil.copy, kept, path)
        end = time.monotonic() + 1.5
        while time.monotonic() < end:  # some looks of the server's come to pass
            with self.server.imap(BOB):
                pass
            with self.server.smtp('smtp') as client:
                client.ehlo()
                client.mail('a@example.org')
                self.assertEqual(client.rcpt(BOB)[0], 250)
                self.assertEqual(client.rcpt('nobody@example.test')[0], 550)


if __name__ == '__main__':
    unittest.main()
