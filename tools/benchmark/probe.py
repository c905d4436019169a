"""Whether a proxy answers what a row is about: its protocol, over TLS if it has it, through to the backend.

The requests are made by clients other than those that make the load, and the answers are looked at: a proxy that falls
back to another protocol, or loses gRPC's trailers, is found here and not in the figures.
"""

import re
import socket
import ssl
import subprocess

from tools.benchmark import certificate, workload
from tools.benchmark.system import BenchError

_SECONDS = 5.0


def complaint(scenario, port, message_path=None):
    """What is wrong with the answer of 127.0.0.1:`port` to the row's request; nothing if it is right.

    `message_path` is the file with the body of a gRPC call.
    """
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS):
            pass
        return (_tls(scenario, port) or (_http2 if scenario.http2 else _http1)(scenario, port, message_path))
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)


def _tls(scenario, port):
    if not scenario.tls:
        return None
    version, protocol = certificate.agreed(port, ["h2"] if scenario.http2 else None)
    wanted = ("TLSv1.3", "h2" if scenario.http2 else None)
    return None if (version, protocol) == wanted else f"agreed on {version} and ALPN {protocol}, not on {wanted}"


def _http1(scenario, port, message_path):
    del message_path
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with workload.Client(port, seconds=_SECONDS) as client:
            connection = client.connect()
            if scenario.tls:
                connection = context.wrap_socket(connection, server_hostname=certificate.NAME)
                client.sockets[0] = connection
            body = client.exchange(connection)
    except BenchError as error:
        return str(error)
    return None if len(body) == scenario.body_bytes else f"the body has {len(body)} bytes"


def _http2(scenario, port, message_path):
    """By nghttp, which prints every frame."""
    scheme = "https" if scenario.tls else "http"
    command = ["nghttp", "-v", "-n", "-y", "--no-dep", "-H", f":authority: {certificate.NAME}"]
    if scenario.grpc:
        command += ["-d", message_path]
        for name, value in workload.GRPC_HEADERS:
            command += ["-H", f"{name}: {value}"]
    done = subprocess.run([*command, f"{scheme}://127.0.0.1:{port}{workload.path_of(scenario)}"], capture_output=True,
                          text=True, errors="replace", timeout=_SECONDS, check=False)
    seen = re.findall(r"recv \(stream_id=\d+\) (\S+): (.*)", done.stdout)
    wanted = [(":status", "200")] + ([("grpc-status", "0")] if scenario.grpc else [])
    missing = [f"{name}: {value}" for name, value in wanted if (name, value) not in seen]
    return f"no {', no '.join(missing)} in {seen or (done.stderr.strip() or done.stdout.strip())[-300:]}" if missing else None
