"""The places that a rule leaves out: lines of `rule path reason` in tools/checks/exceptions.txt."""

from tools.checks.tree import ROOT


class Exceptions:
    """An exception that excepts nothing is a finding itself, so the list cannot grow stale."""

    def __init__(self, text, place="tools/checks/exceptions.txt"):
        self.place = place
        self.reasons = {}
        self.used = set()
        self.malformed = []
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            fields = line.split(None, 2)
            if len(fields) < 3:
                self.malformed.append(f"{place}:{number}: an exception is `rule path reason`")
                continue
            self.reasons[(fields[0], fields[1])] = number

    @staticmethod
    def of_repository():
        return Exceptions((ROOT / "tools/checks/exceptions.txt").read_text())

    def allow(self, rule, path):
        if (rule, path) not in self.reasons:
            return False
        self.used.add((rule, path))
        return True

    def unused(self):
        return self.malformed + [
            f"{self.place}:{number}: {rule} has nothing to except in {path} any more: remove the line"
            for (rule, path), number in self.reasons.items() if (rule, path) not in self.used]
