"""Outlook in the program as people run it: the simulated Graph, the provider, and the API between them."""

import tempfile
import unittest

import host


class OutlookTest(unittest.TestCase):
    def test_it_connects_syncs_and_disconnects_beside_google(self):
        with tempfile.TemporaryDirectory() as data, host.Host.sandbox(data) as served:
            person = host.Person(served)
            person.connect()
            begun = person.call("GET", "/api/calendar/auth-url?provider=outlook")
            self.assertIn("/sandbox/outlook/common/oauth2/v2.0/authorize?", begun.json()["authorization_url"])
            landed = host.send(
                person.consent(begun.json()["authorization_url"]),
                headers={"Cookie": begun.headers["Set-Cookie"].split(";")[0]},
            )
            self.assertIn("connected=success", landed.headers["Location"])
            providers = {event["provider"] for event in person.sync()}
            self.assertEqual(providers, {"google", "outlook"})
            gone = person.call("DELETE", "/api/calendar/disconnect?provider=outlook").json()
            self.assertEqual(gone["disconnected"], 1)
            left = person.call("GET", "/api/calendar/connections").json()["connections"]
            self.assertEqual([connection["provider"] for connection in left], ["google"])


if __name__ == "__main__":
    unittest.main()
