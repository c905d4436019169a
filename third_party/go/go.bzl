"""convoy_go_binary: one Go program, a module of its own, by the machine's `go`, without the network."""

load("@go//:defs.bzl", "GO", "GO_CACHE")

def convoy_go_binary(name, srcs):
    """Builds the package of this folder.

    Args:
      name: of the target and of the binary.
      srcs: the .go files; go.mod and go.sum are beside them. tools/setup has to know the folder: it downloads
        the modules.
    """
    native.genrule(
        name = name + "_build",
        testonly = True,
        srcs = ["go.mod", "go.sum"] + srcs,
        outs = [name],
        cmd = "$(location //third_party/go:go_binary.sh) '%s' '%s' $@ $(SRCS)" % (GO, GO_CACHE),
        executable = True,
        message = "Compiling Go:",
        # Go keeps what it compiled in a cache of its own, outside of any sandbox.
        tags = ["local"],
        tools = ["//third_party/go:go_binary.sh"],
        visibility = ["//visibility:public"],
    )
