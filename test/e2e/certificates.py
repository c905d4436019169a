"""Certificates of test/common/test_ca.sh, and a listener that has one. Every run makes new ones."""

import os
import subprocess


class Certificates:
    """In the folder `certificates` of the folder. `authority` is for clients to trust; the names include 127.0.0.1."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "certificates")
        subprocess.run(["sh", "test/common/test_ca.sh", self.folder], check=True)
        self.authority = os.path.join(self.folder, "ca.pem")

    def transport(self, protocols="h2, http/1.1", name="ecdsa"):
        """The field of a filter chain, in one line."""
        return ("transport_socket: {name: envoy.transport_sockets.tls, typed_config: {"
                '"@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext, '
                f"common_tls_context: {{alpn_protocols: [{protocols}], tls_certificates: [{{"
                f"certificate_chain: {{filename: {self.folder}/{name}.pem}}, "
                f"private_key: {{filename: {self.folder}/{name}.key}}}}]}}}}}}")
