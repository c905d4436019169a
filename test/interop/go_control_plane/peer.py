"""The Go control plane as a process: what to serve, and what it heard and said."""

import base64
import copy
import json
import subprocess
import threading

import fleet

TYPES = {
    "clusters": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
    "endpoints": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
    "routes": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
    "listeners": "type.googleapis.com/envoy.config.listener.v3.Listener",
}


class Peer:
    """One run of the server. `log` is a file for what it says on standard error."""

    def __init__(self, log, address="127.0.0.1:0"):
        self.events = []
        self.changed = threading.Condition()
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(["test/interop/go_control_plane/server", "-listen", address],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        self.reader = threading.Thread(target=self._read)
        self.reader.start()
        self.address = self.wait_for("its address", kind="ready")["address"]

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.events.append(json.loads(line))
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=fleet.SECONDS)
        self.reader.join(timeout=fleet.SECONDS)
        self.process.stdin.close()
        self.process.stdout.close()

    def serve(self, node, version, resources):
        """Puts a snapshot in force: {"clusters": {name: resource}, ...}. Returns how many events there were."""
        snapshot = {kind: list(resources.get(kind, {}).values()) for kind in TYPES}
        with self.changed:
            start = len(self.events)
        self.process.stdin.write(json.dumps({"node": node, "version": version, **snapshot}).encode() + b"\n")
        self.process.stdin.flush()
        served = self.wait_for(f"snapshot {version}", start, kind="served")
        if "error" in served:
            raise AssertionError(f"snapshot {version} is refused by the control plane: {served['error']}")
        return start

    def find(self, start=0, **fields):
        """Events from `start` on that have these fields."""
        with self.changed:
            return [copy.deepcopy(e) for e in self.events[start:] if all(e.get(k) == v for k, v in fields.items())]

    def wait_for(self, what, start=0, **fields):
        """The first such event from `start` on."""
        with self.changed:
            self.changed.wait_for(lambda: self.find_one(start, fields) or self.process.poll() is not None,
                                  timeout=fleet.SECONDS)
            found = self.find_one(start, fields)
        if found is None:
            raise AssertionError(f"the Go control plane never said {what} {fields}: {self.events[start:]}")
        return found

    def find_one(self, start, fields):
        return next((e for e in self.events[start:] if all(e.get(k) == v for k, v in fields.items())), None)

    def answer(self, kind, start=0):
        """(response, answer to it) of the first response about this kind of resource from `start` on."""
        response = self.wait_for(f"a response about {kind}", start, kind="response", type=TYPES[kind])
        answer = self.wait_for(f"the answer about {kind}", start, kind="request", type=TYPES[kind],
                               stream=response["stream"], nonce=response["nonce"])
        return response, answer


def resource_error(detail):
    """convoy.ext.ResourceError from its bytes: the fields by name. All of them are short strings."""
    names = {1: "type_url", 2: "name", 3: "field_path", 4: "rule", 5: "value", 6: "reason"}
    if detail["type"] != "type.googleapis.com/convoy.ext.ResourceError":
        raise AssertionError(f"an unknown detail: {detail}")
    data = base64.b64decode(detail["value"])
    error, at = {}, 0
    while at < len(data):
        number, kind = data[at] >> 3, data[at] & 7
        length, shift, at = 0, 0, at + 1
        while True:
            length |= (data[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if data[at - 1] < 0x80:
                break
        if kind != 2 or number not in names:
            raise AssertionError(f"no ResourceError: {data}")
        error[names[number]] = data[at:at + length].decode()
        at += length
    return error
