"""Holds this repository to its rules, and each rule to a small house that breaks it."""

import subprocess
import tempfile
import unittest
from pathlib import Path

import rules

ROOT = Path(__file__).resolve().parents[2]

README = """
| room | holds | may include |
|---|---|---|
| `base` | – | – |
| `net` | – | base |
| `lua` | – | base |
| `sync` | – | base |
| `api` | – | all above |
"""
GOOD = {
    "host/README.md": README,
    "host/CMakeLists.txt": "calhost_room(net ARROWS base LIBRARIES ZLIB::ZLIB)\ncalhost_room(base)\n",
    "host/base/base.h": "/// Basics.\n#pragma once\n#include <string>\n",
    "host/net/net.cpp": '#include "net/net.h"\n#include <boost/beast/http.hpp>\n#include "base/base.h"\n',
    "host/lua/lua.cpp": "// never catch (...) here\n#include <lua.hpp>\n",
    "host/sync/sync.cpp": "#include <vector>\n// not system_clock::now()\n",
    "host/api/api.cpp": '#include "sync/sync.h"\n#include <prometheus/counter.h>\n',
}
# What is changed, and the one rule that must see it.
BROKEN = [
    (rules.check_table, {"host/README.md": "no table"}),
    (rules.check_table, {"host/README.md": README.replace("| all above |", "| cellar |")}),
    (rules.check_arrows, {"host/net/net.cpp": '#include "sync/sync.h"\n'}),
    (rules.check_arrows, {"host/base/base.cpp": '  #  include "net/net.h"\n'}),
    (rules.check_arrows, {"host/cellar/wine.cpp": "int wine;\n"}),
    (rules.check_libraries, {"host/sync/sync.cpp": "#include <sqlite3.h>\n"}),
    (rules.check_libraries, {"host/net/net.cpp": "#include <lua.h>\n"}),
    (rules.check_libraries, {"host/api/api.cpp": "#include <boost/beast/http.hpp>\n"}),
    (rules.check_libraries, {"host/api/api.cpp": "#include <boost/asio/ssl/context.hpp>\n"}),
    (rules.check_libraries, {"host/base/base.cpp": "#include <unknown/thing.h>\n"}),
    (rules.check_heavy_beast, {f"host/net/{n}.cpp": "#include <boost/beast/core.hpp>\n" for n in "abc"}),
    (rules.check_heavy_beast, {"host/net/net.h": "/// Net.\n#pragma once\n#include <boost/beast.hpp>\n"}),
    (rules.check_catch_all, {"host/lua/lua.cpp": "try {} catch ( ... ) {}\n"}),
    (rules.check_purity, {"host/sync/sync.cpp": "#include <thread>\n"}),
    (rules.check_purity, {"host/sync/sync.cpp": "auto now = std::chrono::system_clock::now();\n"}),
    (rules.check_purity, {"host/sync/sync.cpp": "calhost::SystemClock clock;\n"}),
    (rules.check_purity, {"host/sync/sync.cpp": "#include <boost/asio/ip/tcp.hpp>\n"}),
    (rules.check_headers, {"host/base/base.h": "#pragma once\n"}),
    (rules.check_headers, {"host/base/base.h": "// Not for readers.\n#pragma once\n"}),
    (rules.check_cmake, {"host/CMakeLists.txt": "calhost_room(net ARROWS base lua)\n"}),
]


def build(folder, files):
    for name, content in files.items():
        file = Path(folder) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return Path(folder)


class Repository(unittest.TestCase):
    """The real tree."""


def _add_rule(rule):
    def test(self):
        self.assertEqual(list(rule(ROOT)), [])
    test.__doc__ = rule.__name__
    setattr(Repository, "test_" + rule.__name__, test)


for each in rules.RULES:
    _add_rule(each)


class ForeignNames(unittest.TestCase):
    def test_tracked_files_name_no_registry_and_no_work_machine(self):
        files = rules.tracked_files(ROOT)
        if files is None:
            self.skipTest("this is no git checkout")
        self.assertEqual(list(rules.check_foreign_names(ROOT, files)), [])

    def test_each_foreign_name_is_seen(self):
        names = ["/wo" + "rk/main", '"/ro' + 'ot/x"', "/home" + "/ann/src", "https://regis" + "try.npmjs.org/x",
                 "http://deb." + "debian.org/debian", "https://pypi" + ".org/simple"]
        for name in names:
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                root = build(folder, {"a.txt": f"see {name}/y\n"})
                self.assertEqual(len(list(rules.check_foreign_names(root, [root / "a.txt"]))), 1)

    def test_common_paths_are_no_foreign_names(self):
        with tempfile.TemporaryDirectory() as folder:
            root = build(folder, {"a.txt": "/api/work/1 https://example.com/root/ /usr/bin/env\n",
                                  "image.png": "\0 /wo" + "rk/"})
            self.assertEqual(list(rules.check_foreign_names(root, sorted(root.iterdir()))), [])

    def test_only_tracked_files_are_read(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertIsNone(rules.tracked_files(Path(folder)))
            root = build(folder, {"tracked.txt": "", "other.txt": ""})
            subprocess.run(["git", "init", "-q", folder], check=True)
            subprocess.run(["git", "-C", folder, "add", "tracked.txt"], check=True)
            self.assertEqual(rules.tracked_files(root), [root / "tracked.txt"])


class Rules(unittest.TestCase):
    def test_a_good_house_passes_every_rule(self):
        with tempfile.TemporaryDirectory() as folder:
            root = build(folder, GOOD)
            for rule in rules.RULES:
                self.assertEqual(list(rule(root)), [], rule.__name__)

    def test_each_broken_house_fails_its_rule(self):
        for rule, change in BROKEN:
            with self.subTest(rule.__name__, change=change), tempfile.TemporaryDirectory() as folder:
                self.assertEqual(len(list(rule(build(folder, GOOD | change)))), 1)

    def test_every_rule_is_broken_once(self):
        self.assertEqual({rule for rule, _ in BROKEN}, set(rules.RULES))


if __name__ == "__main__":
    unittest.main()
