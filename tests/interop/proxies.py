"""nginx and HAProxy before a WebSocket server, each a process of the test's own with a configuration of its own."""

import contextlib
import os
import shutil
import socket
import tempfile
import time

from carrier import PATIENCE
from harness import Failure, Skip
from process import Process

STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"

NGINX_HTTP = """
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    server {{
        listen {listen};
        {tls}
        location / {{
            proxy_pass http://{target};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header Forwarded "for=$remote_addr";
        }}
    }}
}}
"""

NGINX_STREAM = """
stream {{
    server {{
        listen {listen};
        {tls}
        proxy_pass {target};
        proxy_protocol on;
    }}
}}
"""

HAPROXY = """
global
    maxconn 100
defaults
    mode {mode}
    timeout connect 60s
    timeout client 60s
    timeout server 60s
    timeout tunnel 60s
frontend here
    bind {listen} {tls}
    default_backend there
backend there
    {more}
    server one {target} {send}
"""


def program(name):
    # Debian's place for daemons is not in every user's path.
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if path is None:
        raise Skip(f"{name} is not installed (scripts/setup)")
    return path


@contextlib.contextmanager
def running(command, listen):
    """The command, once it listens."""
    host, port = listen.rsplit(":", 1)
    with Process(command) as proxy:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection((host, int(port)), PATIENCE).close()
                break
            except OSError:
                if not proxy.running or time.monotonic() > until:
                    raise Failure(f"{command[0]} does not listen on {listen}:\n{proxy.said()}") from None
            time.sleep(0.02)
        yield


@contextlib.contextmanager
def nginx(listen, target, certificate=None, stream=False):
    """`stream`: TCP is passed on with a header of the PROXY protocol, v1, before it."""
    if stream and not os.path.exists(STREAM_MODULE):
        raise Skip("libnginx-mod-stream is not installed (scripts/setup)")
    with tempfile.TemporaryDirectory(prefix="millrace-nginx-") as place:
        path = os.path.join(place, "nginx.conf")
        with open(path, "w", encoding="ascii") as file:
            if stream:
                file.write(f"load_module {STREAM_MODULE};\n")
            file.write(f"daemon off;\nmaster_process off;\npid {place}/pid;\nerror_log stderr;\nevents {{}}\n")
            file.write((NGINX_STREAM if stream else NGINX_HTTP).format(
                listen=listen + (" ssl" if certificate else ""), target=target,
                tls="ssl_certificate {}; ssl_certificate_key {};".format(*certificate) if certificate else ""))
        with running([program("nginx"), "-p", place, "-c", path, "-e", "stderr"], listen):
            yield


@contextlib.contextmanager
def haproxy(listen, target, certificate=None, send="", mode="http", more="option forwardfor"):
    """`send`: "send-proxy" or "send-proxy-v2"."""
    with tempfile.TemporaryDirectory(prefix="millrace-haproxy-") as place:
        path = os.path.join(place, "haproxy.cfg")
        tls = ""
        if certificate:  # one file with both
            with open(os.path.join(place, "both.pem"), "w", encoding="ascii") as both:
                for name in certificate:
                    with open(name, encoding="ascii") as part:
                        both.write(part.read())
            tls = f"ssl crt {place}/both.pem"
        with open(path, "w", encoding="ascii") as file:
            file.write(HAPROXY.format(listen=listen, target=target, tls=tls, send=send, mode=mode, more=more))
        with running([program("haproxy"), "-db", "-f", path], listen):
            yield
