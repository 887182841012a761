"""The rules of the house that a compiler does not know.

Each rule takes the folder of the repository and gives its complaints as text, `file:line: sentence`.
"""

import re
import subprocess
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

# Each third-party library and the rooms that may include it. None: any room.
LIBRARIES = {
    r"boost/(asio/ssl|beast)/": {"net"},
    r"boost/(asio|json|url|system)/|boost/(json|url)\.hpp": None,
    r"fmt/": None,
    r"spdlog/": {"base"},
    r"SQLiteCpp/|sqlite3\.h": {"storage"},
    r"lua\.hpp|lua\.h|lauxlib\.h|lualib\.h": {"lua"},
    r"yaml-cpp/": {"config"},
    r"openssl/": {"crypto", "net"},
    r"cjose/|jansson\.h|sodium(\.h|/)": {"crypto"},
    r"libical/|absl/|unicode/": {"calendar"},
    r"zlib\.h|curl/": {"net"},
    r"pugixml\.hpp": {"plugin"},
    r"prometheus/": {"api"},
    r"CLI/": {"app"},
}
# Beside the standard library, which has neither a dot nor a slash in its names.
SYSTEM = re.compile(
    r"(sys|netinet|arpa|linux)/\w+\.h|(stdlib|unistd|fcntl|signal|malloc|netdb|errno|poll|time|pwd)\.h"
)

# Beast headers that instantiate a whole server or client: twenty seconds a file.
HEAVY_BEAST = re.compile(
    r"boost/beast(\.hpp|/(core|http|ssl|websocket|src)\.hpp"
    r"|/http/(read|write|parser|serializer|message|string_body)\.hpp)"
)
MOST_HEAVY_BEAST_FILES = 3

# A catch-all swallows Lua's own throw.
NO_CATCH_ALL = {"lua", "plugin"}

# Time, randomness, network, threads and disk come in by constructor here.
PURE = {"connect", "sync", "booking", "jobs", "availability"}
IMPURE = re.compile(
    r"#\s*include\s*<(thread|fstream|filesystem|random|sys/socket\.h|boost/asio/(ip/tcp|thread_pool)\.hpp)>"
    r"|\b(system_clock|steady_clock|high_resolution_clock)::now\b"
    r"|\b(std::(jthread|thread|random_device)|SystemClock|SystemTimers|SystemRandom)\b"
    r"|\b(sleep_for|sleep_until|fopen|getaddrinfo)\b"
)

# Put together from pieces, so that this file passes its own rule.
FOREIGN = re.compile(
    r"(?<![\w./-])/(" + "|".join(["wo" + "rk", "ro" + "ot", r"ho" + r"me/\w+"]) + r")/"
    r"|\b(" + "|".join([
        r"regis" + r"try\.(npmjs|yarnpkg)", r"pypi" + r"\.org", r"files\.python" + r"hosted",
        r"(deb|security|snapshot)\." + r"debian\.org", r"proxy\." + r"golang", r"crates" + r"\.io",
    ]) + r")\b"
)


def _lines(file):
    return file.read_text(encoding="utf-8", errors="replace").splitlines()


def _code(file):
    """The lines without comments; line numbers stay."""
    text = file.read_text(encoding="utf-8", errors="replace")
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    return [re.sub(r"//.*", "", line) for line in text.splitlines()]


def _sources(root, *rooms):
    """(room, file) of every C++ file in these rooms, or in all."""
    host = root / "host"
    for file in sorted([*host.glob("*/**/*.h"), *host.glob("*/**/*.cpp")]):
        room = file.relative_to(host).parts[0]
        if not rooms or room in rooms:
            yield room, file


def _includes(file):
    for number, line in enumerate(_lines(file), 1):
        if match := INCLUDE.match(line):
            yield number, match.group(1) == '"', match.group(2)


def room_table(root):
    """Room → rooms it may include, as host/README.md says; `all above` means the rows before."""
    table = {}
    for line in _lines(root / "host" / "README.md"):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        name = re.fullmatch(r"`(\w+)`", cells[0])
        if not name or len(cells) != 3:
            continue
        words = re.findall(r"\w+", cells[2])
        table[name.group(1)] = set(table) if words == ["all", "above"] else set(words)
    return table


def check_table(root):
    table = room_table(root)
    if not table:
        yield "host/README.md: there is no table of rooms"
    for room, arrows in table.items():
        for arrow in sorted(arrows - set(table)):
            yield f"host/README.md: `{room}` may include `{arrow}`, which is no room"


def check_arrows(root):
    table = room_table(root)
    for room, file in _sources(root):
        where = file.relative_to(root)
        if room not in table:
            yield f"{where}: `{room}` is not in the table of host/README.md"
            continue
        for number, is_own, name in _includes(file):
            target = name.split("/")[0]
            if is_own and target != room and target not in table[room]:
                yield f"{where}:{number}: `{room}` may not include `{name}` (host/README.md)"


def check_libraries(root):
    for room, file in _sources(root):
        where = file.relative_to(root)
        for number, is_own, name in _includes(file):
            if is_own or re.fullmatch(r"\w+", name) or SYSTEM.fullmatch(name):
                continue
            rooms = next((r for known, r in LIBRARIES.items() if re.match(known, name)), set())
            if rooms is not None and room not in rooms:
                home = ", ".join(sorted(rooms)) or "a room named in tests/house/rules.py"
                yield f"{where}:{number}: <{name}> belongs in {home}"


def check_heavy_beast(root):
    heavy = [
        str(file.relative_to(root))
        for _, file in _sources(root)
        if any(HEAVY_BEAST.match(name) for _, is_own, name in _includes(file) if not is_own)
    ]
    for header in (name for name in heavy if name.endswith(".h")):
        yield f"{header}: a header must not pull in all of Beast"
    if len(heavy) > MOST_HEAVY_BEAST_FILES:
        yield f"{heavy[-1]}: more than {MOST_HEAVY_BEAST_FILES} files pull in all of Beast: {heavy}"


def check_catch_all(root):
    for room, file in _sources(root, *NO_CATCH_ALL):
        for number, line in enumerate(_code(file), 1):
            if re.search(r"\bcatch\s*\(\s*\.\.\.\s*\)", line):
                yield f"{file.relative_to(root)}:{number}: catch (...) swallows Lua's own throws"


def check_purity(root):
    for room, file in _sources(root, *PURE):
        for number, line in enumerate(_code(file), 1):
            if match := IMPURE.search(line):
                yield (f"{file.relative_to(root)}:{number}: `{match.group().strip()}`: "
                       f"`{room}` gets time, chance, network and disk by constructor")


def check_headers(root):
    for _, file in _sources(root):
        if file.suffix != ".h":
            continue
        lines = _lines(file)
        paragraph = next((i for i, line in enumerate(lines) if not line.startswith("///")), 0)
        if paragraph == 0 or "#pragma once" not in lines[paragraph:paragraph + 2]:
            yield f"{file.relative_to(root)}:1: a header opens with a /// paragraph that says what it is for"


def check_cmake(root):
    """The libraries of host/CMakeLists.txt are linked along the same arrows."""
    text = (root / "host" / "CMakeLists.txt").read_text(encoding="utf-8")
    table = room_table(root)
    for room, arguments in re.findall(r"^calhost_room\((\w+)([^)]*)\)", text, flags=re.M):
        arrows = re.search(r"ARROWS([\w\s]*?)(LIBRARIES|$)", arguments)
        linked = set(arrows.group(1).split()) if arrows else set()
        for arrow in sorted(linked - table.get(room, set())):
            yield f"host/CMakeLists.txt: `{room}` links `{arrow}`, an arrow host/README.md does not have"


def tracked_files(root):
    """What git tracks, or None where this is no checkout."""
    listing = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True)
    if listing.returncode != 0:
        return None
    names = listing.stdout.decode().split("\0")
    return [file for file in (root / name for name in names if name) if file.is_file()]


def check_foreign_names(root, files):
    for file in files:
        content = file.read_bytes()
        if b"\0" in content:
            continue
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
            if match := FOREIGN.search(line):
                yield f"{file.relative_to(root)}:{number}: names `{match.group()}`, which is only on one machine"


RULES = [
    check_table, check_arrows, check_libraries, check_heavy_beast, check_catch_all, check_purity,
    check_headers, check_cmake,
]
