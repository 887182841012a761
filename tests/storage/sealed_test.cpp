#include "storage/sealed.h"

#include <doctest/doctest.h>

#include "storage/applications.h"
#include "storage/connections.h"
#include "storage/idempotency.h"
#include "storage/jobs.h"
#include "storage/oauth_states.h"
#include "storage/rows.h"

using namespace calhost;
using namespace calhost::storage;
using test::must;

namespace {

using Counts = std::vector<std::pair<std::string, std::int64_t>>;

/// One value of each kind under k1; the scene's connection c1 of ann has two.
void seal_everything(test::Scene& scene) {
    scene.write([](Sql& sql) {
        return insert_oauth_state(sql,
                                  {.hash = "s", .user_id = "ann", .sealed_verifier = "v1:k1:v"});
    });
    scene.write([](Sql& sql) {
        return insert_pending_grant(sql,
                                    {.hash = "p", .user_id = "ann", .sealed_grant = "v1:k1:g"});
    });
    scene.write([](Sql& sql) {
        return enqueue_job(sql,
                           {.id = "j", .kind = "revoke", .target = "c9", .payload = "v1:k1:t"});
    });
    scene.write([](Sql& sql) {
        return insert_application(sql,
                                  {.id = "a", .name = "shop", .sealed_webhook_secret = "v1:k1:w"});
    });
    scene.write([](Sql& sql) {
        return claim_call(
            sql, {.id = "i", .fence = "f", .sealed_call = "v1:k1:c", .expires_at = test::kNow},
            Timestamp{});
    });
}

}  // namespace

TEST_CASE("sealed: values of every table are found, counted and replaced") {
    test::Scene scene;
    seal_everything(scene);
    CHECK(must(count_sealed_by_key(scene.reader())) == Counts{{"k1", 7}});
    CHECK(must(list_sealed_with_other_key(scene.reader(), "k1", 9)).empty());
    const auto values = must(list_sealed_with_other_key(scene.reader(), "k2", 9));
    REQUIRE(values.size() == 7);
    for (const auto& value : values)
        CHECK(scene.write([&](Sql& sql) { return replace_sealed(sql, value, "v1:k2:new"); }));
    CHECK(must(count_sealed_by_key(scene.reader())) == Counts{{"k2", 7}});
}

TEST_CASE("sealed: a job's value is bound to its target, the others to their rows") {
    test::Scene scene;
    seal_everything(scene);
    for (const auto& value : must(list_sealed_with_other_key(scene.reader(), "k2", 9))) {
        CAPTURE(value.table);
        CHECK(value.row == (value.table == "jobs" ? "c9" : value.key));
        const bool is_of_nobody = value.table == "jobs" || value.table == "applications" ||
                                  value.table == "idempotency_keys";
        CHECK(value.user == (is_of_nobody ? "" : "ann"));
    }
}

TEST_CASE("sealed: a newer value is never overwritten") {
    test::Scene scene;
    const auto values = must(list_sealed_with_other_key(scene.reader(), "k2", 9));
    REQUIRE(values.size() == 2);
    scene.write([](Sql& sql) {
        return store_tokens(sql, "c1", "ann", 1, {"v1:k1:newer", "", {}}, Timestamp{});
    });
    CHECK_FALSE(scene.write([&](Sql& sql) { return replace_sealed(sql, values[0], "v1:k2:x"); }));
    CHECK(must(count_sealed_by_key(scene.reader())) == Counts{{"k1", 2}});
}

TEST_CASE("sealed: the older form and a key whose id begins like the active one are found") {
    test::Scene scene;
    auto old_form = test::make_connection("c2", "ann");
    old_form.account = "source";
    old_form.sealed_access_token = "aa:bb:cc";
    old_form.sealed_refresh_token = "";
    scene.write([&](Sql& sql) { return store_grant(sql, old_form); });
    CHECK(must(list_sealed_with_other_key(scene.reader(), "k1", 9)).size() == 1);
    CHECK(must(list_sealed_with_other_key(scene.reader(), "k", 9)).size() == 3);
    CHECK(must(count_sealed_by_key(scene.reader())) == Counts{{"", 1}, {"k1", 2}});
}
