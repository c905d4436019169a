"""The certificate of the TLS rows, and what client and server agree on: the same for every proxy.

TLS 1.3, AES-128-GCM, X25519, ECDSA P-256. The clients offer nothing else, so no proxy's preferences matter.
"""

import collections
import os
import socket
import ssl
import subprocess

from tools.benchmark.system import BenchError

NAME = "shop.example.com"
CIPHER = "TLS_AES_128_GCM_SHA256"
CURVE = "X25519"

# OpenSSL's defaults of a process that is started with OPENSSL_CONF: for wrk, which has no options for them.
_CLIENT_DEFAULTS = f"""
openssl_conf = convoy_bench
[convoy_bench]
ssl_conf = ssl
[ssl]
system_default = client
[client]
MinProtocol = TLSv1.3
Ciphersuites = {CIPHER}
Groups = {CURVE}
"""

# Paths: the certificate, its key, both in one file, and the clients' OpenSSL configuration.
Certificate = collections.namedtuple("Certificate", "chain key both client_defaults")


def create(folder):
    """A self-signed certificate in files of `folder`; raises without the program openssl."""
    made = Certificate(*(os.path.join(folder, name) for name in ("chain.pem", "key.pem", "both.pem", "client.cnf")))
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
               "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", made.key, "-out", made.chain]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except OSError as error:
        raise BenchError(f"cannot run openssl: {error.strerror}; tools/setup build bench installs it") from error
    if done.returncode != 0:
        raise BenchError(f"openssl made no certificate:\n{done.stderr[-1000:]}")
    with open(made.both, "w", encoding="utf-8") as both:
        for path in (made.chain, made.key):
            with open(path, encoding="utf-8") as file:
                both.write(file.read())
    with open(made.client_defaults, "w", encoding="utf-8") as file:
        file.write(_CLIENT_DEFAULTS)
    return made


def agreed(port, protocols=None, seconds=2.0):
    """(TLS version, ALPN protocol or None) of a new connection to a port of 127.0.0.1; raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(protocols)
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as plain:
        with context.wrap_socket(plain, server_hostname=NAME) as connection:
            return connection.version(), connection.selected_alpn_protocol()
