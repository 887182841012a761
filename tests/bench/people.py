"""People who use a host: they register, sign in, connect a calendar, sync."""

import http.client
import json
from urllib.parse import quote, urlsplit

PASSWORD = "a long bench password"


def call(server, method, path, body=None, headers=None):
    """One request on a connection of its own: (status, headers, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    try:
        if isinstance(body, dict):
            body = json.dumps(body)
        connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def expect(wanted, answer):
    status, headers, body = answer
    if status != wanted:
        raise RuntimeError(f"answered {status} instead of {wanted}: {body[:500]!r}")
    return headers, body


class Person:
    """One user of `server`, signed in."""

    def __init__(self, server, email):
        self.server = server
        self.email = email
        expect(201, call(server, "POST", "/auth/register", {"email": email, "password": PASSWORD}))
        _, body = expect(200, call(server, "POST", "/auth/token", {"email": email, "password": PASSWORD}))
        self.bearer = {"Authorization": "Bearer " + json.loads(body)["access_token"]}

    def consent(self, google, account):
        """Up to the provider's consent; what is left is the way back."""
        headers, _ = expect(302, call(self.server, "GET",
                                      "/api/calendar/connect/google?login_hint=" + quote(account),
                                      headers={**self.bearer, "Accept": "text/html"}))
        cookie = headers["Set-Cookie"].split(";")[0]
        page = urlsplit(headers["Location"])
        headers, _ = expect(302, call(google, "GET", f"{page.path}?{page.query}&auto=allow"))
        back = urlsplit(headers["Location"])
        return f"{back.path}?{back.query}", {"Cookie": cookie, "Accept": "text/html"}

    def return_from(self, way_back):
        path, headers = way_back
        headers, _ = expect(302, call(self.server, "GET", path, headers=headers))
        if "connected=success" not in headers["Location"]:
            raise RuntimeError("the calendar was not connected: " + headers["Location"])

    def connect(self, google, account):
        self.return_from(self.consent(google, account))

    def id(self):
        _, body = expect(200, call(self.server, "GET", "/auth/me", headers=self.bearer))
        return json.loads(body)["id"]

    def status(self):
        _, body = expect(200, call(self.server, "GET", "/api/calendar/status", headers=self.bearer))
        return body

    def sync(self):
        _, body = expect(200, call(self.server, "POST", "/api/calendar/sync", headers=self.bearer))
        return json.loads(body)["sync_result"]


class Control:
    """The control API of a sandbox."""

    def __init__(self, google):
        self.google = google

    def _post(self, wanted, path, body):
        expect(wanted, call(self.google, "POST", "/sandbox/control" + path, body))

    def add_account(self, email):
        self._post(201, "/accounts", {"email": email, "time_zone": "Europe/Berlin"})

    def load(self, email, calendar):
        self._post(200, f"/accounts/{quote(email)}/ics", calendar)

    def set_latency(self, milliseconds):
        self._post(200, "/latency", {"milliseconds": milliseconds})

    def requests(self):
        """How many requests the simulated Google has served."""
        _, body = expect(200, call(self.google, "GET", "/sandbox/control/ledger?since=1000000000"))
        return json.loads(body)["request_count"]
