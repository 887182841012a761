"""What the host gave up: listed with its reason, replayed and dropped, while it serves and after."""

import contextlib
import os
import sqlite3
import tempfile
import unittest

import host
from pair import Pair


class JobsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.pair = Pair(self, folder.name)

    def add_job(self, name):
        """One that nothing in the host runs. Only while it is stopped."""
        with contextlib.closing(sqlite3.connect(os.path.join(self.pair.data, "calhost.db"))) as store, store:
            store.execute(
                "INSERT INTO jobs (id, kind, target, user_id, payload, status, run_at, not_before, due_at, attempts, "
                "crashes, run_again, lease, last_error, created_at) "
                "VALUES (?, 'no_such_kind', ?, '', '[c4nary]', 'waiting', 1, 0, 1, 0, 0, 0, '', '', 1)",
                (name, name),
            )

    def jobs(self, *arguments):
        done = self.pair.run("jobs", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("c4nary", done.stdout)
        return done.stdout

    def test_a_dead_job_is_shown_replayed_and_dropped(self):
        self.pair.start().stop()
        self.add_job("lost-1")
        self.add_job("lost-2")
        served = self.pair.start()
        host.wait_until(lambda: self.jobs("list", "--dead").count("lost-") == 4, "two dead jobs")
        listed = self.jobs("list", "--dead")
        self.assertIn('Nothing in this host runs jobs of the kind "no_such_kind".', listed)
        self.assertIn("tried  1", listed)
        self.assertIn("is replayed", self.jobs("retry", "lost-1"))
        host.wait_until(lambda: self.jobs("list", "--dead").count("lost-1") == 2, "it to die again")
        self.assertIn("is dropped", self.jobs("drop", "lost-1"))
        self.assertNotIn("lost-1", self.jobs("list"))
        served.stop()
        # The same with no host running.
        self.assertIn("lost-2", self.jobs("list", "--dead"))
        self.assertIn("is replayed", self.jobs("retry", "lost-2"))
        self.assertNotIn("lost-2", self.jobs("list", "--dead"))
        self.assertIn("waiting", self.jobs("list"))
        self.assertIn("is dropped", self.jobs("drop", "lost-2"))
        self.assertIn("There are no such jobs.", self.jobs("list", "--dead"))
        for command in ("retry", "drop"):
            done = self.pair.run("jobs", command, "lost-2")
            self.assertEqual(done.returncode, 1)
            self.assertIn("There is no such job.", done.stderr)


if __name__ == "__main__":
    unittest.main()
