"""The installation: what `cmake --install` lays down is whole, and finds itself."""

import os
import re
import subprocess
import tempfile
import unittest

import host

SECRETS = {"JWT_SECRET": "s" * 32, "CALENDAR_ENCRYPTION_KEY": "ab" * 32}


class InstallTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.prefix = os.path.join(folder.name, "usr")
        subprocess.run(
            ["cmake", "--install", os.path.dirname(host.PROGRAM), "--prefix", self.prefix],
            check=True, capture_output=True,
        )

    def run_installed(self, *arguments, **variables):
        """From a folder that has nothing of calhost in it."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GOOGLE_")}
        return subprocess.run(
            [os.path.join(self.prefix, "bin", "calhost"), *arguments], cwd="/", env={**clean, **SECRETS, **variables},
            capture_output=True, text=True, timeout=host.PATIENCE, check=False,
        )

    def file(self, name):
        return os.path.join(self.prefix, name)

    def test_the_installed_program_finds_its_configuration_providers_and_scripts(self):
        done = self.run_installed("check", GOOGLE_CLIENT_ID="a", GOOGLE_CLIENT_SECRET="b")
        self.assertEqual((done.returncode, done.stdout), (0, "The configuration is good.\n"), done.stderr)
        # They are its own: a mistake there is found, and the source tree would have none.
        for name in ("providers/google/provider.lua", "scripts/redirect.lua"):
            with open(self.file(f"share/calhost/{name}"), "a", encoding="utf-8") as out:
                out.write("\n?")
            done = self.run_installed("check")
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"{name}:", done.stderr)

    def test_it_serves_the_sandbox(self):
        with tempfile.TemporaryDirectory() as data:
            program, host.PROGRAM = host.PROGRAM, self.file("bin/calhost")
            try:
                with host.Host.sandbox(data) as served:
                    self.assertEqual(host.send(served.url + "/healthz").status, 200)
                    providers = host.send(served.url + "/api/providers").json()["providers"]
                    self.assertIn("google", [provider["id"] for provider in providers])
            finally:
                host.PROGRAM = program

    def test_the_unit_starts_it_and_does_not_start_a_wrong_configuration_again(self):
        with open(self.file("lib/systemd/system/calhost.service"), encoding="utf-8") as unit:
            text = unit.read()
        self.assertIn(f"ExecStart={self.file('bin/calhost')} serve ", text)
        self.assertNotIn("/usr/bin/calhost", text.replace(self.prefix, ""))
        prevented = re.search(r"^RestartPreventExitStatus=(\d+)$", text, re.MULTILINE)[1]
        with tempfile.TemporaryDirectory() as data:
            done = self.run_installed("serve", "--data", data, JWT_SECRET="short")
            self.assertEqual(done.returncode, int(prevented), done.stderr)
        self.assertIn("auth.jwt_secret", done.stderr)


if __name__ == "__main__":
    unittest.main()
