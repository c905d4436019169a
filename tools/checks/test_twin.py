"""Every source file has its test, and every file is built."""

SUMMARY = "x.cc of proxy/ and controlplane/ has test/.../x_test.cc; every C++ file is named in its BUILD.bazel"


def _names(build, path):
    """Does the text of a BUILD.bazel name the file: by itself, by a glob, or as "x" in a list of x_test.cc?"""
    if f'"{path}"' in build or "glob(" in build:
        return True
    return path.endswith("_test.cc") and '_test.cc"' in build and f'"{path[:-len("_test.cc")]}"' in build


def check(tree):
    for path in tree.paths(under=["proxy/", "controlplane/"], suffix=[".cc"]):
        if path.endswith("/main.cc"):
            continue
        twin = f"test/{path[:-len('.cc')]}_test.cc"
        if twin not in tree.texts:
            yield path, 0, f"has no test: write {twin}"
    for path in tree.paths(under=["proxy/", "controlplane/", "test/", "tools/"], suffix=[".cc", ".h"]):
        folder, name = path.rsplit("/", 1)
        parts = folder.split("/")
        # The target may be in a package above, which then names the path from there.
        for depth in range(len(parts), 0, -1):
            build = "/".join(parts[:depth]) + "/BUILD.bazel"
            if build in tree.texts:
                if not _names(tree.texts[build], "/".join(parts[depth:] + [name])):
                    yield path, 0, f"is in no target: name it in {build}"
                break
        else:
            yield path, 0, f"is in no package: write {folder}/BUILD.bazel"


CASES = [
    ("with its test",
     {"proxy/a/b.cc": "", "test/proxy/a/b_test.cc": "", "proxy/a/BUILD.bazel": '"b.cc"',
      "test/proxy/a/BUILD.bazel": '"b_test.cc"'}, []),
    ("without a test", {"proxy/a/b.cc": "", "proxy/a/BUILD.bazel": '"b.cc"'}, ["proxy/a/b.cc:0"]),
    ("main needs none", {"proxy/a/main.cc": "", "proxy/a/BUILD.bazel": '"main.cc"'}, []),
    ("a test that is not built",
     {"test/proxy/a/b_test.cc": "", "test/proxy/a/BUILD.bazel": ""}, ["test/proxy/a/b_test.cc:0"]),
    ("tests listed by what they test",
     {"test/proxy/a/b_test.cc": "", "test/proxy/a/BUILD.bazel": '[t(srcs = [x + "_test.cc"]) for x in ["b"]]'}, []),
    ("no package", {"test/a/b_test.cc": ""}, ["test/a/b_test.cc:0"]),
    ("a package above", {"test/a/b/c_test.cc": "", "test/a/BUILD.bazel": '"b/c_test.cc"'}, []),
]
