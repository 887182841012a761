#include "storage/connections.h"

#include <doctest/doctest.h>

#include "storage/events.h"
#include "storage/jobs.h"
#include "storage/rows.h"
#include "storage/sealed.h"
#include "support/claim_job.h"

using namespace calhost;
using namespace calhost::storage;
using test::kNow;
using test::must;
using namespace std::chrono_literals;

namespace {

void add_synced_data(test::Scene& scene) {
    scene.write([](Sql& sql) -> Result<void> {
        must(replace_calendars(sql, "c1", "ann", {{.id = "primary"}}));
        must(save_cursor(sql, "c1", "primary", "token", kNow));
        must(save_events(sql, "c1", "primary", "ann", {{.id = "e1"}}, "run"));
        return set_last_synced(sql, "c1", "ann", kNow + 1min);
    });
}

Connection ann(test::Scene& scene) {
    return must(find_connection(scene.reader(), "ann", "google", "primary")).value();
}

}  // namespace

TEST_CASE("connections: a grant comes back as it was stored, with generation 1") {
    test::Scene scene;
    const auto row = ann(scene);
    const auto given = test::make_connection("c1", "ann");
    CHECK(row.id == "c1");
    CHECK(row.external_id == given.external_id);
    CHECK(row.email == given.email);
    CHECK(row.calendar_id == "primary");
    CHECK(row.purpose == "full");
    CHECK(row.sync_enabled);
    CHECK(row.sync_mode == "one_way");
    CHECK(row.state == "active");
    CHECK(row.scopes == given.scopes);
    CHECK(row.sealed_access_token == given.sealed_access_token);
    CHECK(row.sealed_refresh_token == given.sealed_refresh_token);
    CHECK(row.token_type == "Bearer");
    CHECK(row.token_expires_at == given.token_expires_at);
    CHECK(row.generation == 1);
    CHECK_FALSE(row.last_synced_at);
    CHECK(row.connected_at == kNow);
}

TEST_CASE("connections: a new grant of the same account keeps the id and what was synced") {
    test::Scene scene;
    add_synced_data(scene);
    scene.write([](Sql& sql) {
        return set_connection_state(sql, "c1", "ann", 1, "needs_reauth", "Connect again.", kNow);
    });
    auto grant = test::make_connection("other-id", "ann");
    grant.sealed_access_token = "v1:k1:new";
    grant.calendar_id = "ignored: the person chose before";
    const auto stored = scene.write([&](Sql& sql) { return store_grant(sql, grant); });
    CHECK(stored.id == "c1");
    CHECK(stored.generation == 2);
    const auto row = ann(scene);
    CHECK(row.id == "c1");
    CHECK(row.generation == 2);
    CHECK(row.state == "active");
    CHECK(row.last_error.empty());
    CHECK(row.sealed_access_token == "v1:k1:new");
    CHECK(row.calendar_id == "primary");
    CHECK(row.last_synced_at == kNow + 1min);
    CHECK(must(find_cursor(scene.reader(), "c1", "primary")) == "token");
    CHECK(must(count_events(scene.reader(), "c1")) == 1);
    CHECK(must(list_calendars(scene.reader(), "c1", "ann")).size() == 1);
}

TEST_CASE("connections: a grant of another account drops what was read from the old one") {
    test::Scene scene;
    add_synced_data(scene);
    auto grant = test::make_connection("other-id", "ann");
    grant.external_id = "g-2";
    grant.calendar_id = "work";
    const auto stored = scene.write([&](Sql& sql) { return store_grant(sql, grant); });
    CHECK(stored.id == "c1");
    CHECK(stored.generation == 2);
    CHECK(ann(scene).calendar_id == "work");
    CHECK_FALSE(ann(scene).last_synced_at);
    CHECK_FALSE(must(find_cursor(scene.reader(), "c1", "primary")));
    CHECK(must(count_events(scene.reader(), "c1")) == 0);
    CHECK(must(list_calendars(scene.reader(), "c1", "ann")).empty());
}

TEST_CASE("connections: what a person chose stays for the same account, not for another") {
    test::Scene scene;
    CHECK_FALSE(ann(scene).busy_calendars);
    const auto chosen = scene.write([](Sql& sql) {
        return choose(sql, "c1", "ann",
                      {.sync_enabled = false, .busy_calendars = std::vector<std::string>{"a", "b"}},
                      kNow + 1min);
    });
    REQUIRE(chosen);
    CHECK(chosen->state == "paused");
    CHECK(chosen->updated_at == kNow + 1min);
    auto grant = test::make_connection("other-id", "ann");
    scene.write([&](Sql& sql) { return store_grant(sql, grant); });
    CHECK(ann(scene).busy_calendars == std::vector<std::string>{"a", "b"});
    CHECK(ann(scene).state == "paused");
    CHECK(must(list_unplanned_connections(scene.reader())).empty());
    CHECK(scene.write([](Sql& sql) {
        return store_tokens(sql, "c1", "ann", 2, {"v1:k1:a2", "", std::nullopt}, kNow);
    }));
    CHECK(ann(scene).state == "paused");  // a refresh does not wake it
    grant.external_id = "g-2";
    grant.account_data = R"({"url":"https://cloud.example/"})";
    scene.write([&](Sql& sql) { return store_grant(sql, grant); });
    CHECK_FALSE(ann(scene).busy_calendars);
    CHECK(ann(scene).state == "active");
    CHECK(ann(scene).account_data == grant.account_data);
}

TEST_CASE("connections: another calendar for bookings drops what was read from the old one") {
    test::Scene scene;
    add_synced_data(scene);
    const auto pick = [&](ConnectionChoice choice) {
        return scene.write([&](Sql& sql) { return choose(sql, "c1", "ann", choice, kNow); });
    };
    pick({.calendar_id = "primary"});
    CHECK(must(count_events(scene.reader(), "c1")) == 1);
    CHECK(ann(scene).last_synced_at == kNow + 1min);
    pick({.calendar_id = "work"});
    CHECK(ann(scene).calendar_id == "work");
    CHECK_FALSE(ann(scene).last_synced_at);
    CHECK(must(count_events(scene.reader(), "c1")) == 0);
    CHECK_FALSE(must(find_cursor(scene.reader(), "c1", "primary")));
    CHECK(must(list_calendars(scene.reader(), "c1", "ann")).size() == 1);
}

TEST_CASE("connections: pausing a connection that is broken does not hide it") {
    test::Scene scene;
    scene.write([](Sql& sql) {
        return set_connection_state(sql, "c1", "ann", 1, "needs_reauth", "Gone.", kNow);
    });
    for (const bool is_on : {false, true}) {
        scene.write(
            [&](Sql& sql) { return choose(sql, "c1", "ann", {.sync_enabled = is_on}, kNow); });
        CHECK(ann(scene).state == "needs_reauth");
        CHECK(ann(scene).sync_enabled == is_on);
    }
}

TEST_CASE("connections: tokens are stored only by who knows the generation") {
    test::Scene scene;
    const Tokens fresh{"v1:k1:a2", "v1:k1:r2", kNow + 2h};
    const auto store = [&](std::int64_t generation, const Tokens& tokens) {
        return scene.write([&](Sql& sql) {
            return store_tokens(sql, "c1", "ann", generation, tokens, kNow + 1min);
        });
    };
    CHECK_FALSE(store(0, fresh));
    CHECK(ann(scene).sealed_access_token == "v1:k1:aa:bb:cc");
    scene.write([](Sql& sql) {
        return set_connection_state(sql, "c1", "ann", 1, "error", "The network is down.", kNow);
    });
    CHECK(store(1, fresh));
    CHECK_FALSE(store(1, {"v1:k1:late", "", kNow}));
    auto row = ann(scene);
    CHECK(row.sealed_access_token == "v1:k1:a2");
    CHECK(row.sealed_refresh_token == "v1:k1:r2");
    CHECK(row.token_expires_at == kNow + 2h);
    CHECK(row.generation == 2);
    CHECK(row.state == "active");
    CHECK(row.last_error.empty());
    CHECK(row.updated_at == kNow + 1min);
    CHECK(store(2, {"v1:k1:a3", "", std::nullopt}));
    row = ann(scene);
    CHECK(row.sealed_access_token == "v1:k1:a3");
    CHECK(row.sealed_refresh_token == "v1:k1:r2");
    CHECK_FALSE(row.token_expires_at);
}

TEST_CASE("connections: a state set by who knows an old grant changes nothing") {
    test::Scene scene;
    const auto set = [&](std::int64_t generation) {
        return scene.write([&](Sql& sql) {
            return set_connection_state(sql, "c1", "ann", generation, "needs_reauth", "Gone.",
                                        kNow);
        });
    };
    CHECK_FALSE(set(2));
    CHECK(ann(scene).state == "active");
    CHECK(set(1));
    CHECK(ann(scene).state == "needs_reauth");
    CHECK(ann(scene).last_error == "Gone.");
    CHECK(ann(scene).generation == 1);
}

TEST_CASE("connections: nobody reaches another's row") {
    test::Scene scene;
    add_synced_data(scene);
    scene.write([](Sql& sql) {
        return enqueue_job(sql, {.id = "j", .kind = "sync", .target = "c1", .user_id = "ann"});
    });
    CHECK_FALSE(must(find_connection(scene.reader(), "bob", "c1")));
    CHECK_FALSE(must(find_connection(scene.reader(), "bob", "google", "primary")));
    CHECK(must(list_connections(scene.reader(), "bob")).empty());
    CHECK(must(list_connections(scene.reader(), "ann")).size() == 1);
    CHECK(must(list_calendars(scene.reader(), "c1", "bob")).empty());
    const auto before = ann(scene);
    CHECK_FALSE(scene.write(
        [](Sql& sql) { return store_tokens(sql, "c1", "bob", 1, {"x", "y", kNow}, kNow); }));
    CHECK_FALSE(scene.write(
        [](Sql& sql) { return set_connection_state(sql, "c1", "bob", 1, "error", "x", kNow); }));
    scene.write([](Sql& sql) { return set_last_synced(sql, "c1", "bob", kNow + 9h); });
    scene.write([](Sql& sql) { return set_last_error(sql, "c1", "bob", "x", kNow); });
    CHECK_FALSE(
        scene.write([](Sql& sql) { return choose(sql, "c1", "bob", {.calendar_id = "x"}, kNow); }));
    CHECK_FALSE(scene.write([](Sql& sql) { return delete_connection(sql, "bob", "c1"); }));
    CHECK_FALSE(scene.write([](Sql& sql) {
        return replace_sealed(
            sql, {"connections", "sealed_access_token", "c1", "c1", "bob", "v1:k1:aa:bb:cc"}, "x");
    }));
    CHECK(scene.try_write([](Sql& sql) { return replace_calendars(sql, "c1", "bob", {}); })
              .error()
              .code == ErrorCode::not_found);
    CHECK(scene
              .try_write([](Sql& sql) {
                  return save_events(sql, "c1", "primary", "bob", {{.id = "x"}}, "r");
              })
              .error()
              .code == ErrorCode::not_found);
    const auto after = ann(scene);
    CHECK(after.sealed_access_token == before.sealed_access_token);
    CHECK(after.state == before.state);
    CHECK(after.calendar_id == before.calendar_id);
    CHECK(after.last_error == before.last_error);
    CHECK(after.last_synced_at == before.last_synced_at);
    CHECK(must(count_events(scene.reader(), "c1")) == 1);
    CHECK(must(find_job(scene.reader(), "ann", "sync", "c1")));
}

TEST_CASE("connections: the row takes its calendars, events and waiting jobs along") {
    test::Scene scene;
    add_synced_data(scene);
    scene.write([](Sql& sql) -> Result<void> {
        must(enqueue_job(sql, {.id = "j1", .kind = "sync", .target = "c1", .user_id = "ann"}));
        must(test::claim_job(sql, "word", kNow, kNow + 1min));
        return enqueue_job(sql, {.id = "j2", .kind = "push", .target = "c1", .user_id = "ann"});
    });
    CHECK(scene.write([](Sql& sql) { return delete_connection(sql, "ann", "c1"); }));
    for (const std::string_view table : {"connections", "calendars", "cursors", "events"}) {
        CAPTURE(table);
        CHECK(scene.count("SELECT count(*) FROM " + std::string(table)) == 0);
    }
    CHECK(must(find_job(scene.reader(), "ann", "sync", "c1")));  // it runs: let it end
    CHECK_FALSE(must(find_job(scene.reader(), "ann", "push", "c1")));
    CHECK_FALSE(scene.write([](Sql& sql) { return delete_connection(sql, "ann", "c1"); }));
}
