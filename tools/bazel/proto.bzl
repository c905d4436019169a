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
    for src in ctx.files.srcs:
        prefix = ctx.label.workspace_root + "/" if ctx.label.workspace_root else ""
        path = src.path[len(prefix):]
        names.append(path)
        inside = path[len(ctx.label.package) + 1:] if ctx.label.package else path
        stem = inside[:-len(".proto")] + extension
        headers.append(ctx.actions.declare_file(stem + ".h"))
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

    header_args = ctx.actions.args()
    header_args.add_all(headers)
    header_args.use_param_file("%s", use_always = True)
    header_args.set_param_file_format("multiline")

    ctx.actions.run_shell(
        inputs = files,
        outputs = headers + sources,
        arguments = [header_args, args],
        command = """set -eu
list="$1"; shift
/usr/bin/protoc "$@"
xargs sed -i '1i #pragma GCC system_header' < "$list"
""",
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
        "srcs": attr.label_list(allow_files = [".proto"]),
    },
)

def _proto_of(label):
    """The code generating twin of a convoy_cc_proto_library: "//a/b" -> "//a/b:b_proto", ":x" -> ":x_proto"."""
    if ":" not in label:
        label = label + ":" + label.split("/")[-1]
    return label + "_proto"

_GENERATED_COPTS = ["-w", "-g0"]

def convoy_cc_proto_library(name, srcs, deps = [], copts = [], visibility = ["//visibility:public"], **kwargs):
    """C++ messages of .proto files.

    Args:
      srcs: .proto files of this package; they import each other by their path from the repository's root.
      deps: other convoy_cc_proto_library targets ("@envoy_api//:envoy_api" for Envoy's). google/protobuf is always there.
    """
    convoy_proto_generate(
        name = name + "_proto",
        srcs = srcs,
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
        visibility = visibility,
        deps = deps + ["@convoy//third_party:protobuf"],
        **kwargs
    )

def convoy_cc_grpc_library(name, srcs, deps, copts = [], visibility = ["//visibility:public"], **kwargs):
    """gRPC stubs and service classes of .proto files, apart from their messages (the data plane has no gRPC++).

    Args:
      srcs: the .proto files with services.
      deps: the convoy_cc_proto_library of the same files (and of what they import).
    """
    convoy_proto_generate(
        name = name + "_stubs",
        srcs = srcs,
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
        visibility = visibility,
        deps = deps + ["@convoy//third_party:grpc++"],
        **kwargs
    )
