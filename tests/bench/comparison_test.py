#!/usr/bin/env python3
"""The arithmetic of bench/compare: what it counts and how it reads and writes ratios."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'bench'))

from comparison import accounting, cases, table  # noqa: E402
from comparison.cases import Measured, Row  # noqa: E402


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


class Ratios(unittest.TestCase):
    row = Row('x', ['Kurir', 'Other'], [[Measured(100, 10), Measured(10, 400)],
                                        [Measured(200, 20), Measured(10, 400)],
                                        [Measured(300, 10), Measured(10, 300)]])

    def test_ratios_by_round(self):
        self.assertEqual(self.row.ratios(True), [40, 20, 30])
        self.assertEqual(self.row.ratios(False), [10, 20, 30])
        self.assertEqual(self.row.ratio(True), 30)
        self.assertEqual(self.row.ratio(False), 20)

    def test_spread(self):
        self.assertEqual(table.spread([30, 10, 20]), '20.0 (10.0–30.0)')
        self.assertEqual(table.spread([10, 30]), '20.0 (10.0–30.0)')

    def test_line(self):
        line = table.line_of(self.row)
        self.assertIn('30.0 (20.0–40.0)', line)
        self.assertIn('| 10.0 | 400.0 |', line)
        self.assertEqual(line.count('|'), table.HEADER.splitlines()[0].count('|'))

    def test_scaled(self):
        class Slow:
            share = 0.1
        self.assertEqual(cases.scaled(Slow, 30_000), 3000)
        self.assertEqual(cases.scaled(Slow, 100), 200)


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
            self.assertEqual(text.count(table.BEGIN), 1)


if __name__ == '__main__':
    outcome = unittest.main(exit=False).result
    bad = len(outcome.failures) + len(outcome.errors)
    print(f'{outcome.testsRun - bad} passed, {bad} failed')
    sys.exit(1 if bad else 0)
