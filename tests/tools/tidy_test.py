#!/usr/bin/env python3
"""tools/tidy.py against small trees with planted faults: each is found, at its line, no more."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

TIDY = pathlib.Path(__file__).resolve().parents[2] / 'tools/tidy.py'
TABLE = """rooms = {
  'base': [],
  'wire': ['base'],
  'io': ['base'],
  'directory': ['io'],
  'queue': ['wire', 'io'],
}
"""


class Tidy(unittest.TestCase):
    def faults(self, files):
        """What tidy prints about a tree of `files` (path -> text), as a list of lines."""
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(['git', 'init', '-q', folder], check=True)
            for path, text in ({'src/meson.build': TABLE} | files).items():
                place = pathlib.Path(folder, path)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text)
            run = subprocess.run([sys.executable, TIDY, '--root', folder], capture_output=True,
                                 text=True, check=False)
            self.assertEqual(run.stderr, '')
            self.assertEqual(run.returncode, 1 if run.stdout else 0)
            return run.stdout.splitlines()

    def one_fault(self, path, text, line, words):
        found = self.faults({path: text})
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(f'{path}:{line}: '), found)
        self.assertIn(words, found[0])

    def no_fault(self, path, text):
        self.assertEqual(self.faults({path: text}), [])

    def test_clean_tree_has_no_faults(self):
        self.assertEqual(self.faults({
            'include/kurir/queue/a.hh': '#pragma once\n#include "kurir/base/b.hh"\n',
            'src/queue/a.cc': '#include "private.hh"\n#include "kurir/wire/x.hh"\nint a;\n',
            'src/queue/private.hh': '#pragma once\n',
            'tests/queue/a_test.cc': '#include "support/feed.hh"\n#include "kurir/queue/a.hh"\n',
            'src/io/file.cc': '#include <fcntl.h>\nint f() { return ::open("x", 0); }\n',
        }), [])

    def test_arrows_are_transitive(self):
        self.no_fault('src/directory/a.cc', '#include "kurir/base/b.hh"\n')

    def test_room_above_or_beside_is_refused(self):
        self.one_fault('src/wire/a.cc', 'int a;\n#include "kurir/queue/q.hh"\n', 2,
                       'wire may not include queue')
        self.one_fault('include/kurir/wire/a.hh', '#pragma once\n#include <kurir/io/q.hh>\n', 2,
                       'wire may not include io')
        self.one_fault('tests/wire/a_test.cc', '#include "kurir/io/q.hh"\n', 1, 'wire may not')
        self.one_fault('bench/wire_bench.cc', '#include "kurir/io/q.hh"\n', 1, 'wire may not')

    def test_private_header_of_another_folder_is_refused(self):
        found = self.faults({'src/queue/private.hh': '#pragma once\n',
                             'src/wire/a.cc': '#include "../queue/private.hh"\n'})
        self.assertEqual(found, ['src/wire/a.cc:1: private header of another folder '
                                 '("../queue/private.hh")'])
        self.one_fault('include/kurir/wire/a.hh', '#pragma once\n#include "b.hh"\n', 2, 'contract')

    def test_unknown_room(self):
        self.one_fault('src/cellar/a.cc', 'int a;\n', 1, 'room cellar')

    def test_pragma_once(self):
        self.one_fault('include/kurir/wire/a.hh', 'int a;\n', 1, '#pragma once')

    def test_system_access_above_io(self):
        for text in ('#include <sys/socket.h>', '#include <unistd.h>', '#include <fcntl.h>',
                     '#include <sqlite3.h>', '#include <fstream>',
                     'auto t = std::chrono::steady_clock::now();',
                     'auto t = Clock::system_clock::now();', 'auto t = time(nullptr);',
                     'int f = ::open(path, 0);', 'int f = ::socket(1, 1, 0);',
                     'std::random_device seed;', 'std::this_thread::sleep_for(a);',
                     'std::mutex m;', 'bool b = std::filesystem::exists(p);',
                     'auto h = std::getenv("HOME");', 'auto h = getenv("HOME");'):
            self.one_fault('src/queue/a.cc', 'int a;\n' + text + '\n', 2, 'system access')

    def test_what_only_looks_like_system_access(self):
        for text in ('// ::open( and std::mutex', 'auto s = "::open(x)";', 'socket.read(b);',
                     'Queue::open(b);', 'file::open(b);', 'Duration time() const;',
                     'using Now = std::chrono::steady_clock::time_point;',
                     'std::filesystem::path p;', 'auto t = clock.time();'):
            self.no_fault('src/queue/a.cc', text + '\n')

    def test_exceptions_are_narrow(self):
        self.no_fault('src/directory/a.cc', '#include <sqlite3.h>\n')
        self.one_fault('src/directory/a.cc', '#include <unistd.h>\n', 1, 'system access')
        self.no_fault('tests/queue/a_test.cc', '#include <unistd.h>\n')

    def test_long_line_and_long_file(self):
        self.no_fault('src/wire/a.cc', '/' * 100 + '\n')
        self.one_fault('src/wire/a.cc', 'int a;\n' + '/' * 101 + '\n', 2, '101 columns')
        self.no_fault('src/wire/a.cc', 'int a;\n' * 600)
        self.one_fault('src/wire/a.cc', 'int a;\n' * 601, 601, '601 lines')

    def test_unfinished(self):
        for word in ('TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'):
            self.one_fault('src/wire/a.cc', f'int a;  // {word} later\n', 1, word)
        self.no_fault('tools/a', 'mktemp -d a.XXXXXX\n')

    def test_functions_of_more_than_70_lines(self):
        def body(lines):
            return '  if (a) {\n    b();\n  }\n' + '  c();\n' * (lines - 3)
        heads = ('int f() {\n', 'namespace x {\n#if 1\nint f() {\n',
                 'template <class T>\nint f() {\n', 'class A {\n  int x{1};\n  int f() const {\n',
                 'A::A(int a) : b_{a}, c_{a} {\n', 'TEST(A, b) {\n',
                 'std::map<int, A<int>> f() {\n', 'struct A f(int a) {\n')
        for head in heads:
            before = {'n': 2, 'c': 2}.get(head[0], 0)
            own = head.count('\n') - before
            closing = '}\n}\n' if before else '}\n'
            self.no_fault('src/wire/a.cc', head + body(70 - own - 1) + closing)
            self.one_fault('src/wire/a.cc', head + body(71 - own - 1) + closing, before + 1,
                           'function of 71 lines')

    def test_tables_and_classes_may_be_long(self):
        for head in ('constexpr int table[] = {\n', 'class A {\n', 'enum class A {\n',
                     'namespace a {\n', 'constexpr std::array<int, 3> table{{\n'):
            closing = '}};\n' if '{{' in head else '};\n'
            self.no_fault('src/wire/a.cc', head + '  x,\n' * 100 + closing)

    def test_python_functions(self):
        self.one_fault('tools/a.py', 'def f():\n' + '    g()\n' * 70, 1, 'function of 71 lines')


if __name__ == '__main__':
    outcome = unittest.main(exit=False).result
    bad = len(outcome.failures) + len(outcome.errors)
    print(f'{outcome.testsRun - bad} passed, {bad} failed')
    sys.exit(1 if bad else 0)
