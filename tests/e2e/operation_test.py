"""Starting, stopping, a folder in use, and configuration errors that say where and what."""

import os
import re
import stat
import subprocess

from harness import ALICE, BOB, PROGRAM, Case, greeted, message, new_token, wait_until


class Operation(Case):
    def kurir(self, *arguments, seconds=20, **options):
        return subprocess.run([PROGRAM.resolve(), *arguments], capture_output=True, text=True,
                              timeout=seconds, stdin=subprocess.DEVNULL, check=False, **options)

    def test_version_says_what_it_is(self):
        done = self.kurir('--version')
        self.assertEqual(done.returncode, 0)
        for word in ('kurir', 'clang', 'io_uring'):
            self.assertIn(word, done.stdout.lower())

    def test_second_instance_on_the_same_folder_is_refused(self):
        done = self.kurir('serve', '--data', str(self.server.data), '--ports', 'free')
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr + done.stdout, '(?i)in use|locked|another process')
        self.server.assert_alive()
        self.assertTrue((self.server.data / 'demo.json').exists())

    def test_demo_file_is_private(self):
        mode = stat.S_IMODE(os.stat(self.server.data / 'demo.json').st_mode)
        self.assertEqual(mode, 0o600)
        self.assertLessEqual({'smtp', 'submission', 'imap', 'pop3'},
                             set(self.server.demo['listeners']))
        self.assertEqual({user['name'] for user in self.server.demo['users']}, {ALICE, BOB})

    def test_passwords_stay_over_a_restart(self):
        before = self.server.password()
        self.server.restart()
        self.assertEqual(self.server.password(), before)

    def test_init_writes_a_file_that_check_accepts(self):
        folder = self.temporary_folder()
        file = folder / 'kurir.toml'
        done = self.kurir('init', '--config', str(file), cwd=folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.kurir('check', '--config', str(file), cwd=folder)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)

    def test_unknown_key_is_named_with_its_line_and_the_nearest_name(self):
        folder = self.temporary_folder()
        file = folder / 'kurir.toml'
        self.kurir('init', '--config', str(file), cwd=folder)
        lines = file.read_text().splitlines()
        number, key = next((number, match.group(1)) for number, line in enumerate(lines)
                           if (match := re.match(r'(\w{6,}) = ', line)))
        lines[number] = lines[number].replace(key, key[:2] + key[3:], 1)
        file.write_text('\n'.join(lines) + '\n')
        for command in ('check', 'serve'):
            done = self.kurir(command, '--config', str(file), cwd=folder)
            said = done.stderr + done.stdout
            self.assertEqual(done.returncode, 78, said)  # EX_CONFIG
            self.assertRegex(said, rf'\b{number + 1}\b')
            self.assertIn(key[:2] + key[3:], said)
            self.assertIn(key, said.replace(key[:2] + key[3:], ''))

    def test_syntax_error_names_its_line(self):
        file = self.temporary_folder() / 'kurir.toml'
        file.write_text('# one\n# two\nthis is no TOML\n')
        done = self.kurir('check', '--config', str(file))
        self.assertEqual(done.returncode, 78)
        self.assertRegex(done.stderr + done.stdout, r'\b3\b')

    def test_sections_of_the_way_out_are_checked(self):
        file = self.temporary_folder() / 'kurir.toml'
        rows = (
            ('["slow.test"]\nconection_limit = 5\n', ':2:1:', '"slow.test".connection_limit?'),
            ('[default]\nmax_message_rate = "fast"\n', ':2:20:', '"100/s"'),
            ('[default]\negress_pool = "main"\n', 'kurir.toml:2', 'no pool main'),
            ('[pool."main"."ip-1"]\nweight = 0\n', ':2:10:', 'from 1 to'),
            ('[pool."main"."ip-1"]\n', 'pool.main', 'no source ip-1'),
            ('[route."a.test"]\nto = "a.test:0"\n', ':2:6:', 'must be a host'),
        )
        for text, place, expected in rows:
            file.write_text(text)
            done = self.kurir('check', '--config', str(file))
            self.assertEqual(done.returncode, 78, text)
            self.assertIn(place, done.stderr + done.stdout)
            self.assertIn(expected, done.stderr + done.stdout)
        file.write_text('')
        done = self.kurir('check', '--config', str(file), '--set', 'default.connection_limit=0')
        self.assertEqual(done.returncode, 78)
        self.assertIn('--set default.connection_limit=0: ', done.stderr + done.stdout)
        done = self.kurir('check', '--config', str(file), '--set', '"slow.test".connection_limit=5',
                          '--set', 'route."a.test".to="127.0.0.2:2526"')
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_unknown_key_on_the_command_line(self):
        done = self.kurir('serve', '--data', str(self.temporary_folder()), '--ports', 'free',
                          '--set', 'no_such_key=1')
        self.assertIn(done.returncode, (64, 78), done.stderr)
        self.assertIn('no_such_key', done.stderr + done.stdout)

    def test_stop_lets_a_transaction_finish_or_says_421(self):
        token = new_token()
        wire = greeted(self.server)
        for command in (b'MAIL FROM:<a@example.org>', b'RCPT TO:<bob@example.test>'):
            self.assertEqual(wire.ask(command)[0], 250)
        self.assertEqual(wire.ask(b'DATA')[0], 354)
        idle = greeted(self.server)
        self.server.process.terminate()
        self.assertEqual(idle.reply()[0], 421)
        wire.send(message(token) + b'.\r\n')
        code = wire.reply()[0]
        self.assertIn(code, (250, 421, 451, 0))
        self.assertEqual(self.server.process.wait(20), 0)
        self.server.process = None
        self.server.start()
        if code == 250:
            self.server.wait_for(token.encode())
        else:
            self.assertFalse([c for _, c in self.server.messages() if token.encode() in c])

    def test_stop_command(self):
        self.server.run('stop')
        self.assertEqual(self.server.process.wait(20), 0)
        self.server.process = None
        self.server.start()


class Queue(Case):
    def submit(self, recipient):
        with self.server.smtp('submission', BOB) as client:
            client.mail(BOB)
            client.rcpt(recipient)
            code, text = client.data(message(new_token()))
        self.assertEqual(code, 250)
        return re.search(rb'queued as (\S+)', text).group(1).decode()

    def entries(self, word):
        return [entry for entry in self.server.queue() if word in str(entry)]

    def test_mail_for_elsewhere_is_queued_shown_and_removed(self):
        recipient = f'{new_token()}@elsewhere.test'
        identity = self.submit(recipient)
        self.assertEqual(len(self.entries(recipient)), 1)
        self.assertIn(identity, str(self.entries(recipient)[0]))
        self.assertIn(recipient, self.server.run('queue', 'show', identity).stdout)
        self.assertIn('elsewhere.test', self.server.run('queue', 'summary').stdout)
        self.server.run('queue', 'remove', identity)
        wait_until(lambda: not self.entries(recipient), what='removal')
        self.assertNotEqual(self.server.run('queue', 'show', identity, check=False).returncode, 0)

    def test_queue_survives_stop_and_kill(self):
        recipient = f'{new_token()}@elsewhere.test'
        identity = self.submit(recipient)
        self.server.restart()
        self.assertEqual(len(self.entries(identity)), 1)
        self.server.kill()
        self.server.start()
        self.assertEqual(len(self.entries(identity)), 1)
        self.server.run('queue', 'remove', identity)
        self.server.kill()
        self.server.start()
        self.assertEqual(self.entries(identity), [])


class Directory(Case):
    def test_domain_user_and_alias_made_while_it_runs(self):
        self.server.run('domain', 'add', 'second.test')
        subprocess.run([PROGRAM.resolve(), 'user', 'add', 'carol@second.test', '--data',
                        self.server.data], input='secret word\nsecret word\n', text=True,
                       check=True, capture_output=True, timeout=30)
        self.server.run('alias', 'add', 'info@second.test', 'carol@second.test')
        self.server.demo['users'].append({'name': 'carol@second.test',
                                          'password': 'secret word'})
        token = new_token()
        self.server.send(message(token), 'info@second.test')
        self.server.wait_for(token.encode(), 'carol@second.test')
        self.server.restart()
        self.server.demo['users'].append({'name': 'carol@second.test',
                                          'password': 'secret word'})
        self.server.wait_for(token.encode(), 'carol@second.test')
