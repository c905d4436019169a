"""unittest for Bazel: one case in test.xml for each test method, so that tools/test counts them."""

import os
import sys
import unittest
import xml.etree.ElementTree as xml_tree


class _Result(unittest.TextTestResult):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.suite = xml_tree.Element("testsuite")

    def startTest(self, test):
        super().startTest(test)
        self.case = xml_tree.SubElement(self.suite, "testcase", classname=type(test).__name__,
                                        name=getattr(test, "_testMethodName", str(test)))

    def _mark(self, kind, text):
        # A class that could not be set up has no case of its own.
        case = self.case if hasattr(self, "case") else xml_tree.SubElement(self.suite, "testcase", name="setup")
        xml_tree.SubElement(case, kind, message=text)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._mark("failure", str(err[1]))

    def addError(self, test, err):
        super().addError(test, err)
        self._mark("error", str(err[1]))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._mark("skipped", reason)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._mark("failure", f"{subtest}: {err[1]}")


def main():
    result = unittest.main(testRunner=unittest.TextTestRunner(resultclass=_Result, verbosity=2), exit=False).result
    path = os.environ.get("XML_OUTPUT_FILE")
    if path:
        xml_tree.ElementTree(result.suite).write(path)
    sys.exit(0 if result.wasSuccessful() else 1)
