"""@envoy_api: Envoy's API definitions out of the npm package @grpc/grpc-js-xds, which tools/setup fetches.

The package's folder is outside the clone; only the .proto files that the roots reach are linked into the
repository. validate.proto gets one field more (see _OVERLAY), since the package's copy is older than the files
that use it.
"""

load("//third_party/envoy_api:roots.bzl", "ENVOY_API_ROOTS")

_IMPORT_ROOTS = ["envoy-api", "xds", "protoc-gen-validate", "googleapis"]

# protoc-gen-validate later gave every rule but bool's, enum's, any's and the times' an `ignore_empty` field: its
# number by message. 8 stands for all the numeric rules.
_OVERLAY = {
    "BytesRules": 14,
    "DoubleRules": 8,
    "Fixed32Rules": 8,
    "Fixed64Rules": 8,
    "FloatRules": 8,
    "Int32Rules": 8,
    "Int64Rules": 8,
    "MapRules": 6,
    "RepeatedRules": 5,
    "SFixed32Rules": 8,
    "SFixed64Rules": 8,
    "SInt32Rules": 8,
    "SInt64Rules": 8,
    "StringRules": 26,
    "UInt32Rules": 8,
    "UInt64Rules": 8,
}

def _imports(text):
    found = []
    for line in text.split("\n"):
        if line.startswith("import ") and "\"" in line:
            found.append(line.split("\"")[1])
    return found

def _package_folder(ctx):
    lock = json.decode(ctx.read(Label("//third_party/envoy_api:package-lock.json")))
    version = lock["packages"]["node_modules/@grpc/grpc-js-xds"]["version"]
    folder = "%s/.cache/convoy/npm/%s/node_modules/@grpc/grpc-js-xds" % (ctx.os.environ.get("HOME", ""), version)
    if not ctx.path(folder + "/package.json").exists:
        fail("\n\nEnvoy's API definitions are not on this machine: %s is missing.\n" % folder +
             "Run tools/setup once; it fetches @grpc/grpc-js-xds %s with npm.\n" % version)
    return folder

def _overlaid(text):
    for message in _OVERLAY:
        opening = "message %s {" % message
        if opening not in text or "ignore_empty" in text.split(opening)[1].split("\n}")[0]:
            fail("validate.proto has changed: the overlay of %s does not fit any more" % message)
        text = text.replace(opening, "%s\n    optional bool ignore_empty = %d;" % (opening, _OVERLAY[message]))
    return text

def _envoy_api_impl(ctx):
    folder = _package_folder(ctx)
    closure = {}
    services = []
    wanted = {root: True for root in ENVOY_API_ROOTS}

    # The import graph by rounds: Starlark has no while loop, and no chain of imports is 100 files long.
    for _ in range(100):
        if not wanted:
            break
        next_round = {}
        for proto in wanted:
            if proto in closure or proto.startswith("google/protobuf/"):
                continue
            sources = [s for s in [ctx.path("%s/deps/%s/%s" % (folder, r, proto)) for r in _IMPORT_ROOTS] if s.exists]
            if not sources:
                fail("%s is named in third_party/envoy_api/roots.bzl or imported, but %s/deps has no such file" %
                     (proto, folder))
            text = ctx.read(sources[0])
            if proto == "validate/validate.proto":
                ctx.file(proto, _overlaid(text), executable = False)
            else:
                ctx.symlink(sources[0], proto)
            closure[proto] = True
            if "\nservice " in text:
                services.append(proto)
            for imported in _imports(text):
                next_round[imported] = True
        wanted = next_round
    if wanted:
        fail("the import graph of Envoy's API is deeper than 100 files")

    ctx.template(
        "BUILD.bazel",
        Label("//third_party/envoy_api:envoy_api.BUILD"),
        {
            "%{PROTOS}": "\n".join(["    \"%s\"," % p for p in sorted(closure)]),
            "%{SERVICES}": "\n".join(["    \"%s\"," % p for p in sorted(services)]),
        },
        executable = False,
    )
    ctx.file("WORKSPACE", "workspace(name = \"envoy_api\")\n", executable = False)

envoy_api_repository = repository_rule(
    implementation = _envoy_api_impl,
    environ = ["HOME"],
    local = True,
)
