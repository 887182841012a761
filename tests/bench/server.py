"""Servers that the benchmarks start, and what each of them has used so far."""

import json
import secrets
import socket
import subprocess
import time
from pathlib import Path
from string import Template

HERE = Path(__file__).resolve().parent
SECRET = "a-secret-that-only-benchmarks-use-0123456789"
START_SECONDS = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process that listens on a loopback port; ended, by its pid, when the `with` ends."""

    def __init__(self, command, port, folder):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.data = self.config = None  # a host's
        self.log = Path(folder) / f"{port}.log"
        with self.log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def __enter__(self):
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is not None:
            status = self.process.returncode
            raise RuntimeError(f"{self.process.args[0]} ended by itself with {status}:\n{self.log.read_text()}")
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _wait(self):
        end = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"{self.process.args[0]} does not listen:\n{self.log.read_text()}")

    def pids(self):
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [pid, *map(int, children.split())]

    def cpu_seconds(self):
        """Of every thread, user and system, to the nanosecond: the process's own CPU clock."""
        return sum(time.clock_gettime((~pid) << 3 | 2) for pid in self.pids())

    def memory_bytes(self, what):
        """`what` is VmRSS (now) or VmHWM (the most so far)."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(what + ":"):
                return int(line.split()[1]) * 1024
        raise RuntimeError(f"/proc does not say {what}")


def sandbox(program, folder, *, workers=1, calendar=None):
    """A host with the simulated Google in it."""
    port = free_port()
    command = [program, "serve", "--sandbox", "--data", Path(folder) / f"sandbox-{port}",
               "--listen", f"127.0.0.1:{port}"]
    for setting in (f"server.workers={workers}", "server.requests_per_second=0", "server.ops_listen=",
                    "log.level=warning", f"auth.jwt_secret={SECRET}"):
        command += ["--set", setting]
    if calendar:
        command += ["--calendar", calendar]
    return Server(command, port, folder)


def host(program, folder, google, *, workers="auto", pace=None):
    """A host as operators run it, whose Google is the sandbox in another process. `pace` as in the YAML."""
    port = free_port()
    mount = google.url + "/sandbox/google"
    settings = {
        "server": {"listen": f"127.0.0.1:{port}", "ops_listen": "", "workers": workers, "requests_per_second": 0},
        "keys": {"active": "k1", "k1": secrets.token_hex(32)},
        "auth": {"jwt_secret": SECRET},
        "providers": {"google": {
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "endpoints": {
                "authorize": mount + "/o/oauth2/v2/auth",
                "token": mount + "/token",
                "revoke": mount + "/revoke",
                "userinfo": mount + "/v1/userinfo",
                "api": mount + "/calendar/v3",
                "issuer": mount,
            },
        }},
        "rules": ["redirect.lua", "reminders.lua"],
        "log": {"level": "warning"},
    }
    if pace:
        settings["pace"] = {"google": pace}
    file = Path(folder) / f"host-{port}.yaml"
    file.write_text(json.dumps(settings, indent=1), encoding="utf-8")  # JSON is YAML
    data = Path(folder) / f"host-{port}"
    started = Server([program, "serve", "--config", file, "--data", data], port, folder)
    started.data, started.config = data, file
    return started


def nginx(folder, answer):
    """nginx with Lua, one worker, which checks the token and sends `answer`."""
    port = free_port()
    prefix = Path(folder) / f"nginx-{port}"
    prefix.mkdir()
    answer_file = prefix / "answer.json"
    answer_file.write_bytes(answer)
    text = Template((HERE / "nginx.conf").read_text()).substitute(
        bench=HERE, secret=SECRET, answer_file=answer_file, port=port)
    (prefix / "nginx.conf").write_text(text)
    return Server(["/usr/sbin/nginx", "-e", "stderr", "-p", prefix, "-c", prefix / "nginx.conf"], port, folder)
