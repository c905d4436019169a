"""The part of rules_java that Bazel 4.2's own packages load. Nothing here is written in Java; Bazel reads its
Java toolchain's definition all the same when it looks for toolchains."""

java_binary = native.java_binary
java_import = native.java_import
java_library = native.java_library
java_runtime = native.java_runtime
java_toolchain = native.java_toolchain
