// Applications, whom they reach, and the keys of both kinds.
#include "storage/applications.h"

#include <doctest/doctest.h>

#include "storage/api_keys.h"
#include "storage/rows.h"

using namespace calhost;
using namespace calhost::storage;
using test::must;

namespace {

Application application(std::string id, std::string name) {
    return {.id = std::move(id), .name = std::move(name), .created_at = test::kNow};
}

ApiKey key_of_application(std::string id, std::string application_id) {
    return {.id = id,
            .hash = "hash of " + id,
            .application_id = std::move(application_id),
            .name = "server",
            .scopes = {"bookings:read", "tokens:lease"},
            .providers = {"google"},
            .created_at = test::kNow};
}

ApiKey key_of_user(std::string id, std::string user_id) {
    return {.id = id,
            .hash = "hash of " + id,
            .user_id = std::move(user_id),
            .scopes = {"user"},
            .created_at = test::kNow};
}

void add(test::Scene& scene, const Application& row) {
    scene.write([&](Sql& sql) { return insert_application(sql, row); });
}

std::string reached(test::Scene& scene, std::string_view application_id) {
    std::string ids;
    for (const auto& user : must(find_users_of(scene.reader(), application_id, "", 100)))
        ids += user.id + " ";
    return ids;
}

}  // namespace

TEST_CASE("applications: the first gets everybody, a second nobody") {
    test::Scene scene;
    add(scene, application("a1", "shop"));
    CHECK(reached(scene, "a1") == "ann bob ");
    add(scene, application("a2", "school"));
    CHECK(reached(scene, "a2").empty());
    CHECK(must(is_user_of(scene.reader(), "a1", "ann")));
    CHECK_FALSE(must(is_user_of(scene.reader(), "a2", "ann")));
    CHECK_FALSE(must(is_user_of(scene.reader(), "a1", "nobody")));
    CHECK_FALSE(must(is_user_of(scene.reader(), "nothing", "ann")));
}

TEST_CASE("applications: a new user belongs to the only one, and to none of several") {
    test::Scene scene;
    const auto join = [&](const std::string& id) {
        scene.write([&](Sql& sql) { return insert_user(sql, test::make_user(id, id + "@x")); });
    };
    join("carl");
    CHECK(scene.count("SELECT count(*) FROM application_users") == 0);
    add(scene, application("a1", "shop"));
    join("dora");
    CHECK(reached(scene, "a1") == "ann bob carl dora ");
    add(scene, application("a2", "school"));
    join("eve");
    CHECK(reached(scene, "a1") == "ann bob carl dora ");
    CHECK(reached(scene, "a2").empty());
}

TEST_CASE("applications: the operator names whom another one reaches") {
    test::Scene scene;
    add(scene, application("a1", "shop"));
    add(scene, application("a2", "school"));
    const auto name = [&](std::string_view user) {
        return scene.try_write([&](Sql& sql) { return add_application_user(sql, "a2", user); });
    };
    CHECK(name("bob"));
    CHECK(name("bob"));
    CHECK(reached(scene, "a2") == "bob ");
    CHECK(name("nobody").error().code == ErrorCode::conflict);
    const auto remove = [&](std::string_view user) {
        return scene.write([&](Sql& sql) { return remove_application_user(sql, "a2", user); });
    };
    CHECK(remove("bob"));
    CHECK_FALSE(remove("bob"));
    CHECK(reached(scene, "a2").empty());
    CHECK(reached(scene, "a1") == "ann bob ");
}

TEST_CASE("applications: names are taken once, pages go on behind the last id") {
    test::Scene scene;
    add(scene, application("a1", "shop"));
    const auto again = scene.try_write(
        [](Sql& sql) { return insert_application(sql, application("a2", "shop")); });
    CHECK(again.error().code == ErrorCode::already_exists);
    add(scene, application("a2", "school"));
    add(scene, application("a3", "gym"));
    CHECK(must(list_applications(scene.reader(), "", 2)).back().id == "a2");
    const auto rest = must(list_applications(scene.reader(), "a2", 2));
    REQUIRE(rest.size() == 1);
    CHECK(rest.front().name == "gym");
    CHECK(rest.front().created_at == test::kNow);
    CHECK(must(find_application_by_name(scene.reader(), "school"))->id == "a2");
    CHECK_FALSE(must(find_application_by_name(scene.reader(), "Shop")));
}

TEST_CASE("applications: a removed one takes its keys and users with it, and nobody else's") {
    test::Scene scene;
    add(scene, application("a1", "shop"));
    add(scene, application("a2", "school"));
    scene.write([](Sql& sql) -> Result<void> {
        must(add_application_user(sql, "a2", "ann"));
        must(insert_api_key(sql, key_of_application("k1", "a1")));
        must(insert_api_key(sql, key_of_application("k2", "a2")));
        must(insert_api_key(sql, key_of_user("k3", "ann")));
        return {};
    });
    CHECK(scene.write([](Sql& sql) { return delete_application(sql, "a1"); }));
    CHECK_FALSE(scene.write([](Sql& sql) { return delete_application(sql, "a1"); }));
    CHECK_FALSE(must(find_application(scene.reader(), "a1")));
    CHECK_FALSE(must(find_api_key_by_hash(scene.reader(), "hash of k1")));
    CHECK(must(find_api_key_by_hash(scene.reader(), "hash of k2")));
    CHECK(must(find_api_key_by_hash(scene.reader(), "hash of k3")));
    CHECK(scene.count("SELECT count(*) FROM application_users") == 1);
    CHECK(scene.write([](Sql& sql) { return delete_user(sql, "ann"); }));
    CHECK_FALSE(must(find_api_key_by_hash(scene.reader(), "hash of k3")));
    CHECK(scene.count("SELECT count(*) FROM application_users") == 0);
}

TEST_CASE("api keys: a row comes back as it was written") {
    test::Scene scene;
    add(scene, application("a1", "shop"));
    scene.write([](Sql& sql) { return insert_api_key(sql, key_of_application("k1", "a1")); });
    const auto read = must(find_api_key_by_hash(scene.reader(), "hash of k1")).value();
    CHECK(read.id == "k1");
    CHECK(read.application_id == "a1");
    CHECK_FALSE(read.user_id);
    CHECK(read.name == "server");
    CHECK(read.scopes == std::vector<std::string>{"bookings:read", "tokens:lease"});
    CHECK(read.providers == std::vector<std::string>{"google"});
    CHECK(read.created_at == test::kNow);
    scene.write([](Sql& sql) { return insert_api_key(sql, key_of_user("k2", "ann")); });
    const auto users = must(find_api_key_by_hash(scene.reader(), "hash of k2")).value();
    CHECK(users.user_id == "ann");
    CHECK_FALSE(users.application_id);
    CHECK(users.providers.empty());
}

TEST_CASE("api keys: every key has exactly one owner, who exists") {
    test::Scene scene;
    auto nobodys = key_of_user("k1", "ann");
    nobodys.user_id.reset();
    auto both = key_of_user("k1", "ann");
    both.application_id = "a1";
    add(scene, application("a1", "shop"));
    for (const auto& key :
         {nobodys, both, key_of_user("k1", "nobody"), key_of_application("k1", "nothing")})
        CHECK_FALSE(scene.try_write([&](Sql& sql) { return insert_api_key(sql, key); }));
}

TEST_CASE("api keys: only their owner lists and removes them") {
    test::Scene scene;
    add(scene, application("a1", "shop"));
    add(scene, application("a2", "school"));
    scene.write([](Sql& sql) -> Result<void> {
        must(insert_api_key(sql, key_of_user("k1", "ann")));
        must(insert_api_key(sql, key_of_user("k2", "ann")));
        must(insert_api_key(sql, key_of_application("k3", "a1")));
        return {};
    });
    CHECK(must(list_keys_of_user(scene.reader(), "ann", "", 1)).front().id == "k1");
    CHECK(must(list_keys_of_user(scene.reader(), "ann", "k1", 5)).front().id == "k2");
    CHECK(must(list_keys_of_user(scene.reader(), "bob", "", 5)).empty());
    CHECK(must(list_keys_of_application(scene.reader(), "a1")).size() == 1);
    CHECK(must(list_keys_of_application(scene.reader(), "a2")).empty());
    const auto remove_users = [&](std::string_view user, std::string_view id) {
        return scene.write([&](Sql& sql) { return delete_key_of_user(sql, user, id); });
    };
    const auto remove_applications = [&](std::string_view owner, std::string_view id) {
        return scene.write([&](Sql& sql) { return delete_key_of_application(sql, owner, id); });
    };
    CHECK_FALSE(remove_users("bob", "k1"));
    CHECK_FALSE(remove_users("ann", "k3"));
    CHECK_FALSE(remove_applications("a1", "k1"));
    CHECK_FALSE(remove_applications("a2", "k3"));
    CHECK(remove_users("ann", "k1"));
    CHECK(remove_applications("a1", "k3"));
    CHECK(scene.count("SELECT count(*) FROM api_keys") == 1);
}
