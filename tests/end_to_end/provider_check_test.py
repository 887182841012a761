"""An author's tool: the contract of every provider, run against a connected account."""

import tempfile
import unittest

import host
from pair import Pair


class ProviderCheckTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.pair = Pair(self, folder.name)
        self.served = self.pair.start()
        host.Person(self.served).connect()

    def check(self, *words, account="ada@example.com"):
        return self.pair.run("provider", "check", *words, "--account", account)

    def events(self):
        """Every event of the account that is not deleted."""
        ledger = self.pair.google.control("/ledger", method="GET")
        return [effect["live"] for effect in ledger["effects"] if effect["method"].startswith("events.")]

    def test_a_running_host_and_a_stopped_one_check_the_same(self):
        done = self.check("google")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"(?m)^Google Calendar as demo\.person@gmail\.example, calendar primary$")
        self.assertRegex(done.stdout, r"(?m)^  max_page +2500$")
        self.assertRegex(done.stdout, r"(?m)^ok +the same key gives the same event$")
        self.assertRegex(done.stdout, r"(?m)^not offered +nobody gets mail, and guests stay$")
        self.assertRegex(done.stdout, r"(?m)^0 of \d\d checks failed\.$")
        lives = self.events()
        self.assertEqual(lives[-1], lives[0] - 1, "what the checks wrote is gone")
        self.assertEqual(self.served.stop(), 0)
        done = self.check("google", "--only", "the same key")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("0 of 1 checks failed.", done.stdout)

    def test_a_failed_check_is_told_and_is_the_exit_status(self):
        fault = {
            "kind": "status", "status": 403, "reason": "forbidden", "method": "POST", "path": "/calendar/v3/*", "count": -1,
        }
        self.pair.google.control("/faults", fault)
        done = self.check("google", "--only", "the same key")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"(?m)^failed +the same key gives the same event\n +create_event gave forbidden")

    def test_an_account_that_is_not_there_is_a_sentence(self):
        for words, sentence in (
            ({"account": "nobody@example.com"}, "There is no connected account 'nobody@example.com'."),
            ({"account": "ada@example.com/work"}, "There is no connected account"),
        ):
            done = self.check("google", **words)
            self.assertEqual(done.returncode, 1)
            self.assertIn(sentence, done.stderr)
        done = self.check("tinny")
        self.assertEqual(done.returncode, 1)
        self.assertIn("There is no provider 'tinny'; there are: caldav, google, outlook.", done.stderr)


if __name__ == "__main__":
    unittest.main()
