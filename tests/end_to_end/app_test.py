"""Applications: made by the operator while the host serves, known at once, gone at once."""

import fcntl
import os
import subprocess
import tempfile
import unittest

import host
from pair import Pair


class AppTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.pair = Pair(self, folder.name)
        self.served = self.pair.start()

    def command(self, *words):
        done = self.pair.run(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()

    def lease(self, key, connection):
        url = f"{self.served.url}/api/calendar/connections/{connection}/lease"
        return host.send(url, "POST", headers={"Authorization": f"Bearer {key}"})

    def test_a_command_waits_for_a_host_that_is_just_starting(self):
        """Such a host holds the store, and cannot be asked yet."""
        self.served.stop()
        lock_file = os.path.join(self.pair.data, "calhost.db.lock")
        command = [host.PROGRAM, "app", "list", "--config", self.pair.config, "--data", self.pair.data]
        with open(lock_file, "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            with self.assertRaises(subprocess.TimeoutExpired):
                process.wait(0.5)
        self.assertEqual(process.communicate(timeout=host.PATIENCE)[0], "There are no applications.\n")
        self.assertEqual(process.returncode, 0)

    def test_a_key_leases_the_tokens_of_its_users_until_it_is_removed(self):
        person = host.Person(self.served, "ada@example.com")
        person.connect()
        connection = person.call("GET", "/api/calendar/connections").json()["connections"][0]["id"]
        key = self.command("app", "add", "shop", "--scopes", "tokens:lease", "--providers", "google")[-1]
        self.assertRegex(key, r"^calhost_[\w-]{43}$")
        lease = self.lease(key, connection)
        self.assertEqual(lease.status, 200, lease.text)
        self.assertEqual(set(lease.json()), {"access_token", "expires_at", "scopes"})
        self.command("app", "users", "shop", "remove", "ada@example.com")
        self.assertEqual(self.lease(key, connection).status, 404)
        self.command("app", "users", "shop", "add", "ada@example.com")
        self.assertEqual(self.lease(key, connection).status, 200)
        self.command("app", "remove", "shop")
        self.assertEqual(self.lease(key, connection).status, 401)

    def test_the_operator_makes_an_administrator(self):
        person = host.Person(self.served, "ada@example.com")
        self.assertEqual(person.call("GET", "/api/admin/users").status, 403)
        self.command("user", "role", "ada@example.com", "admin")
        self.command("user", "verify", "ada@example.com")
        users = person.call("GET", "/api/admin/users").json()["users"]
        self.assertEqual([(user["role"], user["email_verified"]) for user in users], [("admin", True)])


if __name__ == "__main__":
    unittest.main()
