"""Debian's HAProxy, unpacked and not installed, before listeners of Kurir."""

import contextlib
import pathlib
import shutil
import socket
import subprocess
import tempfile

from harness import ROOT, wait_until
from postfix import free_port

PROGRAM = ROOT / 'build-peers/usr/sbin/haproxy'
CONFIGURATION = """
global
  maxconn 200
  stats socket {folder}/control mode 600
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout check 5s
"""
LISTENER = """
listen {name}
  bind 127.0.0.1:{port}
  {options}
  server kurir {host}:{next_port} source {source} {header} check inter 200ms
"""


class HaProxy:
    """`listeners`: {name: ((host, port) of Kurir, 'send-proxy' or 'send-proxy-v2')}. It comes to
    Kurir from the address `source`. `options`: {name: a line of that listener}."""

    def __init__(self, listeners, source, options=None):
        if not PROGRAM.exists():
            raise RuntimeError(f'{PROGRAM} is not there: tools/setup --tests')
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='kurir-haproxy-'))
        self.ports = {name: free_port() for name in listeners}
        self.process = None
        text = CONFIGURATION.format(folder=self.folder)
        for name, ((host, port), header) in listeners.items():
            text += LISTENER.format(name=name, port=self.ports[name], host=host, next_port=port,
                                    source=source, header=header,
                                    options=(options or {}).get(name, ''))
        (self.folder / 'conf').write_text(text)

    def start(self):
        with open(self.folder / 'log', 'wb') as log:
            self.process = subprocess.Popen([PROGRAM, '-f', self.folder / 'conf', '-db'],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.listens, 20, 'HAProxy')
        return self

    def listens(self):
        if self.process.poll() is not None:
            raise AssertionError(f'HAProxy ended: {self.log()}')
        with contextlib.suppress(OSError):
            return 'INI' not in self.checked().values()
        return False

    def checked(self):
        """By listener: the result of the last check of the health of Kurir, like L7OK."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self.folder / 'control'))
            control.sendall(b'show stat\n')
            lines = control.makefile().read().lstrip('# ').splitlines()
        fields = lines[0].split(',')
        rows = [dict(zip(fields, line.split(','))) for line in lines[1:] if line]
        return {row['pxname']: row['check_status'].lstrip('* ')
                for row in rows if row['svname'] == 'kurir'}

    def stop(self):
        process, self.process = self.process, None
        if process is not None:
            process.terminate()
            process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        return (self.folder / 'log').read_text(errors='replace')[-3000:]
