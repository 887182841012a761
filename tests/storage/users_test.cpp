#include "storage/users.h"

#include <doctest/doctest.h>

#include "storage/events.h"
#include "storage/jobs.h"
#include "storage/oauth_states.h"
#include "storage/plugin_store.h"
#include "storage/rows.h"
#include "storage/sync_runs.h"

using namespace calhost;
using namespace calhost::storage;

TEST_CASE("users: an address is taken whatever its case, and is found so") {
    test::Scene scene;
    const auto found = test::must(find_user_by_email(scene.reader(), "aNN@example.COM"));
    REQUIRE(found);
    CHECK(found->id == "ann");
    const auto taken = scene.try_write(
        [](Sql& sql) { return insert_user(sql, test::make_user("x", "ANN@Example.com")); });
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == ErrorCode::already_exists);
    CHECK(taken.error().message == "This e-mail address is taken.");
    CHECK_FALSE(*find_user(scene.reader(), "x"));
}

TEST_CASE("users: a row comes back as it was written") {
    test::Scene scene;
    auto user = test::make_user("u", "Üser+tag@Example.com");
    user.is_email_verified = false;
    user.role = "";
    scene.write([&](Sql& sql) { return insert_user(sql, user); });
    const auto read = test::must(find_user(scene.reader(), "u")).value();
    CHECK(read.email == user.email);
    CHECK_FALSE(read.is_email_verified);
    CHECK(read.name == user.name);
    CHECK(read.role.empty());
    CHECK(read.time_zone == user.time_zone);
    CHECK(read.created_at == user.created_at);
    scene.write([](Sql& sql) { return update_password_hash(sql, "u", "new"); });
    CHECK(test::must(find_user(scene.reader(), "u"))->password_hash == "new");
    CHECK(test::must(find_user(scene.reader(), "ann"))->password_hash == "$argon2id$x");
    const auto gone =
        scene.try_write([](Sql& sql) { return update_password_hash(sql, "nobody", "new"); });
    CHECK(gone.error().code == ErrorCode::not_found);
}

TEST_CASE("users: everything of a deleted user goes, and nothing of another's") {
    test::Scene scene;
    scene.write([](Sql& sql) -> Result<void> {
        test::must(store_grant(sql, test::make_connection("c2", "bob")));
        for (const std::string_view user : {"ann", "bob"}) {
            const std::string id(user), connection = user == "ann" ? "c1" : "c2";
            test::must(replace_calendars(sql, connection, user, {{.id = "primary"}}));
            test::must(save_cursor(sql, connection, "primary", "t", test::kNow));
            test::must(save_events(sql, connection, "primary", user, {{.id = "e"}}, "r"));
            test::must(insert_sync_run(
                sql, {.id = "run-" + id, .connection_id = connection, .user_id = id}));
            test::must(insert_oauth_state(sql, {.hash = "s-" + id, .user_id = id}));
            test::must(insert_connect_link(sql, {.hash = "l-" + id, .user_id = id}));
            test::must(insert_pending_grant(sql, {.hash = "g-" + id, .user_id = id}));
            test::must(enqueue_job(
                sql, {.id = "j-" + id, .kind = "sync", .target = connection, .user_id = id}));
        }
        return {};
    });
    CHECK(scene.write([](Sql& sql) { return delete_user(sql, "ann"); }));
    for (const std::string_view table :
         {"connections", "calendars", "cursors", "events", "sync_runs", "oauth_states",
          "connect_links", "pending_grants", "jobs", "users"}) {
        CAPTURE(table);
        CHECK(scene.count("SELECT count(*) FROM " + std::string(table)) == 1);
    }
    CHECK(test::must(find_user(scene.reader(), "bob")));
    CHECK_FALSE(scene.write([](Sql& sql) { return delete_user(sql, "ann"); }));
}
