"""Rows as people read them, and as RESULTS.md keeps them."""

import pathlib
import statistics

BEGIN, END = '<!-- bench/compare begin -->', '<!-- bench/compare end -->'


def spread(ratios):
    """Median, then least and greatest."""
    return f'{statistics.median(ratios):.1f} ({min(ratios):.1f}–{max(ratios):.1f})'


def line_of(row, of_cpu=True):
    ours, other = row.medians()
    cells = [row.title, row.names[1]]
    if of_cpu:
        cells += [spread(row.ratios(True)), f'{ours.cpu:.1f}', f'{other.cpu:.1f}']
    else:
        cells += ['', '', '']
    cells += [spread(row.ratios(False)) if of_cpu else
              f'{row.ratio(False):.2f}', f'{ours.rate:.0f}', f'{other.rate:.0f}']
    memory = row.peak_memory or [0, 0]
    cells += [f'{octets / 2**20:.0f}' if octets else '' for octets in memory]
    return '| ' + ' | '.join(cells) + ' |'


HEADER = ('| case | beside | CPU ratio | Kurir CPU µs | its | wall ratio | Kurir/s | its/s '
          '| Kurir MiB | its |\n' + '| --- ' * 10 + '|')


def table_of(rows, ceilings):
    lines = [HEADER]
    lines += [line_of(row) for row in rows]
    lines += [line_of(row, of_cpu=False) for row in ceilings]
    return '\n'.join(lines)


def write_results(path, text):
    """Between its markers; the rest of the file stays."""
    path = pathlib.Path(path)
    whole = path.read_text()
    block = f'{BEGIN}\n{text}\n{END}'
    if BEGIN in whole:
        before, _, rest = whole.partition(BEGIN)
        whole = before + block + rest.partition(END)[2]
    else:
        whole = whole.rstrip() + '\n\n' + block + '\n'
    path.write_text(whole)
