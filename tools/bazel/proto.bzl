"""Protobuf and gRPC code generation by Debian's protoc.

Generated headers are included by the path of their .proto file ("api/convoy/v1/config.pb.h") and count as
system headers, so our warnings do not apply to them.
"""

ProtoFilesInfo = provider(
    doc = "Proto files and the folders that their import paths start from.",
    fields = {"files": "depset of .proto files", "roots": "depset of import roots"},
)

def _workspace_root(ctx):
    return ctx.label.workspace_root or "."

def _generate_impl(ctx):
    root = _workspace_root(ctx)
    bin_root = ctx.bin_dir.path + ("" if root == "." else "/" + root)
    deps = [d[ProtoFilesInfo] for d in ctx.attr.deps]
    files = depset(ctx.files.srcs, transitive = [d.files for d in deps])
    roots = depset([root], transitive = [d.roots for d in deps])

    extension = ".grpc.pb" if ctx.attr.grpc else ".pb"
    headers = []
    sources = []
    names = []
    generated = []
    if ctx.attr.shards:
        sources = [ctx.actions.declare_file("%s_shard_%d.cc" % (ctx.label.name, i)) for i in range(ctx.attr.shards)]
    for src in ctx.files.srcs:
        prefix = ctx.label.workspace_root + "/" if ctx.label.workspace_root else ""
        path = src.path[len(prefix):]
        names.append(path)
        inside = path[len(ctx.label.package) + 1:] if ctx.label.package else path
        stem = inside[:-len(".proto")] + extension
        headers.append(ctx.actions.declare_file(stem + ".h"))
        if ctx.attr.shards:
            # Only its text is wanted, in a shard.
            generated.append(bin_root + "/" + path[:-len(".proto")] + extension + ".cc")
        else:
            sources.append(ctx.actions.declare_file(stem + ".cc"))

    args = ctx.actions.args()
    args.add_all(roots, format_each = "-I%s")
    args.add("-I/usr/include")
    if ctx.attr.grpc:
        args.add("--plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin")
        args.add("--grpc_out=" + bin_root)
    else:
        args.add("--cpp_out=" + bin_root)
    args.add_all(names)

    script = ["set -eu", "/usr/bin/protoc \"$@\"", "sed -i '1i #pragma GCC system_header' \\"]
    script += [" %s \\" % h.path for h in headers] + [""]

    # protoc 3.21 does not know the keywords of C++20; it would append the underscore itself.
    script += ["sed -i -e 's/\\b%s\\b/&_/g' \\" % "\\(requires\\|concept\\)"]
    script += [" %s \\" % f for f in [h.path for h in headers] + (generated or [s.path for s in sources])]
    script += ["", "n=0"]
    for i in range(ctx.attr.shards):
        # Neighbours import much the same headers, so they go into one shard.
        count = len(generated)
        members = generated[i * count // ctx.attr.shards:(i + 1) * count // ctx.attr.shards]
        script += ["for f in \\"] + [" %s \\" % m for m in members] + ["; do n=$((n + 1)); sed %s $f; done > %s" % (
            # The two names in a generated file that do not contain the file's own.
            "\"s/ schemas\\(\\[\\]\\|,\\| =\\)/ schemas_$n\\1/; s/ file_default_instances/&_$n/\"",
            sources[i].path,
        )]

    ctx.actions.run_shell(
        inputs = files,
        outputs = headers + sources,
        arguments = [args],
        command = "\n".join(script),
        mnemonic = "ConvoyProtoc",
        progress_message = "Generating C++ from %d proto files of %s" % (len(names), ctx.label),
    )
    return [
        DefaultInfo(files = depset(headers + sources)),
        OutputGroupInfo(headers = depset(headers), sources = depset(sources)),
        ProtoFilesInfo(files = files, roots = roots),
    ]

convoy_proto_generate = rule(
    implementation = _generate_impl,
    attrs = {
        "deps": attr.label_list(providers = [ProtoFilesInfo]),
        "grpc": attr.bool(),
        "shards": attr.int(doc = "Compile this many files instead of one for each .proto; 0: one for each."),
        "srcs": attr.label_list(allow_files = [".proto"]),
    },
)

def _proto_of(label):
    """The code generating twin of a convoy_cc_proto_library: "//a/b" -> "//a/b:b_proto", ":x" -> ":x_proto"."""
    if ":" not in label:
        label = label + ":" + label.split("/")[-1]
    return label + "_proto"

_GENERATED_COPTS = ["-w", "-g0"]

def convoy_cc_proto_library(
        name,
        srcs,
        deps = [],
        copts = [],
        shards = 0,
        visibility = ["//visibility:public"],
        **kwargs):
    """C++ messages of .proto files.

    Args:
      srcs: .proto files of this package; they import each other by their path from the repository's root.
      deps: other convoy_cc_proto_library targets ("@envoy_api//:envoy_api" for Envoy's). google/protobuf is always there.
      shards: compile the generated code as this many files (faster for large sets); 0: a file for each .proto.
    """
    convoy_proto_generate(
        name = name + "_proto",
        srcs = srcs,
        shards = shards,
        visibility = visibility,
        deps = [_proto_of(d) for d in deps],
    )
    for group in ("headers", "sources"):
        native.filegroup(
            name = "%s_%s" % (name, group),
            srcs = [":" + name + "_proto"],
            output_group = group,
        )
    native.cc_library(
        name = name,
        srcs = [":%s_sources" % name],
        hdrs = [":%s_headers" % name],
        copts = _GENERATED_COPTS + copts,
        # Coverage of generated code tells nothing, and without it these objects come from the plain build's cache.
        features = ["-coverage"],
        visibility = visibility,
        deps = deps + ["@convoy//third_party:protobuf"],
        **kwargs
    )

def convoy_cc_grpc_library(
        name,
        srcs,
        deps,
        copts = [],
        shards = 0,
        visibility = ["//visibility:public"],
        **kwargs):
    """gRPC stubs and service classes of .proto files, apart from their messages (the data plane has no gRPC++).

    Args:
      srcs: the .proto files with services.
      deps: the convoy_cc_proto_library of the same files (and of what they import).
    """
    convoy_proto_generate(
        name = name + "_stubs",
        srcs = srcs,
        shards = shards,
        grpc = True,
        visibility = visibility,
        deps = [_proto_of(d) for d in deps],
    )
    for group in ("headers", "sources"):
        native.filegroup(
            name = "%s_%s" % (name, group),
            srcs = [":" + name + "_stubs"],
            output_group = group,
        )
    native.cc_library(
        name = name,
        srcs = [":%s_sources" % name],
        hdrs = [":%s_headers" % name],
        copts = _GENERATED_COPTS + copts,
        # Coverage of generated code tells nothing, and without it these objects come from the plain build's cache.
        features = ["-coverage"],
        visibility = visibility,
        deps = deps + ["@convoy//third_party:grpc++"],
        **kwargs
    )
