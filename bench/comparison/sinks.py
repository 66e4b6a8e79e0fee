"""Where relayed mail goes: kurir-sink, which also knows whether all came, once and whole."""

import contextlib
import sys
from collections.abc import Iterator

from . import encryption
from .tree import ROOT  # noqa: F401  finds the tests' modules

from sink_test import Sink  # noqa: E402  isort: skip


@contextlib.contextmanager
def sink() -> Iterator[Sink]:
    """Says at its end what was lost or came twice."""
    running = Sink(*encryption.load_flags())
    try:
        yield running
    finally:
        summary = running.stop()
        for run in summary['runs']:
            if run['lost'] or run['duplicated'] or run['altered']:
                print(f'the sink: {run["lost"]} lost, {run["duplicated"]} duplicated, '
                      f'{run["altered"]} altered of {run["distinct"]}', file=sys.stderr)
