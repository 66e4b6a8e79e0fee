#!/usr/bin/env python3
"""bench/compare runs: a small load, one round, all that a quick run has."""

import json
import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get('KURIR_PROGRAM', ROOT / 'build/kurir'))


def compare(*cases):
    done = subprocess.run([ROOT / 'bench/compare', '--no-build', '--quick', '--json', '--rounds',
                           '1', '--scale', '0.02', *cases], capture_output=True, text=True,
                          timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


class Compare(unittest.TestCase):
    def check_ratios(self, figures, *keys):
        self.assertEqual(set(figures), {name for key in keys for name in (key, f'{key}_wall')})
        for key, ratio in figures.items():
            self.assertGreater(ratio, 0, key)

    def test_beside_postfix(self):
        figures, _ = compare('accept', 'accept_one_per_connection', 'relay', 'local')
        self.check_ratios(figures, 'accept_vs_postfix', 'accept_one_per_connection_vs_postfix',
                          'relay_vs_postfix', 'local_vs_postfix')

    def test_beside_fixed_replies(self):
        if not (PROGRAM.parent / 'bench/ceiling').exists():
            self.skipTest('bench/ceiling is not built')
        figures, _ = compare('server', 'durable')
        self.check_ratios(figures, 'server_vs_ceiling', 'durable_vs_ceiling')

    def test_who_is_not_installed_is_left_out(self):
        environment_path = os.environ['PATH']
        self.addCleanup(os.environ.__setitem__, 'PATH', environment_path)
        os.environ['PATH'] = ':'.join(folder for folder in environment_path.split(':')
                                      if not (pathlib.Path(folder) / 'postfix').exists())
        figures, errors = compare('relay')
        self.assertEqual(figures, {})
        self.assertIn('without Postfix: postfix is not installed (tools/setup --compare)', errors)


if __name__ == '__main__':
    outcome = unittest.main(exit=False).result
    bad = len(outcome.failures) + len(outcome.errors)
    print(f'{outcome.testsRun - bad} passed, {bad} failed')
    sys.exit(1 if bad else 0)
