"""Rows as people read them, and as RESULTS.md keeps them."""

import pathlib
import statistics
from collections.abc import Iterable, Sequence

from .idle import IdleRow
from .measured import Costs, Row

BEGIN, END = '<!-- {} begin -->', '<!-- {} end -->'
HEADER = ['case', 'server', 'CPU µs each', 'CPU ratio', 'each second', 'wall ratio', 'p99 ms',
          'MiB', 'system calls', 'syncs']


def short(number: float) -> str:
    """Three digits that mean something, as people write them."""
    if number >= 100:
        return f'{number:,.0f}'
    return f'{number:.1f}' if number >= 10 else f'{number:.2f}'


def spread(ratios: Sequence[float]) -> str:
    """Median, then least and greatest."""
    return f'{short(statistics.median(ratios))} ({short(min(ratios))}–{short(max(ratios))})'


def line(cells: Iterable[str]) -> str:
    return f'| {" | ".join(cells)} |'


def table(header: Sequence[str], lines: Iterable[str]) -> str:
    return '\n'.join([line(header), line(['---'] * len(header)), *lines])


def count_of(number: float | None) -> str:
    return '' if number is None else short(number)


def lines_of(row: Row) -> list[str]:
    lines = []
    for at, (server, seen) in enumerate(zip(row.servers, row.medians())):
        costs = row.costs[at] if row.costs else Costs()
        memory = row.memory[at] if row.memory else 0
        lines.append(line([
            '' if at else row.title, server, short(seen.cpu) if seen.cpu else '',
            spread(row.ratios(True, at)) if at else '', short(seen.rate),
            spread(row.ratios(False, at)) if at else '',
            short(seen.latency) if seen.latency else '',
            f'{memory / 2**20:.0f}' if memory else '', count_of(costs.syscalls),
            count_of(costs.syncs)]))
    return lines


def table_of(rows: Iterable[Row]) -> str:
    return table(HEADER, (text for row in rows for text in lines_of(row)))


def idle_table_of(rows: Iterable[IdleRow]) -> str:
    return table(['idle connections', 'server', 'number', 'octets each', 'ratio'],
                 (line([row.title, row.server, f'{row.connections:,}', f'{row.octets:,.0f}',
                        short(row.ratio) if row.ratio else '']) for row in rows))


def write_results(path: pathlib.Path, text: str, command: str = 'bench/compare') -> None:
    """Between the command's markers; the rest of the file stays."""
    whole = path.read_text()
    begin, end = BEGIN.format(command), END.format(command)
    block = f'{begin}\n{text}\n{end}'
    if begin in whole:
        before, _, rest = whole.partition(begin)
        whole = before + block + rest.partition(end)[2]
    else:
        whole = whole.rstrip() + '\n\n' + block + '\n'
    path.write_text(whole)
