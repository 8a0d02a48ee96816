"""Run one module of CPython's own tests; one line `case TAB result TAB remark` a test method.

    cpython_cases.py MODULE CASES [PATTERN...]

MODULE is looked for among the installed tests, then in the directory MORE_TESTS names.
The tests make their files in the working directory and in TMPDIR. Lines are appended as the tests
end, so that a crash or a time-out loses only what had not run yet.
"""
import os
import sys
import unittest

import test
from test import support
from test.support import os_helper

# Neither large files nor the network nor minutes of processor time.
support.use_resources = ["subprocess", "decimal"]
support.verbose = False
test.__path__.append(os.environ["MORE_TESTS"])


class Cases(unittest.TestResult):
    def __init__(self, out):
        super().__init__()
        self.out = out
        self.bad_parts = {}

    def line(self, test, result, remark=""):
        remark = " ".join(remark.split()).replace("\t", " ")
        self.out.write(f"{test.id()}\t{result}\t{remark}\n")
        self.out.flush()

    def stopTest(self, test):
        super().stopTest(test)
        if test.id() in self.bad_parts:
            self.line(test, "fails", self.bad_parts.pop(test.id()))

    def told(self, err):
        where = err[2]
        while where.tb_next and "/unittest/" not in where.tb_next.tb_frame.f_code.co_filename:
            where = where.tb_next
        file = os.path.basename(where.tb_frame.f_code.co_filename)
        return f"{file}:{where.tb_lineno} {err[0].__name__}: {err[1]}"

    def addSuccess(self, test):
        if test.id() not in self.bad_parts:
            self.line(test, "passes")

    def addError(self, test, err):
        self.line(test, "fails", self.told(err))

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.bad_parts[test.id()] = self.told(err)

    def addSkip(self, test, reason):
        self.line(test, "skipped", reason)

    def addExpectedFailure(self, test, err):
        self.line(test, "fails as expected")

    def addUnexpectedSuccess(self, test):
        self.line(test, "passes unexpectedly")


def main():
    module, path, *patterns = sys.argv[1:]
    loader = unittest.TestLoader()
    if patterns:
        loader.testNamePatterns = patterns
    with open(path, "a", encoding="utf-8", errors="backslashreplace") as out:
        with os_helper.temp_cwd(f"test_{module}", quiet=False):
            suite = loader.loadTestsFromName(f"test.{module}")
            # A module that is not there would be one failing case everywhere, and so no difference.
            if loader.errors:
                sys.exit(loader.errors[0])
            suite.run(Cases(out))


main()
