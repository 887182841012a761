"""A person connects a Radicale at an address of his own, as programs do it over HTTP."""

import base64
import contextlib
import datetime
import os
import secrets
import signal
import subprocess
import tempfile
import unittest

import host

TOMORROW = datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=1)
EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20260101T000000Z
DTSTART:{start}
DTEND:{finish}
SUMMARY:{title}
END:VEVENT
END:VCALENDAR
""".replace("\n", "\r\n")
CALENDAR = """<?xml version="1.0"?><C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
<D:set><D:prop><D:displayname>{name}</D:displayname></D:prop></D:set></C:mkcalendar>"""


class Radicale:
    """The real server on loopback, ended by its process id."""

    def __init__(self, folder, password):
        self.folder, self.password = folder, password
        self.port = host.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        with open(os.path.join(self.folder, "users"), "w", encoding="utf-8") as users:
            users.write(f"ann:{self.password}\n")
        config = os.path.join(self.folder, "radicale.conf")
        with open(config, "w", encoding="utf-8") as text:
            text.write(
                f"[server]\nhosts = 127.0.0.1:{self.port}\n[auth]\ntype = htpasswd\nhtpasswd_encryption = plain\n"
                f"htpasswd_filename = {self.folder}/users\ndelay = 0\n"
                f"[storage]\nfilesystem_folder = {self.folder}/store\n[logging]\nlevel = error\n"
            )
        with open(os.path.join(self.folder, "radicale.log"), "ab") as log:
            self.process = subprocess.Popen(["radicale", "--config", config], stdout=log, stderr=log)
        host.wait_until(self._answers, "Radicale to answer")

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError("Radicale ended; is its package installed?")
        with contextlib.suppress(OSError):
            return host.send(self.url + "/").status

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def change_password(self, password):
        self.stop()
        self.password = password
        self.start()

    def put(self, method, path, body):
        login = base64.b64encode(f"ann:{self.password}".encode()).decode()
        kind = "text/calendar" if method == "PUT" else "text/xml"
        headers = {"Authorization": f"Basic {login}", "Content-Type": f"{kind}; charset=utf-8"}
        answer = host.send(self.url + path, method, body, headers)
        assert answer.status == 201, f"{path}: {answer.status} {answer.text}"


class CaldavTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.radicale = Radicale(folder.name, "s3cret pass")
        self.addCleanup(self.radicale.stop)
        self.radicale.put("MKCALENDAR", "/ann/work/", CALENDAR.format(name="Work"))
        self.radicale.put("MKCALENDAR", "/ann/home/", CALENDAR.format(name="Home"))

    def serve(self, allow="[127.0.0.0/8]"):
        path = os.path.join(self.folder, "calhost.yaml")
        with open(path, "w", encoding="utf-8") as config:
            config.write(
                "server: {listen: '127.0.0.1:0', ops_listen: '', requests_per_second: 0}\n"
                f"auth: {{jwt_secret: {secrets.token_hex(32)}}}\n"
                f"keys: {{active: k1, k1: {host.run('keys', 'new').stdout.strip()}}}\n"
                f"network: {{allow_private: {allow}}}\nsync: {{interval: 1d}}\n"
            )
        served = host.Host(self.folder, "--config", path)
        self.addCleanup(served.__exit__)
        return served

    def connect(self, person, **changes):
        form = {"url": self.radicale.url, "username": "ann", "password": self.radicale.password, **changes}
        return person.call("POST", "/api/calendar/connect/caldav", form)

    def test_a_radicale_is_connected_synced_and_left(self):
        self.radicale.put("PUT", "/ann/work/tea.ics", EVENT.format(
            uid="tea", title="Tea", start=f"{TOMORROW:%Y%m%d}T100000Z", finish=f"{TOMORROW:%Y%m%d}T110000Z"))
        self.radicale.put("PUT", "/ann/home/dinner.ics", EVENT.format(
            uid="dinner", title="Dinner", start=f"{TOMORROW:%Y%m%d}T180000Z", finish=f"{TOMORROW:%Y%m%d}T190000Z"))
        served = self.serve()
        person = host.Person(served)
        offered = person.call("GET", "/api/providers").json()["providers"]
        caldav = next(one for one in offered if one["id"] == "caldav")
        self.assertTrue(caldav["configured"])
        self.assertEqual([field["name"] for field in caldav["fields"]], ["url", "username", "password"])

        connected = self.connect(person)
        self.assertEqual(connected.status, 201, connected.text)
        connection = connected.json()["connection"]
        calendars = person.call("GET", "/api/calendar/calendars").json()["calendars"]
        by_name = {calendar["name"]: calendar["id"] for calendar in calendars}
        self.assertEqual(set(by_name), {"Work", "Home"})
        chosen = person.call(
            "PATCH", f"/api/calendar/connections/{connection['id']}",
            {"calendar_id": by_name["Work"], "busy_calendars": [by_name["Work"], by_name["Home"]]})
        self.assertEqual(chosen.status, 200, chosen.text)
        person.call("POST", "/api/calendar/sync")

        day = f"from={TOMORROW}T00:00:00Z&to={TOMORROW}T23:00:00Z"
        busy = person.call("GET", f"/api/calendar/freebusy?{day}").json()
        self.assertEqual(busy["busy"], [
            {"start_time": f"{TOMORROW}T10:00:00Z", "end_time": f"{TOMORROW}T11:00:00Z"},
            {"start_time": f"{TOMORROW}T18:00:00Z", "end_time": f"{TOMORROW}T19:00:00Z"}])
        self.assertTrue(busy["complete"], busy)

        self.radicale.change_password("changed there")
        self.assertEqual(person.call("POST", "/api/calendar/sync").status, 409)
        status = person.call("GET", "/api/calendar/status").json()
        self.assertEqual((status["state"], status["status"]), ("needs_reauth", "error"))
        self.assertIn("password", status["last_error"])
        self.assertEqual(self.connect(person).status, 200)
        self.assertEqual(person.call("POST", "/api/calendar/sync").status, 200)

        left = person.call("DELETE", "/api/calendar/disconnect").json()
        self.assertEqual(left["disconnected"], 1)
        self.assertFalse(person.call("GET", "/api/calendar/status").json()["connected"])
        self.assertEqual(served.stop(), 0)
        everything = served.output()
        for root, _, files in os.walk(served.data):
            for name in files:
                with open(os.path.join(root, name), "rb") as file:
                    everything += file.read().decode("latin-1")
        for secret in ("s3cret pass", "changed there", base64.b64encode(b"ann:s3cret pass").decode()):
            self.assertNotIn(secret, everything)

    def test_what_is_wrong_is_said(self):
        person = host.Person(self.serve())
        refused = self.connect(person, password="wrong")
        self.assertEqual((refused.status, refused.json()["code"]), (422, "credentials_refused"), refused.text)
        self.assertEqual(refused.json()["errors"][0]["field"], "password")
        nobody = self.connect(person, url=f"http://127.0.0.1:{host.free_port()}")
        self.assertEqual((nobody.status, nobody.json()["code"]), (422, "address_unreachable"), nobody.text)
        other = self.connect(person, url=person.host.url)
        self.assertEqual((other.status, other.json()["code"]), (422, "no_calendar_server"), other.text)
        self.assertEqual(person.call("GET", "/api/calendar/connections").json()["connections"], [])

    def test_a_private_address_is_refused_unless_the_operator_names_its_network(self):
        person = host.Person(self.serve(allow="[10.0.0.0/8]"))
        addresses = (self.radicale.url, self.radicale.url.replace("127.0.0.1", "localhost"), "https://192.168.0.1/")
        answers = [self.connect(person, url=url).json() for url in addresses]
        self.assertEqual({answer["code"] for answer in answers}, {"address_refused"})
        self.assertEqual(len({answer["detail"] for answer in answers}), 1)
        self.assertIn("network.allow_private", answers[0]["detail"])


if __name__ == "__main__":
    unittest.main()
