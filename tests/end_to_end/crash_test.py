"""Killed at any moment, the host goes on where it was: the same events, once."""

import random
import tempfile
import time
import unittest

import host
from pair import Pair

# More than two of Google's pages.
EVENTS = 5_200


class CrashTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.pair = Pair(self, folder.name)

    def ids_after_restart(self, served):
        served.kill()
        again = self.pair.start()
        return again, [event["google_event_id"] for event in host.Person(again).sync()]

    def expect_all_once(self, ids, before):
        self.assertEqual(len(ids), len(set(ids)), "an event is there twice")
        self.assertEqual(set(ids), before)

    def all_ids(self):
        """What a host that never crashed has: the reference."""
        with host.Host(
            self.pair.folder, "--config", self.pair.config, "--set", "server.ops_listen=", name="reference"
        ) as served:
            person = host.Person(served)
            person.connect()
            ids = {event["google_event_id"] for event in person.sync()}
        self.assertGreaterEqual(len(ids), EVENTS)
        return ids

    def test_killed_after_the_first_page_it_syncs_the_rest_after_a_restart(self):
        self.pair.fill_calendar(EVENTS)
        before = self.all_ids()
        served = self.pair.start(environment={"CALHOST_CRASH_AT": "sync.page_stored"})
        host.Person(served).connect()
        # The first sync of the new connection is a job; it meets the crash point.
        self.assertEqual(served.process.wait(host.PATIENCE), -9)
        _, ids = self.ids_after_restart(served)
        self.expect_all_once(ids, before)

    def test_killed_at_random_moments_of_a_full_sync_nothing_is_lost_or_doubled(self):
        self.pair.fill_calendar(EVENTS)
        before = self.all_ids()
        served = self.pair.start()
        person = host.Person(served)
        person.connect()
        person.sync()
        moments = random.Random(7)
        for _ in range(5):
            self.pair.google.control("/expire-sync-tokens")
            thread, _ = person.begin_sync()
            time.sleep(moments.uniform(0.0, 0.5))
            served, ids = self.ids_after_restart(served)
            thread.join()
            self.expect_all_once(ids, before)
            person = host.Person(served)

    def test_killed_in_the_sandbox_too_it_has_the_same_events_once(self):
        with tempfile.TemporaryDirectory() as folder:
            with host.Host.sandbox(folder) as served:
                person = host.Person(served)
                person.connect()
                before = sorted(event["google_event_id"] for event in person.sync())
                served.answer_late(60_000)
                thread, _ = person.begin_sync()
                served.wait_until_asked()
                served.kill()
                thread.join()
            with host.Host.sandbox(folder) as served:
                after = sorted(event["google_event_id"] for event in host.Person(served).sync())
        self.assertEqual(after, before)


if __name__ == "__main__":
    unittest.main()
