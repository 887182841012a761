"""Calendars to sync: single events, spread evenly over the next four weeks."""

from datetime import datetime, timedelta, timezone

DAYS = 28


def make(name, count):
    begin = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//calhost//bench//EN"]
    for i in range(count):
        start = begin + timedelta(days=DAYS) * i / count
        lines += [
            "BEGIN:VEVENT",
            f"UID:{name}-{i}@bench.example",
            f"DTSTAMP:{begin:%Y%m%dT%H%M%SZ}",
            f"DTSTART:{start:%Y%m%dT%H%M%SZ}",
            f"DTEND:{start + timedelta(minutes=45):%Y%m%dT%H%M%SZ}",
            f"SUMMARY:Lesson {i} of {name}",
            "DESCRIPTION:Please bring the exercises of last time.",
            f"LOCATION:Room {i % 40}",
            "END:VEVENT",
        ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])
