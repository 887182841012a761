"""The benchmarks. Each yields lines: (what, figure, aim or "")."""

import json
import os
import re
import statistics
import subprocess
import time
from pathlib import Path

import calendar_file
import crowd
import server
from people import Control, Person

ROUNDS = 3
DEMO_ACCOUNT = "demo.person@gmail.example"  # whom `--calendar` fills


def _wrk(target, person):
    """Five seconds of load: (requests a second, CPU µs a request)."""
    before = target.cpu_seconds()
    shown = subprocess.run(
        ["wrk", "-t1", "-c32", "-d5s", "-H", "Authorization: " + person.bearer["Authorization"],
         target.url + "/api/calendar/status"], check=True, capture_output=True, text=True).stdout
    used = target.cpu_seconds() - before
    if "Non-2xx" in shown or "Socket errors" in shown:
        raise RuntimeError("wrk met errors:\n" + shown)
    count = int(re.search(r"(\d+) requests in", shown)[1])
    return float(re.search(r"Requests/sec:\s*([\d.]+)", shown)[1]), used / count * 1e6


def status(program, folder):
    """Authenticated status, one worker each, against nginx + Lua with the same token check."""
    with server.sandbox(program, folder) as calhost:
        person = Person(calhost, "status@example.com")
        person.connect(calhost, DEMO_ACCOUNT)
        person.sync()  # what the first sync changes is behind us
        answer = person.status()
        with server.nginx(folder, answer) as nginx:
            rounds = [(_wrk(calhost, person), _wrk(nginx, person)) for _ in range(ROUNDS)]
    ours, theirs = ([statistics.median(figures) for figures in zip(*side)] for side in zip(*rounds))
    ratios = sorted(a[0] / b[0] for a, b in rounds)
    yield "calhost", f"{ours[0]:,.0f} requests/s", ""
    yield "calhost CPU", f"{ours[1]:.1f} µs a request", "10"
    yield "nginx + Lua", f"{theirs[0]:,.0f} requests/s", ""
    yield "nginx + Lua CPU", f"{theirs[1]:.1f} µs a request", ""
    yield "ratio", f"{ratios[ROUNDS // 2]:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})", "at least 1.4"


def _full_sync(program, folder, google, count):
    """A new connection's first sync, on a host that has nothing yet."""
    with server.host(program, folder, google, workers=1) as calhost:
        person = Person(calhost, "sync@example.com")
        way_back = person.consent(google, DEMO_ACCOUNT)
        cpu, begin = calhost.cpu_seconds(), time.monotonic()
        person.return_from(way_back)
        result = person.sync()  # joins the first sync, which the connection has begun
        wall, cpu = time.monotonic() - begin, calhost.cpu_seconds() - cpu
        if result["events_synced"] != count:
            raise RuntimeError(f"{result['events_synced']} events instead of {count}")
        peak = calhost.memory_bytes("VmHWM")
        control = Control(google)
        requests, again = control.requests(), calhost.cpu_seconds()
        person.sync()
        again, requests = calhost.cpu_seconds() - again, control.requests() - requests
    return cpu / count * 1e6, wall * 1e3, peak / 1e6, requests, again * 1e3


def sync(program, folder, count=10_000):
    """10,000 events from a sandbox in another process: stored and answered; then unchanged."""
    calendar = Path(folder) / "calendar.ics"
    calendar.write_text(calendar_file.make("bench", count), encoding="utf-8")
    with server.sandbox(program, folder, calendar=calendar) as google:
        rounds = [_full_sync(program, folder, google, count) for _ in range(ROUNDS)]
    cpu, wall, peak, requests, again = (statistics.median(figures) for figures in zip(*rounds))
    yield "full sync CPU", f"{cpu:.1f} µs an event", "13"
    yield "full sync wall", f"{wall:.0f} ms", ""
    yield "peak memory", f"{peak:.0f} MB", ""
    yield "unchanged: requests to the provider", f"{requests:.0f}", "1"
    yield f"unchanged: CPU, {count:,} events answered", f"{again:.0f} ms", ""


def _crowd_round(calhost, google, number, users, events):
    """Wall time of as many syncs, each of a calendar that has just got its events."""
    control = Control(google)
    control.set_latency(0)
    people = []
    for i in range(users):
        account = f"person-{number}-{i}@gmail.example"
        control.add_account(account)
        person = Person(calhost, account)
        person.connect(google, account)
        people.append(person)
    time.sleep(1)  # the first syncs of the new connections, whose calendars are empty, are over
    for person in people:
        control.load(person.email, calendar_file.make(person.email, events))
    control.set_latency(50)
    cpu = [one.cpu_seconds() for one in (calhost, google)]
    requests = control.requests()
    seconds, bodies = crowd.together(calhost.port, "POST", ["/api/calendar/sync"] * users,
                                     [p.bearer for p in people])
    cpu = [one.cpu_seconds() - before for one, before in zip((calhost, google), cpu)]
    for body in bodies:
        if json.loads(body)["sync_result"]["created"] != events:
            raise RuntimeError(f"not {events} created: {body[:300]!r}")
    return seconds * 1e3, cpu[0] * 1e3, cpu[1] * 1e3, control.requests() - requests


def crowd_of_users(program, folder, users=50, events=200):
    """50 users × 200 new events at 50 ms provider latency, all syncs started together."""
    with server.sandbox(program, folder) as google, server.host(program, folder, google) as calhost:
        rounds = [_crowd_round(calhost, google, i, users, events) for i in range(ROUNDS)]
    wall, ours, theirs, requests = (statistics.median(figures) for figures in zip(*rounds))
    yield f"{users} users × {events} events, 50 ms latency", f"{wall:.0f} ms", "230"
    yield "of that: host CPU", f"{ours:.0f} ms", ""
    yield "the sandbox's CPU beside it", f"{theirs:.0f} ms", ""
    yield "requests to the provider", f"{requests:.0f}", ""


def idle(program, folder):
    """Memory of a host that was just started and serves nobody."""
    with server.sandbox(program, folder) as google, server.host(program, folder, google) as calhost:
        time.sleep(2)
        yield "idle memory", f"{calhost.memory_bytes('VmRSS') / 1e6:.1f} MB", "30"


def _application(calhost, program):
    """Headers of an application's key, on a host that serves."""
    shown = subprocess.run(
        [program, "app", "add", "bench", "--scopes", "bookings:read,bookings:write", "--config", calhost.config,
         "--data", calhost.data],
        check=True, capture_output=True, text=True).stdout
    return {"Authorization": "Bearer " + shown.splitlines()[-1], "Content-Type": "application/json"}


def _lesson(client, tutor):
    return {"title": "Algebra", "status": "confirmed", "time_zone": "Europe/Berlin",
            "start_time": "2035-05-03T10:00:00", "end_time": "2035-05-03T11:00:00",
            "client": {"user_id": client.id()}, "tutor": {"user_id": tutor.id()}}


def _fsyncs(folder, seconds=1):
    """What the disk itself gives to one who commits alone."""
    count, end = 0, time.monotonic() + seconds
    with (Path(folder) / "fsync").open("wb", buffering=0) as file:
        while time.monotonic() < end:
            file.write(b"x" * 4096)
            os.fsync(file.fileno())
            count += 1
    return count / seconds


def _book(calhost, script, text):
    """64 clients book for five seconds: (bookings, a second, half of them within, CPU seconds)."""
    script.write_text(text)
    time.sleep(0.5)  # one address may have 64 connections: those of an earlier run are gone
    cpu = calhost.cpu_seconds()
    shown = subprocess.run(["wrk", "-t1", "-c64", "-d5s", "--latency", "-s", script, calhost.url],
                           check=True, capture_output=True, text=True).stdout
    cpu = calhost.cpu_seconds() - cpu
    if "Non-2xx" in shown or "Socket errors" in shown:
        raise RuntimeError("wrk met errors:\n" + shown)
    count, rate = (float(re.search(what, shown)[1]) for what in (r"(\d+) requests in", r"Requests/sec:\s*([\d.]+)"))
    return count, rate, re.search(r"50%\s+(\S+)", shown)[1], cpu


def bookings(program, folder):
    """Bookings accepted, on disk, of people without calendars: 64 clients, as fast as they can, then ten
    milliseconds after each answer, which is some 5,000 a second."""
    with server.sandbox(program, folder) as google, server.host(program, folder, google) as calhost:
        headers = _application(calhost, program)
        people = [Person(calhost, f"{name}@example.com") for name in ("client", "tutor")]
        text = ((server.HERE / "bookings.lua").read_text() + f"\nwrk.body = [[{json.dumps(_lesson(*people))}]]\n"
                + "".join(f'wrk.headers["{name}"] = "{value}"\n' for name, value in headers.items()))
        script = Path(folder) / "bookings.lua"
        count, rate, _, cpu = _book(calhost, script, text)
        _, calm_rate, half, _ = _book(calhost, script, text + 'name = "calm"\nfunction delay() return 10 end\n')
    yield "as fast as they can", f"{rate:,.0f} a second", "5,000"
    yield "CPU of those", f"{cpu / count * 1e6:.0f} µs a booking", ""
    yield f"at {calm_rate:,.0f} a second half of them within", half, "3 ms"
    yield "fsync alone, one after another", f"{_fsyncs(folder):,.0f} a second", ""


def delivery(program, folder, count=100):
    """100 bookings into two calendars at 50 ms provider latency, 16 calls in flight: 13 waits at best.

    The pace is opened wide, since the usual one, which is kind to the provider, would be all that is measured."""
    wide = {"per_second": 10_000, "burst": 10_000, "connection_per_second": 10_000, "connection_burst": 10_000}
    with server.sandbox(program, folder) as google, server.host(program, folder, google, pace=wide) as calhost:
        control, headers, people = Control(google), _application(calhost, program), []
        for name in ("client", "tutor"):
            control.add_account(f"{name}@gmail.example")
            people.append(Person(calhost, f"{name}@example.com"))
            people[-1].connect(google, f"{name}@gmail.example")
        time.sleep(1)  # the first syncs are over
        control.set_latency(50)
        before, cpu = control.requests(), calhost.cpu_seconds()
        body = json.dumps(_lesson(*people)).encode()
        begin = time.monotonic()
        for first in range(0, count, 50):  # one client may have 64 connections
            ids = range(first, min(first + 50, count))
            crowd.together(calhost.port, "PUT", [f"/api/bookings/{i}" for i in ids], [headers] * len(ids), body)
        while control.requests() - before < 2 * count:
            if time.monotonic() - begin > 60:
                raise RuntimeError("the bookings do not arrive")
            time.sleep(0.005)
        wall, cpu = time.monotonic() - begin, calhost.cpu_seconds() - cpu
    yield f"{count} bookings in two calendars", f"{wall * 1e3:.0f} ms", "747 ms"
    yield "host CPU", f"{cpu / count * 1e3:.2f} ms a booking", "0.5"


PARTS = {"status": status, "sync": sync, "crowd": crowd_of_users, "bookings": bookings,
         "delivery": delivery, "idle": idle}
