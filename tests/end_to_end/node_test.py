"""Runs the tests that are written for Node against a started program."""

import os
import subprocess
import tempfile
import unittest

import host


class NodeTest(unittest.TestCase):
    def run_suite(self, folder, *files):
        """`./dev test` has put the packages there with npm ci."""
        where = os.path.join(host.ROOT, "tests", folder)
        self.assertTrue(os.path.isdir(os.path.join(where, "node_modules")), f"run npm ci in {where}")
        with tempfile.TemporaryDirectory() as data, host.Host.sandbox(data) as served:
            done = subprocess.run(
                ["node", "--test", *files], cwd=where, text=True, timeout=600, check=False,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                env={**os.environ, "CALHOST_URL": served.url},
            )
            self.assertEqual(done.returncode, 0, done.stdout)
            # A run in which everything was skipped says nothing.
            self.assertRegex(done.stdout, r"(?m)^\S+ pass [1-9]")

    def test_googles_own_client_works_with_the_sandbox(self):
        self.run_suite("sandbox/googleapis", "calendar.test.mjs", "schema.test.mjs")

    def test_microsofts_own_client_works_with_the_sandbox(self):
        self.run_suite("sandbox/graph", "graph.test.mjs", "schema.test.mjs")

    def test_the_pages_work_in_a_browser(self):
        self.run_suite("pages", "pages.test.mjs")


if __name__ == "__main__":
    unittest.main()
