"""The plugins of this repository between real programs: two hosts, a service, a mail server."""

import contextlib
import glob
import http.server
import json
import os
import queue
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import unittest

import host
from pair import ACCOUNT, Pair

SECRET = "a-secret-of-both-hosts"


class Service:
    """Another service that gets tokens: keeps what it hears, answers `status`."""

    def __init__(self):
        self.heard, self.status = queue.Queue(), 200
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                service.heard.put((self.command, self.path, json.loads(body or "{}")))
                self.send_response(service.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_DELETE = do_POST

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def hear(self):
        return self.heard.get(timeout=host.PATIENCE)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class MailServer:
    """The mail server of tests/net, on a port of its own; `mails` are what it has taken."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "mails")
        os.makedirs(self.folder)
        self.port = host.free_port()
        script = os.path.join(host.ROOT, "tests/net/mail_server.py")
        self.process = subprocess.Popen([sys.executable, "-B", script, str(self.port), self.folder])
        host.wait_until(self.is_there, "the mail server")

    def is_there(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def mails(self):
        """To whom, and what, by number."""
        read = []
        for name in sorted(glob.glob(os.path.join(self.folder, "*.json"))):
            with open(name, encoding="utf-8") as file, contextlib.suppress(json.JSONDecodeError):
                read.append(json.load(file))
        return read

    def close(self):
        self.process.kill()
        self.process.wait()


class PluginsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.pair = Pair(self, self.folder)

    def serve(self, plugins, pair=None):
        pair = pair or self.pair
        pair.write_config()
        with open(pair.config, "a", encoding="utf-8") as file:
            file.write(textwrap.dedent(plugins))
        return pair.start()

    def test_a_service_hears_of_connects_and_disconnects(self):
        service = Service()
        self.addCleanup(service.close)
        served = self.serve(f"""
            plugins:
              token-sync: {{ url: "{service.url}", grant: [tokens] }}
            """)
        person = host.Person(served)
        user_id = person.call("GET", "/auth/me").json()["id"]
        service.status = 500
        person.connect()
        first = service.hear()
        self.assertEqual(first[:2], ("POST", f"/api/users/{user_id}/google-calendar/connect"))
        self.assertEqual(set(first[2]), {"access_token", "refresh_token", "token_expiry", "scope"})
        service.status = 200
        self.assertEqual(service.hear(), first)
        self.assertEqual(person.call("DELETE", "/api/calendar/disconnect").status, 200)
        self.assertEqual(service.hear()[:2], ("DELETE", f"/api/google-tokens/{user_id}"))
        self.assertNotIn(first[2]["access_token"], served.output())
        self.assertNotIn(first[2]["refresh_token"], served.output())

    def test_a_calendar_that_stops_working_is_told_by_mail_once(self):
        server = MailServer(self.folder)
        self.addCleanup(server.close)
        served = self.serve(f"""
            mail: {{ url: "smtp://127.0.0.1:{server.port}", from: "Calhost <calendar@example.com>" }}
            plugins:
              failure-mail:
                link: https://app.example.com/calendars
                operator: operations@example.com
                grant: [mail, users, connections]
            """)
        person = host.Person(served, "ada@example.com")
        self.assertEqual(self.pair.run("user", "verify", "ada@example.com").returncode, 0)
        person.connect()
        self.pair.google.control(f"/accounts/{ACCOUNT}/revoke")
        self.pair.google.control("/expire-tokens")
        for _ in range(3):
            self.assertEqual(person.call("POST", "/api/calendar/sync").status, 409)
        host.wait_until(lambda: len(server.mails()) == 2, "two mails")
        told = {mail["to"][0]: mail for mail in server.mails()}
        self.assertEqual(set(told), {"ada@example.com", "operations@example.com"})
        self.assertIn("https://app.example.com/calendars", told["ada@example.com"]["text"])
        self.assertIn("Token expired", told["ada@example.com"]["text"])
        self.assertEqual(told["ada@example.com"]["mail_from"], "calendar@example.com")

    def test_two_hosts_are_chained(self):
        """Whoever connects at the first host has his calendar at the second one."""
        os.makedirs(os.path.join(self.folder, "second"))
        second_pair = SecondHost(self.pair, os.path.join(self.folder, "second"))
        first = self.serve("plugins: {}\n")
        ada = host.Person(first)
        user_id = ada.call("GET", "/auth/me").json()["id"]
        receiver = self.serve(f"""
            plugins:
              token-receiver:
                secret: {SECRET}
                users: {{ {user_id}: ann@example.org }}
                grant: [connections, users, routes]
            """, second_pair)
        ann = host.Person(receiver, "ann@example.org")
        first.stop()
        first = self.serve(f"""
            plugins:
              token-sync: {{ url: "{receiver.url}", secret: {SECRET}, grant: [tokens] }}
            """)
        ada = host.Person(first)
        ada.connect()

        def connections():
            return ann.call("GET", "/api/calendar/connections").json()["connections"]

        host.wait_until(connections, "the second host to have the calendar")
        self.assertEqual([(one["email"], one["account"]) for one in connections()], [(ACCOUNT, "received")])
        self.assertEqual(ann.call("POST", "/api/calendar/sync?account=received").status, 200)
        forged = host.send(f"{receiver.url}/api/google-tokens/{user_id}", "DELETE")
        self.assertEqual(forged.status, 401)
        self.assertEqual(ada.call("DELETE", "/api/calendar/disconnect").status, 200)
        host.wait_until(lambda: not connections(), "the second host to forget the calendar")


class SecondHost(Pair):
    """Another host that uses the same simulated Google."""

    def __init__(self, first, folder):
        self.folder, self.test, self.google = folder, first.test, first.google
        self.keys, self.active = first.keys, first.active
        self.jwt_secret = "1" * 64
        self.ops_port = host.free_port()
        self.server = ""


if __name__ == "__main__":
    unittest.main()
