"""The keys that tokens are sealed with: listed, rotated while serving, refused while still needed."""

import contextlib
import tempfile
import threading
import unittest

import host
from pair import Pair, new_key


class Load:
    """People who keep calling; `failures` are the answers that were not good."""

    CALLS = (("GET", "/api/calendar/status"), ("GET", "/api/calendar/calendars"), ("POST", "/api/calendar/sync"))

    def __init__(self, people):
        self.failures, self.count, self.ended = [], 0, threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(person,)) for person in people]

    def work(self, person):
        while not self.ended.is_set():
            for method, path in self.CALLS:
                answer = person.call(method, path)
                self.count += 1
                if answer.status != 200:
                    self.failures.append(f"{path}: {answer.status} {answer.text}")

    @contextlib.contextmanager
    def running(self):
        for thread in self.threads:
            thread.start()
        try:
            yield self
        finally:
            self.ended.set()
            for thread in self.threads:
                thread.join()


class KeysTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.pair = Pair(self, folder.name)

    def sealed_by_key(self):
        done = self.pair.run("keys", "list")
        self.assertEqual(done.returncode, 0, done.stderr)
        return {line.split()[0]: int(line.split()[1]) for line in done.stdout.splitlines()}

    def use_keys(self, active, **keys):
        self.pair.active, self.pair.keys = active, keys
        self.pair.write_config()

    def connect_people(self, served, count=3):
        people = [host.Person(served, f"person{i}@example.com") for i in range(count)]
        for person in people:
            person.connect()
        return people

    def test_a_new_key_is_32_random_bytes(self):
        keys = {new_key() for _ in range(3)}
        self.assertEqual(len(keys), 3)
        self.assertTrue(all(len(bytes.fromhex(key)) == 32 for key in keys))

    def test_ten_rotations_under_load_fail_no_request(self):
        served = self.pair.start()
        people = self.connect_people(served)
        old = self.pair.keys["k1"]
        with Load(people).running() as load:
            for turn in range(2, 12):
                name, fresh = f"k{turn}", new_key()
                self.use_keys(name, **{f"k{turn - 1}": old, name: fresh})
                done = self.pair.run("keys", "rotate")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertRegex(done.stdout, rf"under the key '{name}'; 0 could not be read")
                old = fresh
        self.assertEqual(load.failures, [])
        self.assertGreater(load.count, 10)
        sealed = self.sealed_by_key()
        self.assertEqual(sealed["k10"], 0)
        self.assertGreaterEqual(sealed["k11"], 2 * len(people))
        # The retired key may go now, and the tokens still open.
        self.use_keys("k11", k11=old)
        self.assertEqual(served.stop(), 0)
        again = self.pair.start()
        for person in people:
            self.assertTrue(host.Person(again, person.email).sync())

    def test_a_retired_key_that_is_still_needed_is_refused_with_the_count(self):
        served = self.pair.start()
        self.connect_people(served, 2)
        first = self.pair.keys["k1"]
        sealed = self.sealed_by_key()["k1"]
        self.use_keys("k2", k2=new_key())
        sentence = f"The key 'k1' is not configured, but {sealed} sealed values still need it."
        done = self.pair.run("keys", "rotate")
        self.assertEqual(done.returncode, 1)
        self.assertIn(sentence, done.stderr)
        self.assertEqual(served.stop(), 0)
        done = host.run("serve", "--config", self.pair.config, "--data", self.pair.data)
        self.assertEqual(done.returncode, host.BAD_CONFIGURATION)
        self.assertIn(sentence, done.stderr)
        self.use_keys("k1", k1=first)
        self.pair.start()

    def test_another_key_of_the_same_name_opens_nothing_and_breaks_only_the_connection(self):
        served = self.pair.start()
        self.connect_people(served, 1)
        self.assertEqual(served.stop(), 0)
        self.use_keys("k1", k1=new_key())
        again = self.pair.start()
        person = host.Person(again, "person0@example.com")
        self.assertNotEqual(person.call("POST", "/api/calendar/sync").status, 200)
        self.assertEqual(person.call("GET", "/api/calendar/status").json()["state"], "error")
        other = host.Person(again, "other@example.com")
        other.connect()
        self.assertTrue(other.sync())


if __name__ == "__main__":
    unittest.main()
