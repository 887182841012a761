"""Two programs: a sandbox host that plays Google, and the host under test that uses it."""

import datetime
import os
import secrets
import textwrap

import host

ACCOUNT = "demo.person@gmail.example"


def new_key():
    return host.run("keys", "new").stdout.strip()


class Pair:
    """Writes the configuration of the host under test; `start` serves it. Stops both in the end."""

    def __init__(self, test, folder):
        self.folder = folder
        self.google = host.Host.sandbox(folder, "--set", "log.level=debug", name="google")
        test.addCleanup(self.google.__exit__)
        self.test = test
        self.keys = {"k1": new_key()}
        self.active = "k1"
        self.jwt_secret = secrets.token_hex(32)
        self.ops_port = host.free_port()
        self.server = ""
        self.write_config()

    @property
    def config(self):
        return os.path.join(self.folder, "calhost.yaml")

    @property
    def data(self):
        return os.path.join(self.folder, "host")

    def write_config(self):
        google = f"{self.google.url}/sandbox/google"
        keys = "".join(f"\n  {name}: {key}" for name, key in self.keys.items())
        text = f"""\
            server:
              listen: 127.0.0.1:0
              ops_listen: 127.0.0.1:{self.ops_port}
              requests_per_second: 0
              {self.server}
            auth:
              jwt_secret: {self.jwt_secret}
            providers:
              google:
                client_id: sandbox-client
                client_secret: sandbox-secret
                endpoints:
                  authorize: {google}/o/oauth2/v2/auth
                  token: {google}/token
                  revoke: {google}/revoke
                  userinfo: {google}/v1/userinfo
                  api: {google}/calendar/v3
                  issuer: {google}
            rules: [redirect.lua, reminders.lua]
            log: {{ level: debug }}
            """
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(text) + f"keys:\n  active: {self.active}{keys}\n")

    def start(self, **options):
        started = host.Host(self.folder, "--config", self.config, **options)
        self.test.addCleanup(started.__exit__)
        return started

    def run(self, *command):
        return host.run(*command, "--config", self.config, "--data", self.data)

    def fill_calendar(self, count):
        """Gives the account `count` events within the next 30 days, by a file that it imports."""
        begin = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//calhost//test//EN"]
        for i in range(count):
            start = begin + datetime.timedelta(minutes=5 * (i % 7000))
            lines += [
                "BEGIN:VEVENT", f"UID:event-{i}@test.example", f"SUMMARY:Event {i}",
                f"DTSTART:{start:%Y%m%dT%H%M%SZ}", "DURATION:PT30M", "END:VEVENT",
            ]
        text = "\r\n".join(lines + ["END:VCALENDAR", ""])
        url = f"{self.google.url}/sandbox/control/accounts/{ACCOUNT}/ics"
        answer = host.send(url, "POST", text)
        assert answer.status == 200, answer.text
