"""Calls and words that have no place here."""

import re

from tools.checks.tree import CPP

SUMMARY = "no clock or randomness outside proxy/event, no exceptions in proxy/, no sleeps in tests, no [=]"

_CLOCK = re.compile(
    r"\b(?:steady_clock|system_clock|high_resolution_clock)::now\b|\buv_(?:now|hrtime|update_time)\s*\("
    r"|(?:\bstd::|(?<![\w.>:])::|(?<![\w.>:]))(?:time|clock)\s*\(\s*(?:nullptr|NULL|0|&\w+)?\s*\)"
    r"|\b(?:clock_gettime|gettimeofday|timespec_get)\s*\(|\babsl::(?:Now|GetCurrentTimeNanos)\s*\(")
_RANDOM = re.compile(
    r"(?:\bstd::|(?<![\w.>:])::|(?<![\w.>:]))(?:rand|srand|random|drand48)\s*\(\s*\w*\s*\)|\brandom_device\b|\bmt19937(?:_64)?\b"
    r"|\bdefault_random_engine\b|\bgetrandom\s*\(|\bgetentropy\s*\(|\bRAND_bytes\s*\(|\babsl::(?:Insecure)?BitGen\b"
    r"|\buuid_generate\w*\s*\(")
_EXCEPTION = re.compile(r"(?<!\w)throw\b(?!\s*\()|(?<!\w)throw\s*\(|\btry\s*\{|\btry\s*$|\bcatch\s*\(")
_SLEEP = re.compile(
    r"\bsleep_(?:for|until)\s*\(|(?<![\w.>])(?:::)?(?:u?sleep|nanosleep|clock_nanosleep)\s*\(|\babsl::SleepFor\s*\(|\buv_sleep\s*\(")
_PYTHON_SLEEP = re.compile(r"^[^#]*\b(?:(?:time|asyncio)\.sleep|(?<![\w.])sleep)\s*\(")
_POLLS = ("test/e2e/fleet.py", "wait_until")  # the one function that does it for all
_CAPTURE = re.compile(r"\[\s*=\s*[\],]")
_ASSERT = re.compile(r"(?<![\w.])assert\s*\(")
_WORK_LEFT = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
_YAML = re.compile(r"#\s*include\s*[<\"]yaml-cpp/")

# (pattern, folders, paths that are exempt, what to do instead)
_RULES = [
    (_CLOCK, ("proxy/", "controlplane/"), re.compile(r"^proxy/event/|/clock\.(?:cc|h)$"),
     "reads a clock: take a Clock (proxy/event/clock.h), so that tests run on simulated time"),
    (_RANDOM, ("proxy/", "controlplane/"), re.compile(r"^proxy/event/|/random\.(?:cc|h)$"),
     "draws randomness: take a RandomSource (proxy/event/random.h), so that tests are repeatable"),
    (_SLEEP, ("test/", "proxy/", "controlplane/"), None,
     "sleeps: wait for the event itself, or advance simulated time"),
    (_CAPTURE, ("proxy/", "controlplane/", "test/", "tools/"), None,
     "captures everything by value: name what the lambda keeps"),
    (_ASSERT, ("proxy/", "controlplane/"), None,
     "assert() is compiled out by -c opt: use the assertions of proxy/base/assert.h"),
]


def check(tree):
    for path in tree.paths(suffix=CPP):
        for pattern, folders, exempt, message in _RULES:
            if path.startswith(folders) and not (exempt and exempt.search(path)):
                for line, match in tree.matches(path, pattern):
                    yield path, line, f"{match.group(0).strip()} {message}"
    yield from _exceptions(tree)
    yield from _python_sleeps(tree)
    for path in tree.paths(under=["proxy/", "controlplane/", "api/", "test/", "tools/", "third_party/", "docs/"]):
        if path == "tools/checks/banned.py":
            continue
        for line, match in tree.matches(path, _WORK_LEFT, raw=True):
            yield path, line, f"{match.group(0)}: finish it or file an issue; the code says what is, not what is left"


def _exceptions(tree):
    """proxy/ is free of exceptions but for the one source file that wraps yaml-cpp, which throws."""
    wrappers = [p for p in tree.paths(under=["proxy/"], suffix=[".cc"])
                if _YAML.search(tree.code(p))]
    for path in wrappers[1:]:
        yield path, 0, f"a second file that includes yaml-cpp: {wrappers[0]} wraps it for everybody"
    for path in tree.paths(under=["proxy/"], suffix=CPP):
        if path not in wrappers[:1]:
            for line, match in tree.matches(path, _EXCEPTION):
                yield path, line, f"{match.group(0).strip()} exceptions are not used in proxy/: return absl::Status"


def _python_sleeps(tree):
    for path in tree.paths(under=["test/"], suffix=[".py"]):
        lines = tree.texts[path].splitlines()
        for line, _ in tree.matches(path, _PYTHON_SLEEP, raw=True):
            functions = [m[1] for m in (re.match(r"(?:async )?def (\w+)", text) for text in lines[:line]) if m]
            if (path, functions[-1:]) != (_POLLS[0], [_POLLS[1]]):
                yield path, line, f"sleeps: wait for the event itself, or with {_POLLS[1]} of {_POLLS[0]}"


CASES = [
    ("a clock", {"proxy/http/a.cc": "auto t = std::chrono::steady_clock::now();\n"}, ["proxy/http/a.cc:1"]),
    ("a clock's type is no reading", {"proxy/http/a.h": "std::chrono::steady_clock::time_point t;\n"}, []),
    ("the clock's own folder", {"proxy/event/clock.cc": "auto t = std::chrono::steady_clock::now();\n"}, []),
    ("libuv's clock", {"proxy/net/a.cc": "\nuv_now(loop);\n"}, ["proxy/net/a.cc:2"]),
    ("time()", {"controlplane/push/a.cc": "time(nullptr);\n::time(&t);\nclock.time();\n"},
     ["controlplane/push/a.cc:1", "controlplane/push/a.cc:2"]),
    ("a clock in a comment", {"proxy/http/a.cc": "// never steady_clock::now()\n"}, []),
    ("a clock in a string", {"proxy/http/a.cc": 'log("steady_clock::now");\n'}, []),
    ("randomness", {"proxy/upstream/a.cc": "std::mt19937 g;\n"}, ["proxy/upstream/a.cc:1"]),
    ("rand()", {"proxy/upstream/a.cc": "int a = rand();\nint b = random_.random();\nint c = operand();\n"}, ["proxy/upstream/a.cc:1"]),
    ("throw", {"proxy/http/a.cc": "throw Error();\n"}, ["proxy/http/a.cc:1"]),
    ("try", {"proxy/http/a.cc": "void f() {\n  try {\n  } catch (const E& e) {\n  }\n}\n"},
     ["proxy/http/a.cc:2", "proxy/http/a.cc:3"]),
    ("try_emplace is no try", {"proxy/http/a.cc": "map.try_emplace(1);\nbool retry = rethrow_;\n"}, []),
    ("the yaml file", {"proxy/config/yaml.cc": "#include <yaml-cpp/yaml.h>\ntry {\n}\n"}, []),
    ("two yaml files",
     {"proxy/config/yaml.cc": "#include <yaml-cpp/yaml.h>\n", "proxy/config/yaml2.cc": "#include <yaml-cpp/yaml.h>\n"},
     ["proxy/config/yaml2.cc:0"]),
    ("exceptions in the control plane", {"controlplane/store/a.cc": "throw Error();\n"}, []),
    ("a sleep", {"test/a_test.cc": "std::this_thread::sleep_for(1ms);\nusleep(3);\n"},
     ["test/a_test.cc:1", "test/a_test.cc:2"]),
    ("a method named sleep", {"test/a_test.cc": "worker.sleep(3);\n"}, []),
    ("a sleep in Python",
     {"test/a_test.py": "time.sleep(1)\nawait asyncio.sleep(0.1)\nfrom time import sleep\nsleep(2)\n"},
     ["test/a_test.py:1", "test/a_test.py:2", "test/a_test.py:4"]),
    ("no sleep in Python", {"test/a_test.py": "# time.sleep(1)\nworker.sleep(1)\n", "tools/a.py": "time.sleep(1)\n"}, []),
    ("the one poll", {"test/e2e/fleet.py": "def wait_until(c):\n    time.sleep(1)\n\n\ndef other():\n    time.sleep(1)\n"},
     ["test/e2e/fleet.py:6"]),
    ("[=]", {"proxy/a/b.cc": "auto f = [=] {};\nauto g = [=, this] {};\nint h[] = {1};\n"},
     ["proxy/a/b.cc:1", "proxy/a/b.cc:2"]),
    ("assert", {"proxy/a/b.cc": "assert(x);\nstatic_assert(true);\nCONVOY_ASSERT(x);\n"}, ["proxy/a/b.cc:1"]),
    ("work left", {"proxy/a/b.cc": "// TO" "DO: later\n"}, ["proxy/a/b.cc:1"]),
]
