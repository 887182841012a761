"""The built program as people run it: started, talked to over HTTP, killed."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

PROGRAM = os.environ.get("CALHOST_PROGRAM", "")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PASSWORD = "a long pass phrase"
# What `serve` ends with when it is the configuration that keeps it from starting.
BAD_CONFIGURATION = 78
# Generous: sanitizer builds on a busy machine are slow, and nothing here measures speed.
PATIENCE = 120


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(ask, what):
    """What `ask` gives as soon as it gives something."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"waited in vain for {what}")


def run(*arguments, **options):
    """One command of the program that ends by itself."""
    return subprocess.run(
        [PROGRAM, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False, **options
    )


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()

    def json(self):
        return json.loads(self.text)


def send(url, method="GET", body=None, headers=None, trusted=None):
    """One request; `body` that is no string goes as JSON. Redirects are not followed."""
    target = urllib.parse.urlsplit(url)
    if target.scheme == "https":
        context = ssl.create_default_context(cafile=trusted)
        line = http.client.HTTPSConnection(target.netloc, timeout=PATIENCE, context=context)
    else:
        line = http.client.HTTPConnection(target.netloc, timeout=PATIENCE)
    headers = dict(headers or {})
    if body is not None and not isinstance(body, str):
        body = json.dumps(body)
        headers["Content-Type"] = "application/json"
    with contextlib.closing(line):
        path = target.path + ("?" + target.query if target.query else "")
        line.request(method, path, body and body.encode(), headers)
        return Answer(line.getresponse())


class Host:
    """A serving program; use it in a `with`."""

    def __init__(self, folder, *arguments, environment=None, name="host"):
        self.data = os.path.join(folder, name)
        self.log = os.path.join(folder, name + ".log")
        self.begin = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "serve", "--data", self.data, *arguments],
                stdout=log,
                stderr=log,
                env={**os.environ, **(environment or {})},
            )
        try:
            self.url = wait_until(self._address, "the host to serve")
        except BaseException:
            self.kill()
            raise

    @classmethod
    def sandbox(cls, folder, *arguments, environment=None, name="sandbox"):
        return cls(
            folder, "--sandbox", "--listen", "127.0.0.1:0", "--set", "server.ops_listen=127.0.0.1:0",
            *arguments, environment=environment, name=name,
        )

    def output(self):
        with open(self.log, encoding="utf-8") as log:
            log.seek(self.begin)
            return log.read()

    def _address(self):
        text = self.output()
        if self.process.poll() is not None:
            raise AssertionError(f"the host ended with {self.process.returncode}:\n{text}")
        found = re.search(r"(?:Click|serves on)\s+(https?://[\d.]+:\d+)", text)
        return found and found[1]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """The exit status after SIGTERM; a failure shows the log, since that says why."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        if status:
            print(f"the host ended with {status}:\n{self.output()}", flush=True)
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()

    def control(self, path, body=None, method="POST"):
        """The simulated provider's control API."""
        answer = send(f"{self.url}/sandbox/control{path}", method, body)
        if answer.status >= 300:
            raise AssertionError(f"{path}: {answer.status} {answer.text}")
        return answer.json()

    def answer_late(self, milliseconds):
        """The simulated provider's next answer about events takes this long."""
        fault = {"kind": "delay", "delay_ms": milliseconds, "path": "/calendar/v3/calendars/primary/events"}
        self.control("/faults", fault)

    def wait_until_asked(self):
        """Until the request that is answered late has come."""
        wait_until(
            lambda: all(fault["count"] == 0 for fault in self.control("/faults", method="GET")["faults"]),
            "the request that is answered late",
        )


class Person:
    """Someone with an account at the host."""

    def __init__(self, host, email="ada@example.com", trusted=None):
        self.host, self.email, self.trusted = host, email, trusted
        registered = self._send("POST", "/auth/register", {"email": email, "password": PASSWORD})
        assert registered.status in (201, 409), registered.text
        signed_in = self._send("POST", "/auth/token", {"email": email, "password": PASSWORD})
        assert signed_in.status == 200, signed_in.text
        self.token = signed_in.json()["access_token"]

    def _send(self, method, path, body=None, headers=None):
        return send(self.host.url + path, method, body, headers, self.trusted)

    def call(self, method, path, body=None):
        return self._send(method, path, body, {"Authorization": f"Bearer {self.token}"})

    def begin(self):
        """The authorization URL of a JSON flow, and the cookie that belongs to it."""
        answer = self.call("GET", "/api/calendar/auth-url")
        return answer.json()["authorization_url"], answer.headers["Set-Cookie"].split(";")[0]

    def consent(self, url):
        """Where the provider sends the browser after Allow."""
        return send(url + "&auto=allow").headers["Location"]

    def connect(self):
        url, cookie = self.begin()
        landed = send(self.consent(url), headers={"Cookie": cookie}, trusted=self.trusted)
        assert landed.status == 302 and "connected=success" in landed.headers["Location"], landed.text

    def sync(self):
        answer = self.call("POST", "/api/calendar/sync")
        assert answer.status == 200, answer.text
        return answer.json()["sync_result"]["events"]

    def begin_sync(self):
        """A sync in a thread of its own; `answers` gets what comes, nothing if the host dies."""
        answers = []

        def work():
            with contextlib.suppress(OSError, http.client.HTTPException):
                answers.append(self.call("POST", "/api/calendar/sync"))

        thread = threading.Thread(target=work)
        thread.start()
        return thread, answers
