#!/usr/bin/env python3
"""The arithmetic of bench/compare: what it counts and how it reads and writes ratios."""

import dataclasses
import pathlib
import subprocess
import sys
import tempfile
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'bench'))

from comparison import (accounting, callgrind, counting, load, mailbox_cases,  # noqa: E402
                        measured, plan, smtp_cases, table)
from comparison.measured import Costs, Measured, Row  # noqa: E402
from comparison.servers.server import Server  # noqa: E402


class Accounting(unittest.TestCase):
    def test_usage_of_both_versions(self):
        self.assertEqual(accounting.parse_usage('1500000000\n'), 1.5)
        self.assertEqual(accounting.parse_usage('usage_usec 2500000\nuser_usec 1\n'), 2.5)

    def test_stat_with_a_name_of_parentheses(self):
        text = '7 (a) b) S 3 ' + ' '.join(['0'] * 9) + ' 100 200 300 400 20 0'
        parent, seconds = accounting.parse_stat(text)
        self.assertEqual(parent, 3)
        self.assertEqual(seconds, 1000 / accounting.TICKS)

    def test_family(self):
        parents = {2: 1, 3: 2, 4: 3, 5: 1, 6: 99}
        self.assertEqual(accounting.family_of(2, parents), {2, 3, 4})

    def test_a_group_counts_what_ran_in_it(self):
        group = accounting.Group('test')
        self.addCleanup(group.remove)
        with group.joined():
            subprocess.run([sys.executable, '-c', 'sum(range(10**7))'], check=True)
        if group.folder is None:
            self.skipTest('no control group can be made here')
        self.assertGreater(group.cpu(), 0.01)


class Counting(unittest.TestCase):
    def test_counts_of_perf(self):
        text = ('# started on Mon\n\n1234,,raw_syscalls:sys_enter,5,100.00,,\n'
                '<not supported>,,ext4:ext4_sync_file_enter,0,0.00,,\n')
        self.assertEqual(counting.parse_counts(text), counting.Counts(1234, None))
        self.assertEqual(counting.parse_counts(''), counting.Counts())

    def test_what_a_process_does_is_counted(self):
        with tempfile.TemporaryDirectory() as folder:
            program = ('import os, sys; sys.stdin.readline()\n'
                       f'with open({folder!r} + "/f", "w") as f:\n'
                       '    for _ in range(1000): os.getppid()\n'
                       '    os.fsync(f.fileno())')
            with subprocess.Popen([sys.executable, '-c', program], stdin=subprocess.PIPE) as child:
                with counting.counted([child.pid]) as counts:
                    child.communicate(b'go\n')
        if counts.syscalls is None:
            self.skipTest('perf counts no system calls here')
        self.assertGreaterEqual(counts.syscalls, 1000)
        if counts.syncs is not None:
            self.assertLessEqual(counts.syncs, 1)


class Callgrind(unittest.TestCase):
    def test_what_was_collected(self):
        self.assertEqual(callgrind.collected('==7== \n==7== Collected : 4815162342\n==7== \n'),
                         4815162342)
        with self.assertRaises(RuntimeError):
            callgrind.collected('==7== cannot run\n')

    def test_functions(self):
        listing = (' 1,234 (12.3%)  ???:kurir::wire::(anonymous namespace)::scan(int, char) [/k]\n'
                   '   100 ( 1.0%)  ./string/../x.S:__memset [/usr/lib/libc.so.6]\n'
                   '    11 ( 0.1%)  ???:kurir::wire::scan(char)\n'
                   'Ir\n10,000 (100.0%)  PROGRAM TOTALS\n')
        self.assertEqual(callgrind.parse_functions(listing),
                         {'kurir::wire::scan': 1245, '__memset': 100})

    def test_a_message(self):
        short, long = callgrind.Run(1000, {'a': 10}), callgrind.Run(3000, {'a': 30, 'b': 7})
        self.assertEqual(callgrind.a_message(short, long, 10),
                         callgrind.Run(200, {'a': 2, 'b': 1}))


class Ratios(unittest.TestCase):
    row = Row('accept', 'x', ['Kurir', 'Other', 'Third'],
              [[Measured(100, 10), Measured(10, 400), Measured(50, 10)],
               [Measured(200, 20), Measured(10, 400), Measured(50, 10)],
               [Measured(300, 10, 1.5), Measured(10, 300), Measured(50, 10)]])

    def test_ratios_by_round(self):
        self.assertEqual(self.row.ratios(True), [40, 20, 30])
        self.assertEqual(self.row.ratios(False), [10, 20, 30])
        self.assertEqual(self.row.ratio(True), 30)
        self.assertEqual(self.row.ratio(False), 20)
        self.assertEqual(self.row.ratios(False, 2), [2, 4, 6])

    def test_spread(self):
        self.assertEqual(table.spread([30, 10, 20]), '20.0 (10.0–30.0)')
        self.assertEqual(table.spread([10, 30]), '20.0 (10.0–30.0)')

    def test_figures(self):
        self.assertEqual(self.row.figures(), {
            'accept_vs_other': 30, 'accept_vs_other_wall': 20,
            'accept_vs_third': 1, 'accept_vs_third_wall': 4})
        of_wall = dataclasses.replace(self.row, of_cpu=False).figures()
        self.assertEqual(of_wall['accept_vs_other'], 20)

    def test_a_line_a_server(self):
        first, second, _ = table.lines_of(self.row)
        self.assertEqual(first, '| x | Kurir | 10.0 |  | 200 |  |  |  |  |  |')
        self.assertIn('| Other | 400 | 30.0 (20.0–40.0) | 10.0 | 20.0 (10.0–30.0) |', second)
        self.assertEqual(len(table.table_of([self.row]).splitlines()), 5)

    def test_who_fails_is_left_out(self):
        def fails():
            raise load.LoadError('refused')

        row = Row('a', 'x', ['Kurir', 'Bad', 'Good'], [])
        measured.in_turns(row, [lambda: Measured(2, 1), fails, lambda: Measured(1, 3)], 2)
        self.assertEqual(row.servers, ['Kurir', 'Good'])
        self.assertEqual(row.ratios(True), [3, 3])
        with self.assertRaises(load.LoadError):
            measured.in_turns(Row('a', 'x', ['Kurir'], []), [fails], 1)

    def test_costs_and_memory_where_they_were_counted(self):
        row = Row('a', 'x', ['Kurir'], [[Measured(1, 2)]], [2 << 20], [Costs(0.25, None)])
        self.assertTrue(table.lines_of(row)[0].endswith('| 2 | 0.25 |  |'))

    def test_numbers_as_people_write_them(self):
        self.assertEqual([table.short(n) for n in (0.256, 12.34, 123.4, 12345.6)],
                         ['0.26', '12.3', '123', '12,346'])

    def test_flags_that_a_server_can_take(self):
        flags = ['-s', '100', '-d', '--pipelining']
        self.assertEqual(Server.flags_of(types.SimpleNamespace(
            flags=('--lmtp',), pipelines=True, sessions_max=0), flags), [*flags, '--lmtp'])
        self.assertEqual(Server.flags_of(types.SimpleNamespace(
            flags=(), pipelines=False, sessions_max=20), flags), ['-s', '20', '-d'])

    def test_scaled(self):
        slow = types.SimpleNamespace(share=0.1)
        self.assertEqual(smtp_cases.scaled(slow, 30_000), 3000)
        self.assertEqual(smtp_cases.scaled(slow, 100), 100)


class Plan(unittest.TestCase):
    def test_the_quick_run_has_what_its_targets_name(self):
        quick = [f'{case.name}_vs_postfix' for case in plan.CASES if case.quick]
        quick += [f'{key}_vs_dovecot' for key in plan.QUICK_OPERATIONS]
        quick += [f'{ceiling.name}_vs_ceiling' for ceiling in plan.CEILINGS if ceiling.quick]
        self.assertEqual(quick, [
            'accept_vs_postfix', 'accept_one_per_connection_vs_postfix', 'relay_vs_postfix',
            'local_vs_postfix', 'imap_fetch_flags_vs_dovecot', 'imap_fetch_body_vs_dovecot',
            'server_vs_ceiling', 'durable_vs_ceiling'])

    def test_names_are_different_and_operations_known(self):
        self.assertEqual(len(set(plan.names())), len(plan.names()))
        keys = {operation.key for operation in mailbox_cases.OPERATIONS}
        self.assertLessEqual(set(plan.QUICK_OPERATIONS), keys)

    def test_the_peers_of_each_case_are_known(self):
        kinds = {smtp_cases.accept: smtp_cases.ACCEPTING, smtp_cases.relay: smtp_cases.RELAYING,
                 smtp_cases.local: smtp_cases.DELIVERING}
        for case in plan.CASES:
            self.assertLessEqual(set(case.peers), set(kinds[case.kind]), case.name)


class Results(unittest.TestCase):
    def test_written_between_markers_and_again(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / 'RESULTS.md'
            path.write_text('# Results\n\nkept\n')
            table.write_results(path, 'one')
            path.write_text(path.read_text() + '\nbehind\n')
            table.write_results(path, 'two')
            text = path.read_text()
            self.assertIn('kept', text)
            self.assertIn('behind', text)
            self.assertIn('two', text)
            self.assertNotIn('one', text)
            self.assertEqual(text.count(table.BEGIN.format('bench/compare')), 1)


if __name__ == '__main__':
    outcome = unittest.main(exit=False).result
    bad = len(outcome.failures) + len(outcome.errors)
    print(f'{outcome.testsRun - bad} passed, {bad} failed')
    sys.exit(1 if bad else 0)
