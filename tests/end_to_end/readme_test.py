"""Every command of README.md, run as it stands there, in order; what it shows as output is there."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

import host

HOST_LINE = re.compile(r"^\./dev run\b.*$", re.MULTILINE)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read_blocks():
    with open(os.path.join(host.ROOT, "README.md"), encoding="utf-8") as file:
        return BLOCK.findall(file.read())


def matches(shown, output):
    """`…` in the README stands for anything."""
    pattern = ".*".join(re.escape(part) for part in shown.strip().split("…"))
    return re.fullmatch(pattern, output.strip(), re.DOTALL)


class Shell:
    """One bash in which variables and background jobs stay from block to block."""

    def __init__(self, folder, environment):
        self.process = subprocess.Popen(
            ["bash"], cwd=folder, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )

    def run(self, commands):
        """What they print, and the exit status of the last one."""
        self.process.stdin.write(f"{{ {commands}\n}} </dev/null\nprintf '\\nended %d\\n' $?\n")
        self.process.stdin.flush()
        output = ""
        for line in self.process.stdout:
            output += line
            end = re.search(r"\nended (\d+)\n\Z", "\n" + output)
            if end:
                return ("\n" + output)[: end.start()].strip(), int(end[1])
        raise AssertionError(f"the shell ended in:\n{commands}\n{output}")

    def close(self):
        self.process.stdin.close()
        self.process.wait(host.PATIENCE)
        self.process.stdout.close()


class ReadmeTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="calhost-readme-")
        self.addCleanup(shutil.rmtree, self.folder)
        for name in ("dev", "config", "scripts", "tests"):
            os.symlink(os.path.join(host.ROOT, name), os.path.join(self.folder, name))
        os.makedirs(os.path.join(self.folder, "build/release"))
        os.symlink(host.PROGRAM, os.path.join(self.folder, "build/release/calhost"))
        self.port = host.free_port()
        self.served = None
        self.addCleanup(self.end_host)
        self.environment = {**os.environ, "CALHOST_PROGRAM": host.PROGRAM}
        for name in ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"):
            self.environment.pop(name, None)

    def end_host(self):
        """Ctrl-C in the first terminal, or nothing if the host was killed there."""
        if self.served is None:
            return
        if self.served.poll() is None:
            self.served.send_signal(signal.SIGINT)
        self.served.wait(host.PATIENCE)
        self.served = None

    def start_host(self, line, exported):
        self.end_host()
        log_file = os.path.join(self.folder, "host.log")
        with open(log_file, "wb") as log:
            self.served = subprocess.Popen(
                ["bash", "-c", f"exec {line} --listen 127.0.0.1:{self.port} "
                               "--set server.ops_listen=127.0.0.1:0"],
                cwd=self.folder, env={**self.environment, **exported}, stdout=log, stderr=log,
            )

        def is_serving():
            with open(log_file, encoding="utf-8") as log:
                text = log.read()
            self.assertIsNone(self.served.poll(), text)
            return f"127.0.0.1:{self.port}" in text

        host.wait_until(is_serving, line)

    def run_block(self, shell, commands):
        """Gives the output; the host runs in a terminal of its own."""
        line = HOST_LINE.search(commands)
        if line is None:
            output, status = shell.run(commands.replace("8080", str(self.port)))
            self.assertEqual(status, 0, f"{commands}\n{output}")
            if "kill -9" in commands:
                self.assertEqual(self.served.wait(host.PATIENCE), -signal.SIGKILL)
            return output
        exported = dict(re.findall(r"(\w+)=(\S+)", commands[: line.start()]))
        self.start_host(line[0], exported)
        return ""

    def test_every_command_works_and_prints_what_is_shown(self):
        shell = Shell(self.folder, self.environment)
        self.addCleanup(shell.close)
        output, seen = "", 0
        for kind, text in read_blocks():
            if kind == "sh":
                output, seen = self.run_block(shell, text), seen + 1
            elif kind == "text":
                shown = text.replace("8080", str(self.port))
                self.assertTrue(matches(shown, output), f"shown:\n{shown}\nprinted:\n{output}")
        self.assertGreater(seen, 10)
        # The last host that the page starts is one for the real Google.
        asked = host.send(f"http://127.0.0.1:{self.port}/api/providers").json()["providers"]
        self.assertTrue([p for p in asked if p["id"] == "google" and p["configured"]], asked)

    def test_the_rule_that_is_shown_is_the_one_that_runs(self):
        with open(os.path.join(host.ROOT, "scripts/redirect.lua"), encoding="utf-8") as file:
            script = file.read()
        rules = [text for kind, text in read_blocks() if kind == "lua"]
        self.assertTrue(rules)
        for rule in rules:
            self.assertIn(rule, script)

    def test_links_lead_somewhere(self):
        with open(os.path.join(host.ROOT, "README.md"), encoding="utf-8") as file:
            links = re.findall(r"\]\(([^)]+)\)", file.read())
        for link in links:
            self.assertTrue(os.path.exists(os.path.join(host.ROOT, link)), link)


if __name__ == "__main__":
    unittest.main()
