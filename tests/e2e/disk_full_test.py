"""A disk that is full: new mail is put off with 452 4.3.1, what is there can be read, deleted and
sent on, and mail comes again when there is room, without a start."""

import contextlib
import pathlib
import shutil
import smtplib
import subprocess
import tempfile
import unittest

from harness import BOB, Server, expect_ok, message, new_token, wait_until

OPTIONS = ('--set', 'cores=1', '--set', 'store.segment_size=8MiB',
           '--set', 'store.free_space_min=32MiB', '--set', 'store.compact_interval="200ms"')


@contextlib.contextmanager
def small_disk(megabytes):
    folder = pathlib.Path(tempfile.mkdtemp(prefix='kurir-e2e-'))
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={megabytes}m', 'tmpfs', folder],
                             capture_output=True, check=False)
    try:
        if mounted.returncode != 0:
            raise unittest.SkipTest('no file system can be mounted here')
        yield folder
    finally:
        if mounted.returncode == 0:
            subprocess.run(['umount', folder], check=True)
        shutil.rmtree(folder, ignore_errors=True)


def code_of(server, content):
    with server.smtp() as client:
        try:
            client.sendmail('sender@example.org', [BOB], content)
        except smtplib.SMTPDataError as error:
            return error.smtp_code, error.smtp_error
        except smtplib.SMTPRecipientsRefused as error:
            return next(iter(error.recipients.values()))
        except smtplib.SMTPSenderRefused as error:
            return error.smtp_code, error.smtp_error
    return 250, b''


class DiskFull(unittest.TestCase):
    def run_on(self, disk, *more):
        server = Server(*OPTIONS, *more)
        server.data = disk / 'data'
        self.addCleanup(server.remove)
        return server

    def fill(self, server):
        """Until nothing more is taken; how many were."""
        for count in range(2000):
            code, text = code_of(server, message(new_token(), 400_000))
            if code != 250:
                self.assertEqual(code, 452, text)
                self.assertTrue(text.startswith(b'4.3.1'), text)
                return count
        raise AssertionError('it never fills')

    def test_mail_is_deleted_and_comes_again(self):
        with small_disk(160) as disk:
            server = self.run_on(disk)
            server.start()
            try:
                count = self.fill(server)
                self.assertGreater(count, 50)
                wait_until(lambda: not server.queue(), 20, 'what was taken to be delivered')
                with server.imap(BOB, 'INBOX') as client:
                    self.assertEqual(int(expect_ok(client.select('INBOX'))[0]), count)
                    expect_ok(client.store('1:*', '+FLAGS.SILENT', '(\\Deleted)'))
                    expect_ok(client.expunge())
                wait_until(lambda: code_of(server, message(new_token(), 400_000))[0] == 250, 30,
                           'mail to be taken again')
                for _ in range(40):
                    self.assertEqual(code_of(server, message(new_token(), 400_000))[0], 250)
            finally:
                server.stop()

    def test_a_part_is_deleted(self):
        """No file is free as a whole: emptying needs room itself."""
        with small_disk(160) as disk:
            server = self.run_on(disk)
            server.start()
            try:
                count = self.fill(server)
                with server.imap(BOB, 'INBOX') as client:
                    wait_until(lambda: int(expect_ok(client.select('INBOX'))[0]) == count, 20)
                    kept = expect_ok(client.uid('search', 'ALL'))[0].split()[::5]
                    expect_ok(client.store('1:*', '+FLAGS.SILENT', '(\\Deleted)'))
                    for uid in kept:
                        expect_ok(client.uid('store', uid, '-FLAGS.SILENT', '(\\Deleted)'))
                    expect_ok(client.expunge())
                wait_until(lambda: code_of(server, message(new_token(), 400_000))[0] == 250, 30,
                           'mail to be taken again')
                self.assertGreaterEqual(len(server.readable()), len(kept))
            finally:
                server.stop()

    def test_the_queue_goes_on(self):
        with small_disk(160) as disk:
            server = self.run_on(disk)
            server.start()
            try:
                for _ in range(20):
                    server.send(message(new_token(), 400_000), f'{new_token()}@elsewhere.test',
                                listener='submission', user=BOB, sender=BOB)
                self.fill(server)
                self.assertEqual(len(server.queue()), 20)
                server.run('queue', 'remove', '--everything')
                self.assertEqual(server.queue(), [])
            finally:
                server.stop()


if __name__ == '__main__':
    unittest.main()
