#include "storage/database.h"

#include <doctest/doctest.h>

#include <stdexcept>

#include "storage/plugin_store.h"
#include "storage/rows.h"

using namespace calhost;
using namespace calhost::storage;
using test::must;

namespace {

Result<void> put(Sql& sql, std::string_view key, std::string_view value = "x") {
    return put_plugin_value(sql, "p", key, value, std::nullopt, test::kNow);
}
std::optional<std::string> get(Sql& sql, std::string_view key) {
    return must(get_plugin_value(sql, "p", key, test::kNow));
}

}  // namespace

TEST_CASE("database: a read sees every write that was awaited, and none that failed") {
    test::Scene scene;
    CHECK_FALSE(get(scene.reader(), "a"));
    scene.write([](Sql& sql) { return put(sql, "a"); });
    CHECK(get(scene.reader(), "a") == "x");
    const auto failed = scene.try_write([](Sql& sql) -> Result<void> {
        must(put(sql, "b"));
        CHECK(get(sql, "b"));
        return fail(ErrorCode::conflict, "no");
    });
    CHECK(failed.error().code == ErrorCode::conflict);
    CHECK(failed.error().message == "no");
    CHECK_FALSE(get(scene.reader(), "b"));
}

TEST_CASE("database: a write that throws becomes an error and keeps nothing") {
    test::Scene scene;
    const auto thrown = scene.try_write([](Sql& sql) -> Result<void> {
        must(put(sql, "a"));
        throw std::runtime_error("a bug that knows s3cret");
    });
    REQUIRE_FALSE(thrown);
    CHECK(thrown.error().code == ErrorCode::invalid);
    CHECK(thrown.error().message.find("s3cret") == std::string::npos);
    CHECK_FALSE(get(scene.reader(), "a"));
    scene.write([](Sql& sql) { return put(sql, "b"); });
    CHECK(get(scene.reader(), "b"));
}

TEST_CASE("database: parameters go by their number, not by where they stand") {
    test::Scene scene;
    std::string text;
    must(scene.reader().query("SELECT $3 || $1 || $2 || $1", {"a", "b", "c"},
                              [&](const Row& row) { text = row.text(0); }));
    CHECK(text == "caba");
}

TEST_CASE("database: every kind of value comes back as it went in") {
    test::Scene scene;
    const std::string odd("a\0b\xc3\xa9", 5);
    must(scene.reader().query(
        "SELECT $1, $2, $3, $4, $5, $6",
        {odd, std::int64_t{-1} << 62, nullptr, true, test::kNow, std::optional<Timestamp>()},
        [&](const Row& row) {
            CHECK(row.text(0) == odd);
            CHECK(row.integer(1) == std::int64_t{-1} << 62);
            CHECK(row.is_null(2));
            CHECK_FALSE(row.maybe_string(2));
            CHECK(row.boolean(3));
            CHECK(row.time(4) == test::kNow);
            CHECK_FALSE(row.maybe_time(5));
        }));
}

TEST_CASE("database: a statement may run again inside its own rows") {
    test::Scene scene;
    for (const char* key : {"a", "b", "c"}) scene.write([&](Sql& sql) { return put(sql, key); });
    int pairs = 0;
    constexpr std::string_view kAll = "SELECT key FROM plugin_store";
    for (int round = 0; round < 2; ++round)
        must(scene.reader().query(kAll, {}, [&](const Row&) {
            must(scene.reader().query(kAll, {}, [&](const Row&) { ++pairs; }));
        }));
    CHECK(pairs == 18);
}

TEST_CASE("database: a wrong number of parameters is a bug that does not run") {
    test::Scene scene;
    scene.write([](Sql& sql) { return put(sql, "a"); });
    const auto too_few = [&] {
        return scene.reader().query("SELECT value FROM plugin_store WHERE key = $1", {},
                                    [](const Row&) {});
    };
    CHECK_THROWS_AS((void)too_few(), std::logic_error);
}

TEST_CASE("database: a reader cannot write and cannot tell of changes") {
    test::Scene scene;
    CHECK(put(scene.reader(), "a").error().code == ErrorCode::unavailable);
    CHECK_THROWS_AS(scene.reader().notify({"users", "a", "a"}), std::logic_error);
}

TEST_CASE("database: the number of changed rows is the statement's own") {
    test::Scene scene;
    scene.write([](Sql& sql) -> Result<void> {
        must(put(sql, "a"));
        must(put(sql, "b"));
        CHECK(sql.execute("UPDATE plugin_store SET value = 'z' WHERE plugin = $1", {"p"}) == 2);
        CHECK(sql.execute("UPDATE plugin_store SET value = 'z' WHERE plugin = $1", {"q"}) == 0);
        CHECK(sql.execute("SELECT 1") == 0);
        CHECK(sql.execute("DELETE FROM connections WHERE id = $1", {"c1"}) == 1);
        return {};
    });
}

TEST_CASE("database: what a constraint refuses has its own code and no value in its text") {
    test::Scene scene;
    const auto foreign = scene.try_write(
        [](Sql& sql) { return store_grant(sql, test::make_connection("c9", "nobody-s3cret")); });
    CHECK(foreign.error().code == ErrorCode::conflict);
    const auto unique = scene.try_write(
        [](Sql& sql) { return insert_user(sql, test::make_user("ann", "s3cret@example.com")); });
    CHECK(unique.error().code == ErrorCode::already_exists);
    const auto kind = scene.try_write([](Sql& sql) {
        return sql.execute("UPDATE users SET created_at = $1 WHERE id = $2", {"s3cret", "ann"});
    });
    CHECK(kind.error().code == ErrorCode::invalid);
    const auto unknown = scene.reader().execute("SELECT x FROM nowhere WHERE y = $1", {"s3cret"});
    CHECK(unknown.error().code == ErrorCode::invalid);
    for (const auto& message : {foreign.error().message, unique.error().message,
                                kind.error().message, unknown.error().message})
        CHECK_MESSAGE(message.find("s3cret") == std::string::npos, message);
}

TEST_CASE("database: every worker hears of a change, in order, before the writer goes on") {
    test::Scene scene;
    const auto other = scene.store.store().database(scene.context.get_executor());
    std::vector<std::string> heard;
    other->on_change([&](const Change& c) { heard.push_back("other " + c.id); });
    scene.store.database().on_change([&](const Change& c) {
        CHECK(get(scene.reader(), c.id));  // it is there when one hears of it
        heard.push_back("own " + c.id);
    });
    const auto write_two = [](Database& database, std::vector<std::string>& log) -> Task<> {
        auto done = co_await database.write([](Sql& sql) -> Result<void> {
            must(put(sql, "a"));
            must(put(sql, "b"));
            sql.notify({"plugin_store", "a", ""});
            sql.notify({"plugin_store", "b", ""});
            return {};
        });
        must(std::move(done));
        log.emplace_back("awaited");
    };
    scene.time.wait(write_two(scene.store.database(), heard));
    CHECK(heard == std::vector<std::string>{"own a", "own b", "other a", "other b", "awaited"});
    heard.clear();
    CHECK_FALSE(scene.try_write([](Sql& sql) -> Result<void> {
        sql.notify({"plugin_store", "a", ""});
        return fail(ErrorCode::conflict, "no");
    }));
    CHECK(heard.empty());
}

TEST_CASE("database: a closed store refuses writes with a sentence") {
    test::Scene scene;
    scene.store.store().close();
    const auto refused = scene.try_write([](Sql& sql) { return put(sql, "a"); });
    CHECK(refused.error().code == ErrorCode::unavailable);
    CHECK_FALSE(get(scene.reader(), "a"));
}
