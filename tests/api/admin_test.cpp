// Keys of one's own, applications and users: who manages what.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "accounts/applications.h"
#include "api/callers.h"
#include "storage/audit.h"

using namespace calhost;
using namespace calhost::test;

namespace {

net::Headers bearer(const std::string& key) { return {{"Authorization", "Bearer " + key}}; }

std::string ids(const net::Response& response, std::string_view list) {
    std::string text;
    const auto body = TestHost::body(response);
    for (const auto& row : body.at(list).as_array())
        text += std::string(json::text_of(row, "id")) + " ";
    return text;
}

/// No file of the store has the secret, nor a piece of it.
void check_hidden(Callers& callers, const std::string& secret) {
    for (const auto& file : std::filesystem::directory_iterator(callers.host.folder.path())) {
        std::ostringstream bytes;
        bytes << std::ifstream(file.path(), std::ios::binary).rdbuf();
        CHECK_FALSE(bytes.str().contains(secret.substr(8, 24)));
    }
}

/// What is logged while it lives.
struct Log {
    Log() {
        log::set_sink([this](std::string_view line) { lines += line; }, log::Echo::off);
    }
    ~Log() { log::set_sink({}); }
    std::string lines;
};

TEST_CASE("keys: a person makes one, sees its secret once, and ends it") {
    Callers callers;
    const auto made = callers.send("POST", "/auth/keys", callers.person, {{"name", "laptop"}});
    REQUIRE(made.status == 201);
    CHECK(made.headers.get("Cache-Control") == "no-store");
    const auto key = TestHost::text(made, "key");
    const auto id = TestHost::text(made, "id");
    CHECK(accounts::is_api_key(key));
    CHECK(TestHost::body(made).at("scopes") == json::value{"user"});
    CHECK(TestHost::text(callers.send("GET", "/auth/me", bearer(key)), "id") == callers.person_id);
    const auto list = callers.send("GET", "/auth/keys", callers.person);
    CHECK(ids(list, "keys") == id + " ");
    CHECK_FALSE(list.body.contains(key));
    CHECK(TestHost::body(list).at("next_cursor").is_null());
    check_hidden(callers, key);
    CHECK(callers.send("DELETE", "/auth/keys/" + id, callers.person).status == 200);
    CHECK(callers.send("GET", "/auth/me", bearer(key)).status == 401);
    CHECK(word_of(callers.send("DELETE", "/auth/keys/" + id, callers.person)) == "404 not_found");
}

TEST_CASE("secrets: neither a key nor a webhook secret is in the store or in the log") {
    const Log log;
    Callers callers;
    const auto key = TestHost::text(
        callers.send("POST", "/auth/keys", callers.person, {{"name", "laptop"}}), "key");
    callers.send("GET", "/auth/me", bearer(key));
    callers.send("GET", "/api/admin/users", bearer(key));
    auto& services = callers.host.worker().services();
    accounts::Applications applications(services.database, services.keys, services.clock,
                                        services.random);
    const auto secret =
        must(callers.host.time.wait(applications.make_webhook_secret("app", {"operator"})));
    for (const auto& text : {key, std::string(secret.expose())}) {
        check_hidden(callers, text);
        CHECK_FALSE(log.lines.contains(text.substr(8, 24)));
    }
    const auto shown = callers.send("GET", "/api/admin/applications/app", callers.admin);
    CHECK(TestHost::body(shown).at("has_webhook_secret") == true);
    CHECK_FALSE(shown.body.contains(std::string(secret.expose())));
}

TEST_CASE("keys: another's key is not there, and a key manages no keys") {
    Callers callers;
    const auto made = callers.send("POST", "/auth/keys", callers.person, json::object{});
    const auto id = TestHost::text(made, "id");
    CHECK(ids(callers.send("GET", "/auth/keys", callers.admin), "keys").empty());
    CHECK(word_of(callers.send("DELETE", "/auth/keys/" + id, callers.admin)) == "404 not_found");
    const auto with_key = bearer(TestHost::text(made, "key"));
    for (const auto& [method, path] : std::vector<std::pair<std::string, std::string>>{
             {"GET", "/auth/keys"}, {"POST", "/auth/keys"}, {"DELETE", "/auth/keys/" + id}})
        CHECK(word_of(callers.send(method, path, with_key, json::object{})) == "403 forbidden");
    CHECK(callers.send("GET", "/auth/me", with_key).status == 200);
}

TEST_CASE("keys: a key never gets more than its user may") {
    Callers callers;
    struct Case {
        json::value scopes;
        bool person, admin;
    };
    for (const auto& row : std::vector<Case>{{json::array{"user"}, true, true},
                                             {json::array{"bookings:read"}, true, true},
                                             {json::array{"admin"}, false, true},
                                             {json::array{"user", "admin"}, false, true},
                                             {json::array{"bookings:write"}, false, false},
                                             {json::array{"tokens:lease"}, false, false},
                                             {json::array{"users:manage"}, false, false},
                                             {json::array{"everything"}, false, false},
                                             {json::array{}, false, false},
                                             {"user", false, false}}) {
        CAPTURE(json::serialize(row.scopes));
        const auto ask = [&](const net::Headers& who) {
            return callers.send("POST", "/auth/keys", who, {{"scopes", row.scopes}}).status;
        };
        CHECK(ask(callers.person) == (row.person ? 201 : 422));
        CHECK(ask(callers.admin) == (row.admin ? 201 : 422));
    }
}

TEST_CASE("keys: fifty are enough, and pages meet each of them once") {
    Callers callers;
    for (int i = 0; i < 50; ++i)
        CHECK(callers.send("POST", "/auth/keys", callers.person, json::object{}).status == 201);
    CHECK(word_of(callers.send("POST", "/auth/keys", callers.person, json::object{})) ==
          "409 conflict");
    std::string seen, query = "?limit=7";
    for (int page = 0; page < 10; ++page) {
        const auto list = callers.send("GET", "/auth/keys" + query, callers.person);
        seen += ids(list, "keys");
        if (TestHost::body(list).at("next_cursor").is_null()) break;
        query = "?limit=7&cursor=" + TestHost::text(list, "next_cursor");
    }
    CHECK(seen == ids(callers.send("GET", "/auth/keys?limit=200", callers.person), "keys"));
    CHECK(std::ranges::count(seen, ' ') == 50);
    CHECK(callers.send("GET", "/auth/keys?cursor=x", callers.person).status == 422);
}

TEST_CASE("keys: a repeated call is told so instead of making a second key") {
    Callers callers;
    const auto who = Callers::once(callers.person, "k1");
    const auto made = callers.send("POST", "/auth/keys", who, json::object{});
    CHECK(made.status == 201);
    CHECK(word_of(callers.send("POST", "/auth/keys", who, json::object{})) ==
          "409 idempotency_answer_not_kept");
    CHECK(callers.count("SELECT count(*) FROM api_keys") == 1);
    check_hidden(callers, TestHost::text(made, "key"));
}

TEST_CASE("applications: an administrator makes one, lists it, shows it, ends it") {
    Callers callers;
    const std::string all = "/api/admin/applications";
    const auto made = callers.send("POST", all, callers.admin,
                                   {{"name", "school"},
                                    {"scopes", json::array{"bookings:write", "tokens:lease"}},
                                    {"providers", json::array{"google"}}});
    REQUIRE(made.status == 201);
    CHECK(made.headers.get("Cache-Control") == "no-store");
    const auto key = TestHost::text(made, "key");
    const auto id = TestHost::text(made, "id");
    const auto list = callers.send("GET", all, callers.admin);
    CHECK(ids(list, "applications").contains(id));
    CHECK(TestHost::body(list).at("next_cursor").is_null());
    const auto shown = callers.send("GET", all + "/" + id, callers.admin);
    CHECK(TestHost::text(shown, "name") == "school");
    CHECK(TestHost::body(shown).at("keys").at(0).at("providers") == json::value{"google"});
    CHECK_FALSE(shown.body.contains(key));
    check_hidden(callers, key);
    const auto with_key = bearer(key);
    CHECK(word_of(callers.send("GET", "/auth/me", with_key)) == "403 forbidden");
    CHECK(callers.send("DELETE", all + "/" + id, callers.admin).status == 200);
    CHECK(callers.send("GET", "/auth/me", with_key).status == 401);
    for (const auto* method : {"GET", "DELETE"})
        CHECK(word_of(callers.send(method, all + "/" + id, callers.admin)) == "404 not_found");
}

TEST_CASE("applications: what is wrong is 422 by field, a taken name 409") {
    Callers callers;
    const auto ask = [&](const json::value& body) {
        return word_of(callers.send("POST", "/api/admin/applications", callers.admin, body));
    };
    CHECK(ask(json::object{}) == "422 invalid");
    CHECK(ask({{"name", "x"}, {"scopes", json::array{"nothing"}}}) == "422 invalid");
    CHECK(ask({{"name", "a b"}, {"scopes", json::array{"bookings:read"}}}) == "422 invalid");
    CHECK(ask({{"name", 7}, {"scopes", json::array{"bookings:read"}}}) == "422 invalid");
    CHECK(ask({{"name", "shop"}, {"scopes", json::array{"bookings:read"}}}) ==
          "409 already_exists");
}

TEST_CASE("users: an administrator reads them and says who is verified and what he is") {
    Callers callers;
    const auto list = callers.send("GET", "/api/admin/users?limit=1", callers.admin);
    const auto next = TestHost::text(list, "next_cursor");
    const auto rest = callers.send("GET", "/api/admin/users?cursor=" + next, callers.admin);
    CHECK(ids(list, "users") + ids(rest, "users") ==
          std::min(callers.person_id, callers.admin_id) + " " +
              std::max(callers.person_id, callers.admin_id) + " ");
    const auto one = "/api/admin/users/" + callers.person_id;
    const auto change = [&](const json::value& body) {
        return TestHost::body(callers.send("PATCH", one, callers.admin, body));
    };
    auto user = change({{"email_verified", true}});
    CHECK(user.at("email_verified") == true);
    CHECK(user.at("role") == "mentor");
    user = change({{"role", "admin"}});
    CHECK(user.at("role") == "admin");
    CHECK(user.at("email_verified") == true);
    CHECK(callers.send("GET", "/api/admin/users", callers.person).status == 200);
    CHECK(TestHost::body(callers.send("GET", one, callers.admin)) == user);
    CHECK(callers.send("PATCH", one, callers.admin, {{"email_verified", "yes"}}).status == 422);
    for (const auto* method : {"GET", "PATCH"})
        CHECK(word_of(callers.send(method, "/api/admin/users/nobody", callers.admin,
                                   json::object{})) == "404 not_found");
    CHECK_FALSE(list.body.contains("password"));
}

TEST_CASE("administration: nobody but an administrator") {
    Callers callers;
    const std::vector<std::pair<std::string, std::string>> calls{
        {"GET", "/api/admin/applications"},
        {"POST", "/api/admin/applications"},
        {"GET", "/api/admin/applications/app"},
        {"DELETE", "/api/admin/applications/app"},
        {"GET", "/api/admin/users"},
        {"GET", "/api/admin/users/" + callers.admin_id},
        {"PATCH", "/api/admin/users/" + callers.admin_id}};
    for (const auto& [method, path] : calls) {
        CAPTURE(method);
        CAPTURE(path);
        const json::value body{{"role", "x"}};
        CHECK(callers.send(method, path, {}, body).status == 401);
        CHECK(callers.send(method, path, callers.person, body).status == 403);
        CHECK(
            callers.send(method, path, callers.key_of_application({"users:manage"}), body).status ==
            403);
        CHECK(callers.send(method, path, callers.key_of(callers.admin_id, {"user"}), body).status ==
              403);
    }
    CHECK(callers.count("SELECT count(*) FROM applications") == 1);
    CHECK(callers.count("SELECT count(*) FROM users WHERE role = 'admin'") == 1);
}

TEST_CASE("administration: the audit log hears of keys, applications and users") {
    Callers callers;
    const auto key = callers.send("POST", "/auth/keys", callers.person, json::object{});
    callers.send("DELETE", "/auth/keys/" + TestHost::text(key, "id"), callers.person);
    callers.send("POST", "/api/admin/applications", callers.admin,
                 {{"name", "school"}, {"scopes", json::array{"bookings:read"}}});
    callers.send("PATCH", "/api/admin/users/" + callers.person_id, callers.admin,
                 {{"role", "mentee"}});
    std::string words;
    for (const auto& entry : must(storage::list_audit(callers.host.sql(), {}, 100)))
        if (!entry.action.starts_with("user.registered") && entry.action != "user.signed_in")
            words = entry.action + " " +
                    (entry.actor == "user:" + callers.admin_id ? "admin" : "own") + ", " + words;
    CHECK(words ==
          "key.created own, key.deleted own, application.created admin, user.changed admin, ");
}

}  // namespace
