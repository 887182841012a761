#include "storage/store.h"

#include <doctest/doctest.h>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <fstream>

#include "storage/events.h"
#include "storage/rows.h"
#include "storage/schema_sqlite.h"

using namespace calhost;
using namespace calhost::storage;
namespace fs = std::filesystem;

namespace {

const int kNewest = static_cast<int>(sqlite_migrations().size());

Result<std::unique_ptr<Store>> open_inline(const fs::path& file) {
    return Store::open({.file = file, .is_inline = true});
}
void run_script(const fs::path& file, const char* script) {
    SQLite::Database(file.string(), SQLite::OPEN_READWRITE).exec(script);
}
fs::perms mode(const fs::path& file) { return fs::status(file).permissions(); }

}  // namespace

TEST_CASE("store: a new file is migrated to the newest schema and only its owner reads it") {
    test::TempFolder folder;
    const auto file = folder.path() / "deep" / "er" / "calhost.db";
    const auto store = test::must(open_inline(file));
    CHECK(store->schema_version() == kNewest);
    boost::asio::io_context context;
    const auto database = store->database(context.get_executor());
    int tables = 0;
    test::must(database->reader().query(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%STRICT%'", {},
        [&](const Row&) { ++tables; }));
    CHECK(tables == 23);
    const auto owner_only = fs::perms::owner_read | fs::perms::owner_write;
    for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
        CAPTURE(suffix);
        CHECK(mode(file.string() + suffix) == owner_only);
    }
}

TEST_CASE("store: opened again it keeps its rows and its schema") {
    test::Scene scene;
    scene.store.reopen();
    CHECK(scene.store.store().schema_version() == kNewest);
    CHECK(test::must(find_user(scene.reader(), "ann")));
}

TEST_CASE("store: a second one on the same file is refused, by a link too") {
    test::TempFolder folder;
    const auto file = folder.path() / "calhost.db";
    auto first = test::must(open_inline(file));
    fs::create_symlink(file, folder.path() / "other.db");
    for (const char* name : {"calhost.db", "other.db"}) {
        const auto second = open_inline(folder.path() / name);
        REQUIRE_FALSE(second);
        CHECK(second.error().code == ErrorCode::unavailable);
        CHECK(second.error().message ==
              "Another calhost is using " + fs::canonical(file).string() +
                  ". Stop that one first, or give this one its own folder with --data.");
    }
    first.reset();
    CHECK(open_inline(file));
}

TEST_CASE("store: a schema of a newer program is refused and left alone") {
    test::TempFolder folder;
    const auto file = folder.path() / "calhost.db";
    test::must(open_inline(file)).reset();
    run_script(file, "INSERT INTO schema_version VALUES (1000)");
    const auto store = open_inline(file);
    REQUIRE_FALSE(store);
    CHECK(store.error().code == ErrorCode::misconfigured);
    CHECK(store.error().message ==
          "The store has schema 1000, and this calhost knows only up to " +
              std::to_string(kNewest) +
              ": a newer calhost wrote it. "
              "Run that one, or put back a backup made before the upgrade.");
}

TEST_CASE("store: events of the first schema are found in the second") {
    test::TempFolder folder;
    const auto file = folder.path() / "calhost.db";
    std::ofstream(file).flush();
    run_script(file, "CREATE TABLE schema_version (version INTEGER PRIMARY KEY) STRICT");
    run_script(file, std::string(sqlite_migrations().front()).c_str());
    run_script(file, R"sql(
        INSERT INTO schema_version VALUES (1);
        INSERT INTO users VALUES ('ann', 'a@b.c', 'a@b.c', 1, '', 'user', 'Etc/UTC', '', 0);
        INSERT INTO connections VALUES ('c1', 'ann', 'google', '', '', '', 'primary', 'full', 1,
            'read', 'active', '', '', '', '', NULL, 1, NULL, '', NULL, 0, 0);
        INSERT INTO events VALUES ('c1', 'work', 'w', 'r', 'h', 'e', 0, 9, 0, '',
            '{"id":"w","start":{"local":0,"zone":"Etc/UTC","instant":0},"finish":{"local":0}}');
        INSERT INTO events VALUES ('c1', 'primary', 'p', 'r', 'h', 'e', 0, 9, 0, '',
            '{"id":"p","start":{"local":0,"zone":"Etc/UTC","instant":0},"finish":{"local":0}}'))sql");
    const auto store = test::must(open_inline(file));
    boost::asio::io_context context;
    const auto database = store->database(context.get_executor());
    for (const auto& [calendar, id] : {std::pair{"primary", "p"}, {"work", "w"}}) {
        const calendar::Window window{from_millis(0), from_millis(1)};
        const auto found = test::must(find_events(database->reader(), "c1", calendar, window));
        REQUIRE(found.size() == 1);
        CHECK(found.front().id == id);
    }
}

TEST_CASE("store: a migration that fails leaves nothing behind") {
    test::TempFolder folder;
    const auto file = folder.path() / "calhost.db";
    std::ofstream(file).flush();
    run_script(file, "CREATE TABLE plugin_store (x INTEGER)");  // the last table of step 1
    CHECK_FALSE(open_inline(file));
    SQLite::Database database(file.string());
    CHECK_FALSE(database.tableExists("users"));
    CHECK(database.execAndGet("SELECT count(*) FROM schema_version").getInt() == 0);
}

TEST_CASE("store: a damaged file is an error, not a crash") {
    test::TempFolder folder;
    const auto file = folder.path() / "calhost.db";
    SUBCASE("that is no database at all") {
        std::ofstream(file) << std::string(8192, 'x');
        const auto store = open_inline(file);
        REQUIRE_FALSE(store);
        CHECK(store.error().code == ErrorCode::invalid_response);
    }
    SUBCASE("whose pages are overwritten") {
        {
            test::Scene scene;
            scene.write([](Sql& sql) -> Result<void> {
                for (int i = 0; i < 500; ++i)
                    test::must(insert_user(
                        sql, test::make_user(std::to_string(i), std::to_string(i) + "@x")));
                return {};
            });
            scene.store.store().close();
            run_script(scene.store.file(), "PRAGMA wal_checkpoint(TRUNCATE)");
            fs::copy_file(scene.store.file(), file);
        }
        SQLite::Database readable(file.string());
        SQLite::Statement roots(readable,
                                "SELECT rootpage FROM sqlite_master WHERE tbl_name = 'users'");
        std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
        while (roots.executeStep()) {
            bytes.seekp((roots.getColumn(0).getInt64() - 1) * 4096);
            bytes << std::string(64, '\xff');
        }
        bytes.close();
        const auto store = test::must(open_inline(file));
        boost::asio::io_context context;
        test::VirtualTime time(context);
        const auto database = store->database(context.get_executor());
        const auto read = find_user_by_email(database->reader(), "7@x");
        REQUIRE_FALSE(read);
        CHECK(read.error().code == ErrorCode::invalid_response);
        CHECK(read.error().message.starts_with("The store's file is damaged ("));
        const auto written = time.wait(database->write(
            [](Sql& sql) { return insert_user(sql, test::make_user("new", "new@x")); }));
        REQUIRE_FALSE(written);
        CHECK(written.error().code == ErrorCode::invalid_response);
    }
}

TEST_CASE("store: a folder that cannot be made is explained") {
    const auto store = open_inline("/proc/calhost/calhost.db");
    REQUIRE_FALSE(store);
    CHECK(store.error().code == ErrorCode::unavailable);
    CHECK(store.error().message.find("/proc/calhost") != std::string::npos);
}

TEST_CASE("store: the address names the driver and the file") {
    struct {
        std::string_view url;
        std::string_view file;  // empty: refused
    } const rows[] = {
        {"sqlite:calhost.db", "/data/calhost.db"},
        {"sqlite:sub/x.db", "/data/sub/x.db"},
        {"sqlite:/var/lib/x.db", "/var/lib/x.db"},
        {"sqlite:///var/lib/x.db", "/var/lib/x.db"},
        {"sqlite:", ""},
        {"sqlite::memory:", ""},
        {"postgresql://host/db", ""},
        {"calhost.db", ""},
        {"", ""},
    };
    for (const auto& row : rows) {
        CAPTURE(row.url);
        const auto options = parse_storage_url(row.url, "/data");
        CHECK(options.has_value() == !row.file.empty());
        if (options) CHECK(options->file == row.file);
        if (!options) CHECK(options.error().code == ErrorCode::misconfigured);
    }
    const auto secret = parse_storage_url("postgresql://me:geheim@host/db", "/data");
    CHECK(secret.error().message.find("geheim") == std::string::npos);
}
