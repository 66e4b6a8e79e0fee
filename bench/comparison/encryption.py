"""TLS, where a run is asked for it: every server has the same certificate, and mail goes in and out
encrypted. Without resumption: the load knows none."""

import functools
import pathlib
import subprocess
import tempfile

wanted = False  # set once, before the first server is made
_folder = None  # removed when the run ends


@functools.cache
def pair() -> tuple[pathlib.Path, pathlib.Path]:
    """PEM files of a certificate on P-256 and of its key; Exim reads it as its own user."""
    global _folder
    _folder = tempfile.TemporaryDirectory(prefix='kurir-compare-tls-')
    folder = pathlib.Path(_folder.name)
    folder.chmod(0o755)
    certificate, key = folder / 'certificate.pem', folder / 'key.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-subj', '/CN=localhost',
                    '-keyout', key, '-out', certificate], check=True, capture_output=True)
    key.chmod(0o644)
    return certificate, key


def load_flags() -> list[str]:
    return ['--starttls'] if wanted else []
