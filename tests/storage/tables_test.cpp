// The smaller tables: states, links, pending grants, sync runs, a plugin's keys.
#include <doctest/doctest.h>

#include "storage/oauth_states.h"
#include "storage/plugin_store.h"
#include "storage/rows.h"
#include "storage/sync_runs.h"

using namespace calhost;
using namespace calhost::storage;
using test::kNow;
using test::must;
using namespace std::chrono_literals;

TEST_CASE("oauth states: one is used once, before it expires") {
    test::Scene scene;
    const OauthState state{.hash = "h",
                           .user_id = "ann",
                           .provider = "google",
                           .account = "primary",
                           .purpose = "full",
                           .redirect_uri = "https://x/cb",
                           .return_to = "/calls",
                           .flow = "json",
                           .browser_hash = "b",
                           .sealed_verifier = "v1:k1:x",
                           .created_at = kNow,
                           .expires_at = kNow + 10min};
    scene.write([&](Sql& sql) { return insert_oauth_state(sql, state); });
    const auto use = [&](std::string_view hash, Timestamp now) {
        return scene.write([&](Sql& sql) { return use_oauth_state(sql, hash, now); });
    };
    CHECK_FALSE(use("unknown", kNow));
    CHECK_FALSE(use("h", kNow + 10min));
    CHECK(use("h", kNow + 9min));
    CHECK_FALSE(use("h", kNow + 9min));
    const auto row = must(find_oauth_state(scene.reader(), "h")).value();
    CHECK(row.used_at == kNow + 9min);
    CHECK(row.user_id == "ann");
    CHECK(row.provider == "google");
    CHECK(row.account == "primary");
    CHECK(row.purpose == "full");
    CHECK(row.redirect_uri == "https://x/cb");
    CHECK(row.return_to == "/calls");
    CHECK(row.flow == "json");
    CHECK(row.browser_hash == "b");
    CHECK(row.sealed_verifier == "v1:k1:x");
    CHECK(row.created_at == kNow);
    CHECK(row.expires_at == kNow + 10min);
    scene.write([](Sql& sql) { return release_oauth_state(sql, "h"); });
    CHECK(use("h", kNow + 9min));
}

TEST_CASE("connect links: one is taken once, before it expires, and old ones are cleared away") {
    test::Scene scene;
    scene.write([](Sql& sql) -> Result<void> {
        for (const char* hash : {"a", "b"})
            must(insert_connect_link(sql, {.hash = hash,
                                           .user_id = "ann",
                                           .provider = "google",
                                           .account = "primary",
                                           .purpose = "full",
                                           .return_to = "/x",
                                           .expires_at = kNow + 10min}));
        return insert_oauth_state(sql, {.hash = "s", .user_id = "ann", .expires_at = kNow + 10min});
    });
    const auto take = [&](Timestamp now) {
        return scene.write([&](Sql& sql) { return take_connect_link(sql, "a", now); });
    };
    CHECK_FALSE(take(kNow + 10min));
    const auto link = take(kNow);
    REQUIRE(link);
    CHECK(link->user_id == "ann");
    CHECK(link->provider == "google");
    CHECK(link->return_to == "/x");
    CHECK_FALSE(take(kNow));
    const auto clear = [&](Timestamp now) {
        return scene.write([&](Sql& sql) { return delete_expired_states(sql, now); });
    };
    CHECK(clear(kNow + 9min) == 0);
    CHECK(clear(kNow + 10min) == 2);
}

TEST_CASE("pending grants: one answer counts, expired ones are listed until they are taken") {
    test::Scene scene;
    scene.write([](Sql& sql) -> Result<void> {
        for (int i = 0; i < 3; ++i)
            must(insert_pending_grant(sql, {.hash = std::to_string(i),
                                            .user_id = "ann",
                                            .provider = "google",
                                            .account = "primary",
                                            .sealed_grant = "v1:k1:x",
                                            .expires_at = kNow + i * 1min}));
        return {};
    });
    CHECK(must(find_pending_grant(scene.reader(), "2"))->sealed_grant == "v1:k1:x");
    const auto take = [&] {
        return scene.write([](Sql& sql) { return take_pending_grant(sql, "2"); });
    };
    CHECK(take()->user_id == "ann");
    CHECK_FALSE(take());
    CHECK(must(list_expired_grants(scene.reader(), kNow, 9)).size() == 1);
    CHECK(must(list_expired_grants(scene.reader(), kNow + 1h, 9)).size() == 2);
    CHECK(must(list_expired_grants(scene.reader(), kNow + 1h, 1))[0].hash == "0");
}

TEST_CASE("sync runs: each tells how it ended, newest first, and only so many are kept") {
    test::Scene scene;
    const auto make = [](int i) {
        return SyncRun{.id = "r" + std::to_string(i),
                       .connection_id = "c1",
                       .user_id = "ann",
                       .trigger = "manual",
                       .kind = "full",
                       .started_at = kNow + i * 1min,
                       .status = "running"};
    };
    scene.write([&](Sql& sql) -> Result<void> {
        for (int i = 0; i < 5; ++i) must(insert_sync_run(sql, make(i)));
        auto run = make(4);
        run.status = "done";
        run.kind = "incremental";
        run.finished_at = kNow + 1h;
        run.created = 1, run.updated = 2, run.deleted = 3;
        must(finish_sync_run(sql, run));
        run = make(3);
        run.user_id = "bob";
        run.status = "done";
        return finish_sync_run(sql, run);  // not bob's
    });
    CHECK(scene.write([](Sql& sql) { return fail_interrupted_runs(sql, kNow + 2h); }) == 4);
    auto runs = must(list_sync_runs(scene.reader(), "ann", 2));
    REQUIRE(runs.size() == 2);
    CHECK(runs[0].id == "r4");
    CHECK(runs[0].status == "done");
    CHECK(runs[0].trigger == "manual");
    CHECK(runs[0].kind == "incremental");
    CHECK(runs[0].finished_at == kNow + 1h);
    CHECK(runs[0].created == 1);
    CHECK(runs[0].updated == 2);
    CHECK(runs[0].deleted == 3);
    CHECK(runs[1].status == "failed");
    CHECK(runs[1].finished_at == kNow + 2h);
    CHECK(runs[1].error == "unavailable: The host ended while this sync ran.");
    CHECK(must(list_sync_runs(scene.reader(), "bob", 9)).empty());
    scene.write([](Sql& sql) { return trim_sync_runs(sql, "c1", 3); });
    runs = must(list_sync_runs(scene.reader(), "ann", 9));
    REQUIRE(runs.size() == 3);
    CHECK(runs[2].id == "r2");
}

TEST_CASE("plugin store: keys are each plugin's own and end with their time") {
    test::Scene scene;
    const auto get = [&](std::string_view plugin, Timestamp now) {
        return must(get_plugin_value(scene.reader(), plugin, "k", now));
    };
    const auto put = [&](std::string_view value, std::optional<Timestamp> expires_at) {
        scene.write(
            [&](Sql& sql) { return put_plugin_value(sql, "a", "k", value, expires_at, kNow); });
    };
    put("1", kNow + 1s);
    CHECK(get("a", kNow) == "1");
    CHECK_FALSE(get("b", kNow));
    CHECK_FALSE(get("a", kNow + 1s));
    put("2", std::nullopt);
    CHECK(get("a", kNow + 1000h) == "2");
    const auto remove = [&](std::string_view plugin) {
        return scene.write([&](Sql& sql) { return delete_plugin_value(sql, plugin, "k"); });
    };
    CHECK_FALSE(remove("b"));
    CHECK(remove("a"));
    CHECK_FALSE(get("a", kNow));
}
