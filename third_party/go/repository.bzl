"""@go: where this machine's Go toolchain and the modules that tools/setup downloaded are.

Nothing is checked here: an action that lacks one of them says so (see go_binary.sh), and is tried again next time.
"""

def _go_impl(ctx):
    go = ctx.which("go")
    ctx.file("defs.bzl", "\n".join([
        "GO = \"%s\"" % (go if go else "go"),
        "GO_CACHE = \"%s/.cache/convoy/go\"" % ctx.os.environ.get("HOME", ""),
        "",
    ]), executable = False)
    ctx.file("BUILD.bazel", "", executable = False)
    ctx.file("WORKSPACE", "workspace(name = \"go\")\n", executable = False)

go_repository = repository_rule(
    implementation = _go_impl,
    environ = ["HOME", "PATH"],
    local = True,
)
