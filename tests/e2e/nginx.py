"""Debian's nginx with its mail module, unpacked and not installed, before Kurir; and the server
that it asks whom to let in."""

import http.server
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading

from harness import ROOT, wait_until
from postfix import free_port

PROGRAM = ROOT / 'build-peers/usr/sbin/nginx'
MODULE = ROOT / 'build-peers/usr/lib/nginx/modules/ngx_mail_module.so'
CONFIGURATION = """
load_module {module};
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/log info;
events {{
  worker_connections 100;
}}
mail {{
  server_name nginx.example.org;
  auth_http 127.0.0.1:{judge}/;
  proxy_pass_error_message on;
  server {{
    listen 127.0.0.1:{with_login};
    protocol smtp;
    smtp_auth plain login;
    xclient on;
  }}
  server {{
    listen 127.0.0.1:{without_login};
    protocol smtp;
    smtp_auth none;
    xclient on;
  }}
  server {{
    listen 127.0.0.1:{imap};
    protocol imap;
    proxy_protocol on;
  }}
  server {{
    listen 127.0.0.1:{pop3};
    protocol pop3;
    proxy_protocol on;
  }}
}}
"""


class Judge:
    """What nginx calls auth_http: lets in who knows the password, and says where to go."""

    def __init__(self, passwords, backends):
        judge = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                judge.answer(self)

            def log_message(self, *_):
                pass

        self.passwords, self.backends = passwords, backends
        self.asked = []
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def answer(self, request):
        told = request.headers
        self.asked.append(dict(told))
        user = told.get('Auth-User', '')
        knows = told['Auth-Method'] == 'none' or (
            self.passwords[told['Auth-Protocol']].get(user) == told.get('Auth-Pass', ''))
        host, port = self.backends[told['Auth-Protocol'], told['Auth-Method'] != 'none']
        request.send_response(200)
        request.send_header('Auth-Status', 'OK' if knows else 'Invalid login or password')
        if knows:
            request.send_header('Auth-Server', host)
            request.send_header('Auth-Port', str(port))
        request.end_headers()

    def stop(self):
        self.server.shutdown()
        self.thread.join(10)
        self.server.server_close()


class Nginx:
    """`passwords`: {protocol: {user: password}}. `backends`: {(protocol, whether with a login):
    (host, port)}."""

    def __init__(self, passwords, backends):
        if not PROGRAM.exists() or not MODULE.exists():
            raise RuntimeError(f'{PROGRAM} is not there: tools/setup --tests')
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='kurir-nginx-'))
        self.ports = {name: free_port()
                      for name in ('with_login', 'without_login', 'imap', 'pop3')}
        self.process = None
        self.judge = Judge(passwords, backends)
        (self.folder / 'conf').write_text(CONFIGURATION.format(
            module=MODULE, folder=self.folder, judge=self.judge.port, **self.ports))

    def start(self):
        with open(self.folder / 'start.log', 'wb') as log:
            self.process = subprocess.Popen(
                [PROGRAM, '-p', self.folder, '-c', self.folder / 'conf', '-e',
                 self.folder / 'log'], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.listens, 20, 'nginx')
        return self

    def listens(self):
        if self.process.poll() is not None:
            raise AssertionError(f'nginx ended: {self.log()}')
        with socket.socket() as probe:
            return probe.connect_ex(('127.0.0.1', self.ports['with_login'])) == 0

    def stop(self):
        process, self.process = self.process, None
        if process is not None:
            process.terminate()
            process.wait(20)
        self.judge.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        return '\n'.join(path.read_text(errors='replace')[-3000:]
                         for path in (self.folder / 'start.log', self.folder / 'log')
                         if path.exists())
