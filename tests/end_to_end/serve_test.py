"""Serving: TLS, the operations address, configuration mistakes, .env, and that no secret gets out."""

import base64
import json
import os
import subprocess
import tempfile
import unittest
import urllib.parse

import host
from pair import Pair

# The simulated provider's memory and the sandbox's keys are the secrets; they may stand in there.
MAY_HOLD_SECRETS = {"sandbox-google.json", "sandbox-secrets"}


def spellings(secret):
    raw = secret.encode()
    return {raw, raw.hex().encode(), base64.b64encode(raw).rstrip(b"="),
            base64.urlsafe_b64encode(raw).rstrip(b"="), urllib.parse.quote(secret, safe="").encode()}


class ServeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def test_it_serves_over_tls(self):
        certificate, key = (os.path.join(self.folder, name) for name in ("tls.crt", "tls.key"))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", key, "-out", certificate],
            check=True, capture_output=True,
        )
        pair = Pair(self, self.folder)
        pair.server = f"tls: {{ certificate: {certificate}, key: {key} }}"
        pair.write_config()
        served = pair.start()
        self.assertTrue(served.url.startswith("https://"))
        person = host.Person(served, trusted=certificate)
        _, cookie = person.begin()
        self.assertIn("=", cookie)
        person.connect()
        self.assertTrue(person.sync())
        self.assertEqual(served.stop(), 0)

    def test_another_sites_page_changes_nothing_in_a_sandbox(self):
        with host.Host.sandbox(self.folder) as served:
            for path in ("/latency", "/outlook/latency"):
                url = f"{served.url}/sandbox/control{path}"
                foreign = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
                self.assertEqual(host.send(url, "POST", "{}", foreign).status, 403)
                self.assertEqual(host.send(url, "POST", "{}", {"Sec-Fetch-Site": "cross-site"}).status, 403)
                self.assertEqual(host.send(url, "POST", "{}", {"Host": "evil.example"}).status, 403)
                self.assertEqual(host.send(url, "POST", "{}", {"Origin": served.url}).status, 200)
                self.assertEqual(host.send(url, "POST", "{}").status, 200)

    def test_the_operations_address_tells_how_it_is(self):
        pair = Pair(self, self.folder)
        served = pair.start()
        self.assertEqual(host.send(served.url + "/healthz").json(), {"status": "ok"})
        person = host.Person(served)
        person.connect()
        person.sync()
        operations = f"http://127.0.0.1:{pair.ops_port}"
        ready = host.send(operations + "/readyz")
        self.assertEqual((ready.status, ready.json()["status"]), (200, "ready"))
        metrics = host.send(operations + "/metrics")
        self.assertTrue(metrics.headers["Content-Type"].startswith("text/plain"))
        self.assertRegex(metrics.text, r"(?m)^# TYPE calhost_\w+ counter")
        self.assertRegex(metrics.text, r'(?m)^calhost_\w*requests\w*\{.*\} [1-9]')
        # Neither stands on the public address.
        for path in ("/readyz", "/metrics"):
            self.assertEqual(host.send(served.url + path).status, 404)

    def test_a_port_that_another_host_serves_is_refused(self):
        with host.Host.sandbox(self.folder) as first:
            address = first.url.removeprefix("http://")
            done = host.run("serve", "--sandbox", "--listen", address, "--set", "server.ops_listen=",
                            "--data", os.path.join(self.folder, "second"))
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(f"cannot listen on {address}", done.stderr)

    def test_every_mistake_is_named_with_file_line_and_key(self):
        config = self.file("wrong.yaml", (
            "server:\n"
            "  listen: nowhere\n"
            "  colour: red\n"
            "keys:\n"
            "  active: k2\n"
            "  k1: '" + "00" * 32 + "'\n"
            "auth:\n"
            "  jwt_secret: ${NOT_SET_ANYWHERE}\n"
            "rules: [missing.lua]\n"
        ))
        done = host.run("check", "--config", config)
        self.assertEqual(done.returncode, 1)
        for where in ("2: server.listen: ", "3: server.colour: ", "5: keys.active: ", "8: auth.jwt_secret: "):
            self.assertIn(f"{config}:{where}", done.stderr)
        self.assertIn("NOT_SET_ANYWHERE", done.stderr)
        self.assertIn("missing.lua", done.stderr)
        served = host.run("serve", "--config", config, "--data", os.path.join(self.folder, "data"))
        self.assertEqual(served.returncode, host.BAD_CONFIGURATION)
        self.assertIn("nothing was started", served.stderr)

    def test_secrets_may_stand_in_a_file_beside_the_configuration(self):
        pair = Pair(self, self.folder)
        with open(pair.config, encoding="utf-8") as file:
            text = file.read()
        key, secret = pair.keys["k1"], pair.jwt_secret
        self.file("calhost.yaml", text.replace(key, "${E2E_KEY}").replace(secret, "${E2E_SECRET}"))
        done = pair.run("check")
        self.assertEqual(done.returncode, 1)
        self.assertIn("E2E_KEY", done.stderr)
        self.file(".env", f"# secrets\nexport E2E_KEY='{key}'\nE2E_SECRET={secret}\n")
        self.assertEqual(pair.run("check").stdout, "The configuration is good.\n")
        host.Person(pair.start()).connect()

    def all_that_was_written(self, pair):
        """Every byte of logs and data, but where the secrets belong."""
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(folder, name)
                if name in MAY_HOLD_SECRETS or path == pair.config or not os.path.isfile(path):
                    continue
                with open(path, "rb") as file:
                    yield path, file.read()

    def test_no_secret_is_in_the_output_or_in_the_data(self):
        pair = Pair(self, self.folder)
        served = pair.start()
        person = host.Person(served)
        url, cookie = person.begin()
        landing = person.consent(url)
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(landing).query)
        host.send(landing, headers={"Cookie": cookie})
        person.sync()
        pair.google.control("/expire-tokens")
        person.sync()
        link = person.call("POST", "/api/calendar/connect-links", {"provider": "google"}).json()["url"]
        for method, url in (("HEAD", link), ("POST", link), ("GET", link + "/more"), ("GET", link), ("GET", link)):
            host.send(url, method)
        # Errors are where secrets like to get out.
        host.send(landing, headers={"Cookie": cookie})
        host.send(f"{served.url}/api/calendar/callback/google?state={query['state'][0]}&code=x&error=y")
        pair.google.control("/faults", {"kind": "status", "status": 400, "path": "/token", "count": 3})
        pair.google.control("/expire-tokens")
        person.call("POST", "/api/calendar/sync")
        host.send(f"{served.url}/auth/token", "POST", {"email": person.email, "password": "wrong canary word"})
        with open(os.path.join(pair.google.data, "sandbox-google.json"), encoding="utf-8") as file:
            memory = json.load(file)
        tokens = [item["token"] for kind in ("access_tokens", "refresh_tokens") for item in memory[kind]]
        self.assertGreaterEqual(len(tokens), 2)
        secrets = [
            *tokens, query["state"][0], query["code"][0], cookie.split("=", 1)[1], host.PASSWORD, person.token,
            link.rsplit("/", 1)[1], "wrong canary word", pair.jwt_secret, *pair.keys.values(),
        ]
        self.assertEqual(served.stop(), 0)
        for path, content in self.all_that_was_written(pair):
            for secret in secrets:
                found = [text for text in spellings(secret) if text in content]
                self.assertEqual(found, [], path)


if __name__ == "__main__":
    unittest.main()
