#!/usr/bin/env python3
"""Checks what the compiler does not: layers, system access, sizes. tools/tidy.py [--root FOLDER]

The table of rooms in src/meson.build says which room may include which (arrows are transitive).
A private header is included only from its own folder; a test includes what its room may and
tests/support. Only io/ touches the system, so that the simulator can stand in for it. Prints a line
a fault, `file:line: what`; the exit code is 1 when there is any."""

import argparse
import ast
import pathlib
import re
import subprocess
import sys

LINES_MAX = 600
COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 70
CODE = ('.cc', '.hh', '.py', '.sh', 'meson.build', 'meson_options.txt')
UNFINISHED = re.compile(r'\b(' + '|'.join(('FIX' + 'ME', 'TO' + 'DO', 'XX' + 'X')) + r')\b')
# Folders that drive or make up the whole program: every room is open to them.
WHOLE = ('tests/support/', 'tests/examples/', 'tests/transcripts/', 'tests/sim/', 'tests/crash/',
         'tests/e2e/', 'tests/fuzz/', 'tests/golden/', 'tests/compile_fail/', 'tools/',
         'bench/compare/')

SYSTEM_HEADERS = re.compile(
    r'(sys/(socket|epoll|eventfd|mman|stat|file|ioctl|uio|un|wait|time|random|syscall)|unistd|fcntl'
    r'|poll|netdb|time|signal|pthread|sched|dirent|arpa/inet|netinet/\w+|liburing'
    r'|sqlite3|urcu[\w/-]*)\.h|ctime|csignal|fstream|iostream|thread|mutex|shared_mutex'
    r'|condition_variable|future|random')
SYSTEM_CALLS = re.compile(
    r'\b(system|steady|high_resolution|utc|file)_clock\s*::\s*now\b'
    r'|(?<![\w.>:])(std)?(::)?(clock_gettime|gettimeofday|getrandom|srand|rand|usleep|nanosleep'
    r'|fopen|fork|execve?|getenv|setenv)\s*\('
    r'|(?<![\w.>:])time\s*\(\s*(nullptr|NULL|0|&)|\bstd::(time|system|rand|getenv)\s*\('
    r'|(?<![\w>)])::(open|openat|socket|connect|bind|listen|accept|accept4|read|write|pread|pwrite'
    r'|send|recv|close|unlink|rename|mkdir|stat|fstat|fsync|fdatasync|poll|kill|fork|getpid|mmap'
    r'|time|random|system)\s*\('
    r'|\bstd::(this_thread::\w+|random_device|j?thread|(shared_|recursive_)?mutex'
    r'|condition_variable|async|ifstream|ofstream|fstream|cin|cout)\b'
    r'|\bstd::filesystem::(?!path\b)\w+|\bfs::(?!path\b)(exists|remove|rename|create_\w+)\b')

# Where the system may be touched above io/, and why. A path ending in / is a folder; an empty
# second field allows everything, another one what it matches.
ALLOWED = (
    ('src/io/', ''),                          # the seam itself
    ('include/kurir/io/', ''),
    ('src/cli/', ''),                         # the commands run beside the server, not in it
    ('src/directory/', r'<sqlite3\.h>'),      # on the offload pool; the simulator has its own
    ('src/wire/address.cc', r'<arpa/inet\.h>'),            # inet_pton only computes
    ('src/wire/ip_address.cc', r'<arpa/inet\.h>'),         # the same
    ('include/kurir/observe/event_log.hh', r'mutex'),      # held on the offload pool only
    ('src/server/shared_state.hh', r'mutex'),              # held on the offload pool only
    ('tests/', ''),
    ('tools/', ''),
    ('bench/', ''),
)


def rooms_of(root):
    """The table as {room: set of rooms it may include}, transitively closed."""
    text = (root / 'src/meson.build').read_text()
    table = re.search(r'^rooms = \{(.*?)^\}', text, re.S | re.M)
    if not table:
        raise SystemExit('src/meson.build: no table `rooms = {...}`')
    rooms = {}
    for room, uses in re.findall(r"'(\w+)'\s*:\s*\[(.*?)\]", table.group(1), re.S):
        direct = re.findall(r"'(\w+)'", uses)
        unknown = [use for use in direct if use not in rooms]
        if unknown:
            raise SystemExit(f'src/meson.build: {room} uses {unknown[0]}: no line above has it')
        rooms[room] = set(direct).union(*(rooms[use] for use in direct))
    return rooms


def without_comments(text):
    """The same lines with comments and the insides of literals blanked."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
                       r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.S)

    def blank(match):
        body = match.group()
        kept = re.sub(r'[^\n]', ' ', body)
        return kept if body.startswith('/') else '"' + kept[1:-1] + '"'
    return token.sub(blank, text)


def room_of(path):
    """('room', name) for a file of a room, ('whole', '') for one that may see all, else None."""
    if path.startswith(WHOLE):
        return ('whole', '')
    match = re.match(r'(?:include/kurir|src|tests)/(\w+)/', path)
    if match:
        return ('room', match.group(1))
    match = re.match(r'bench/([a-z0-9]+)\w*_bench\.cc$', path)
    return ('room', match.group(1)) if match else None


class File:
    """One C++ file under check. Faults go to `faults` as (path, line, text)."""

    def __init__(self, root, path, text, rooms, faults):
        self.root, self.path, self.rooms, self.faults = root, path, rooms, faults
        self.lines = text.split('\n')
        self.code = without_comments(text)
        self.place = room_of(path)

    def fault(self, line, text):
        self.faults.append((self.path, line, text))

    def check(self):
        if self.path.endswith('.hh') and '#pragma once' not in self.lines:
            self.fault(1, 'no #pragma once')
        if self.place and self.place[0] == 'room' and self.place[1] not in self.rooms:
            self.fault(1, f'room {self.place[1]} is not in the table of src/meson.build')
            return
        for number, line in enumerate(self.lines, 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if match:
                self.check_include(number, match.group(1) == '<', match.group(2))
        self.check_system()
        self.check_functions()

    def check_include(self, number, angled, name):
        if self.place is None or self.place[0] == 'whole':
            return
        room = self.place[1]
        if name.startswith('kurir/'):
            other = name.split('/')[1]
            if other != room and other not in self.rooms[room]:
                self.fault(number, f'{room} may not include {other} ({name})')
        elif not angled:
            self.check_private(number, room, name)

    def check_private(self, number, room, name):
        if self.path.startswith('include/'):
            self.fault(number, f'a contract includes only contracts ("{name}")')
        elif self.path.startswith('tests/') and name.startswith('support/'):
            return
        elif not (self.root / self.path).parent.joinpath(name).is_file() or '..' in name:
            self.fault(number, f'private header of another folder ("{name}")')

    def allowed(self, what):
        return any(self.path.startswith(place) and (not rule or re.search(rule, what))
                   for place, rule in ALLOWED)

    def check_system(self):
        for number, line in enumerate(self.code.split('\n'), 1):
            include = re.match(r'\s*#\s*include\s*(<([^>]+)>)', line)
            if include and SYSTEM_HEADERS.fullmatch(include.group(2)):
                if not self.allowed(include.group(1)):
                    self.fault(number, f'system access outside io/: {include.group(1)}')
                continue
            call = SYSTEM_CALLS.search(line)
            if call and not self.allowed(call.group()):
                self.fault(number, f'system access outside io/: {call.group().strip()}')

    def check_functions(self):
        for first, last in functions(self.code):
            if last - first + 1 > FUNCTION_LINES_MAX:
                self.fault(first, f'function of {last - first + 1} lines')


def functions(code):
    """(first line, last line) of every outermost function body, found by its braces."""
    found, open_braces, head_start, line, inside = [], [], 0, 1, 0
    for position, letter in enumerate(code):
        if letter == '\n':
            line += 1
        elif letter == ';' and not inside:
            head_start = position + 1
        elif letter == '{':
            head = code[head_start:position]
            kind = 'function' if inside or is_function(head) else 'container'
            first = line - re.sub(r'\A(\s*#.*\n|\s)*', '', head).count('\n')
            open_braces.append((kind, first, head_start))
            inside += kind == 'function'
            head_start = position + 1
        elif letter == '}' and open_braces:
            kind, first, start = open_braces.pop()
            inside -= kind == 'function'
            ended = not re.match(r'\s*[,{]', code[position + 1:position + 200])
            if kind == 'function' and not inside and ended:
                found.append((first, line))
            # What follows a member's initializer belongs to the same head.
            head_start = position + 1 if ended else start
    return found


def is_function(head):
    """Whether the text between the last ; { or } and a brace begins a function's body."""
    head = re.sub(r'^\s*#.*$', '', head, flags=re.M)
    previous = None
    while previous != head:  # template parameters from the inside out
        previous, head = head, re.sub(r'\btemplate\s*<[^<>]*>|<[^<>()]*>', '', head)
    head = re.sub(r'\[\[.*?\]\]', '', head).strip()
    if re.match(r'(inline\s+|typedef\s+)*(namespace|class|struct|union|enum|extern)\b', head):
        return bool(re.match(r'(class|struct|union|enum)\s+\w+\s+\w+\s*\(', head))
    return '(' in head and not re.search(r'=\s*$', head)


def check_python(path, text, faults):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                faults.append((path, node.lineno, f'function of {length} lines'))


def check_text(path, text, faults):
    lines = text.split('\n')
    script = text.startswith('#!')
    if path.endswith(CODE) or script:
        if len(lines) - 1 > LINES_MAX:
            faults.append((path, LINES_MAX + 1, f'file of {len(lines) - 1} lines'))
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS_MAX:
                faults.append((path, number, f'line of {len(line)} columns'))
    for number, line in enumerate(lines, 1):
        word = UNFINISHED.search(line)
        if word:
            faults.append((path, number, f'unfinished: {word.group()}'))


def check_tree(root):
    listed = subprocess.run(['git', '-C', str(root), 'ls-files', '-co', '--exclude-standard', '-z'],
                            capture_output=True, check=True).stdout.decode()
    rooms, faults = rooms_of(root), []
    for path in sorted(filter(None, listed.split('\0'))):
        try:
            text = (root / path).read_text()
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue  # a binary golden file, or one deleted and not yet committed
        check_text(path, text, faults)
        if path.endswith(('.cc', '.hh')):
            File(root, path, text, rooms, faults).check()
        elif path.endswith('.py') or re.match(r'#!.*python', text):
            check_python(path, text, faults)
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--root', type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    faults = check_tree(parser.parse_args().root)
    for path, line, text in faults:
        print(f'{path}:{line}: {text}')
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
