"""Stopping, and what keeps a host from starting."""

import os
import sqlite3
import subprocess
import tempfile
import unittest

import host
from pair import Pair


class ShutdownTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def refused(self, *arguments, environment=None):
        """The sentence with which it does not start."""
        clean = {name: value for name, value in os.environ.items() if "ENCRYPTION_KEY" not in name}
        done = host.run(
            "serve", "--data", os.path.join(self.folder, "refused"), *arguments,
            env={**clean, **(environment or {})},
        )
        self.assertEqual(done.returncode, host.BAD_CONFIGURATION, done.stdout + done.stderr)
        return done.stderr

    def test_sigterm_lets_a_running_request_finish(self):
        pair = Pair(self, self.folder)
        served = pair.start()
        person = host.Person(served)
        person.connect()
        person.sync()
        pair.google.answer_late(2_000)
        thread, answers = person.begin_sync()
        pair.google.wait_until_asked()
        self.assertEqual(served.stop(), 0)
        thread.join()
        self.assertEqual([answer.status for answer in answers], [200])

    def test_sigterm_does_not_wait_for_ever(self):
        pair = Pair(self, self.folder)
        served = pair.start()
        person = host.Person(served)
        person.connect()
        person.sync()
        pair.google.answer_late(600_000)
        thread, _ = person.begin_sync()
        pair.google.wait_until_asked()
        self.assertEqual(served.stop(), 0)
        pair.google.kill()
        thread.join()

    def test_a_second_host_on_the_same_data_is_refused(self):
        with host.Host.sandbox(self.folder) as served:
            with open(os.path.join(served.data, "calhost.db.lock"), encoding="utf-8") as file:
                self.assertEqual(int(file.read()), served.process.pid)
            done = host.run("serve", "--sandbox", "--listen", "127.0.0.1:0", "--data", served.data)
        self.assertEqual(done.returncode, 1)
        self.assertIn("Another calhost is using", done.stderr)

    def test_a_sandbox_listens_on_loopback_only(self):
        said = self.refused("--sandbox", "--listen", "0.0.0.0:0")
        self.assertIn("listens on loopback only, not on 0.0.0.0:0", said)

    def test_without_a_key_it_does_not_start(self):
        said = self.refused("--listen", "127.0.0.1:0", environment={"JWT_SECRET": "s" * 32})
        self.assertIn("make one with `calhost keys new`", said)

    def test_a_key_that_is_not_32_bytes_is_refused(self):
        said = self.refused(
            "--listen", "127.0.0.1:0", "--set", "server.ops_listen=",
            environment={"JWT_SECRET": "s" * 32, "CALENDAR_ENCRYPTION_KEY": "0123abcd"},
        )
        self.assertIn("keys.k1", said)
        self.assertIn("32 bytes", said)
        self.assertNotIn("0123abcd", said)

    def test_a_store_of_a_newer_program_is_refused(self):
        data = os.path.join(self.folder, "refused")
        done = host.run("migrate", "--sandbox", "--data", data)
        self.assertRegex(done.stdout, r"schema version \d+")
        store = sqlite3.connect(os.path.join(data, "calhost.db"))
        store.execute("INSERT INTO schema_version (version) VALUES (9999)")
        store.commit()
        store.close()
        self.assertIn("schema 9999", self.refused("--sandbox", "--listen", "127.0.0.1:0"))

    def test_usage_mistakes_end_with_words(self):
        done = subprocess.run([host.PROGRAM, "serve", "--nonsense"], capture_output=True, text=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("--nonsense", done.stderr + done.stdout)


if __name__ == "__main__":
    unittest.main()
