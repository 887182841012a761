"""Bookings in people's calendars, whenever the program is killed, and in other programs."""

import glob
import os
import subprocess
import tempfile
import textwrap
import unittest

import host
from pair import ACCOUNT, Pair

# Where a booking's way to a calendar may end, and what was sent that leads there.
POINTS = {
    "booking.stored": {"title": "Algebra"},
    "booking.intent": {"title": "Algebra"},
    "booking.created": {"title": "Algebra"},
    "booking.update": {"title": "Geometry"},
    "booking.updated": {"title": "Geometry"},
    "booking.deleted": {"title": "Geometry", "status": "cancelled"},
}
# How often each; in process (tests/booking) it is twenty times.
KILLS = int(os.environ.get("CALHOST_KILLS", "2"))


class BookingTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.pair = Pair(self, self.folder)
        self.served = self.pair.start()
        person = host.Person(self.served)
        person.connect()
        person.sync()
        self.person_id = person.call("GET", "/auth/me").json()["id"]
        made = self.pair.run("app", "add", "shop", "--scopes", "bookings:read,bookings:write")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.key = {"Authorization": "Bearer " + made.stdout.splitlines()[-1]}

    def send(self, booking, changes=None):
        body = {
            "title": "Algebra", "status": "confirmed", "time_zone": "Europe/Berlin",
            "start_time": "2035-05-03T10:00:00", "end_time": "2035-05-03T11:00:00",
            "tutor": {"user_id": self.person_id}, "client": {"email": "bob@example.com", "name": "Bob"},
            **(changes or {}),
        }
        return host.send(f"{self.served.url}/api/bookings/{booking}", "PUT", body, self.key)

    def state(self, booking):
        shown = host.send(f"{self.served.url}/api/bookings/{booking}", headers=self.key).json()
        return [sync["state"] for sync in shown["sync"] if sync["role"] == "tutor"]

    def wait_for(self, booking, state):
        host.wait_until(lambda: self.state(booking) == [state], f"{booking} {state}")

    def live(self):
        """Events of the account, whatever the host believes."""
        effects = self.pair.google.control("/ledger", method="GET")["effects"]
        counts = [one["live"] for one in effects if one["method"].startswith("events.") and one["account"] == ACCOUNT]
        return counts[-1] if counts else None

    def restart(self, point=None):
        self.served.kill()
        self.served = self.pair.start(environment={"CALHOST_CRASH_AT": point} if point else None)

    def kill_at(self, point, booking):
        """Sends what leads to the point; the host dies there, or while it answers."""
        self.restart(point)
        try:
            self.send(booking, POINTS[point])
        except OSError:
            pass
        self.assertEqual(self.served.process.wait(host.PATIENCE), -9)
        self.restart()

    def test_killed_at_any_point_each_booking_has_exactly_one_event(self):
        self.send("first")
        self.wait_for("first", "synced")
        count = self.live()
        for number in range(KILLS):
            for point, changes in POINTS.items():
                with self.subTest(point=point, number=number):
                    booking = f"{point}-{number}"
                    is_change = point in ("booking.update", "booking.updated", "booking.deleted")
                    if is_change:
                        self.send(booking)
                        self.wait_for(booking, "synced")
                    self.kill_at(point, booking)
                    gone = changes.get("status") == "cancelled"
                    self.wait_for(booking, "removed" if gone else "synced")
                    count += 0 if gone else 1
                    self.assertEqual(self.live(), count)

    def test_vdirsyncer_reads_the_feed(self):
        self.send("lesson")
        person = host.Person(self.served)
        url = person.call("POST", "/api/calendar/feed").json()["url"]
        events = os.path.join(self.folder, "events")
        config = os.path.join(self.folder, "vdirsyncer.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(f"""\
                [general]
                status_path = "{self.folder}/status"
                [pair bookings]
                a = "here"
                b = "feed"
                collections = null
                [storage feed]
                type = "http"
                url = "{url}"
                [storage here]
                type = "filesystem"
                path = "{events}"
                fileext = ".ics"
                """))
        environment = {**os.environ, "HOME": self.folder, "LC_ALL": "C.UTF-8"}
        for command in (["discover", "bookings"], ["sync"]):
            done = subprocess.run(["/usr/bin/vdirsyncer", "-c", config, *command], input="y\n" * 4, text=True,
                                  capture_output=True, env=environment, timeout=host.PATIENCE, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        files = glob.glob(events + "/*.ics")
        self.assertEqual(len(files), 1)
        with open(files[0], encoding="utf-8") as file:
            self.assertIn("SUMMARY:Algebra with Bob", file.read())


if __name__ == "__main__":
    unittest.main()
