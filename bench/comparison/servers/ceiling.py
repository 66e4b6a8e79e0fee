"""bench/ceiling: fixed replies on the same engine, with or without the group commit."""

import pathlib
import shutil
import subprocess
import tempfile

import postfix as postfix_of_tests

from ..tree import CEILING
from .server import Server


class Ceiling(Server):
    name = 'ceiling'
    held = 'x@y.test'

    def __init__(self, durable: bool) -> None:
        super().__init__()
        self.smtp = postfix_of_tests.free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='kurir-ceiling-'))
        self.command = [CEILING, str(self.smtp)]
        if durable:
            self.command += ['--durable', self.folder / 'data']

    def start(self) -> None:
        with self.group.joined():
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)
        self.group.leads(self.process.pid)
        self.wait_for_port()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)
