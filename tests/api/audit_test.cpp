// What people and administrators see of the audit log, and what nobody does.
#include "base/encoding.h"
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;

namespace {

struct Audited {
    Audited() {
        who = host.sign_up("ada@example.org");
        id = TestHost::text(host.call("GET", "/auth/me", who), "id");
    }
    net::Headers admin() {
        auto headers = host.sign_up("root@example.org");
        const auto root = TestHost::text(host.call("GET", "/auth/me", headers), "id");
        must(host.time.wait(host.worker().database().write([&](storage::Sql& sql) -> Result<void> {
            must(storage::change_user(sql, root, {.role = "admin"}));
            return {};
        })));
        host.time.run(std::chrono::seconds{1});
        return headers;
    }
    /// "connection.created user.signed_in …", newest first.
    std::string actions(const net::Headers& caller, const std::string& target = "/api/audit") {
        const auto answer = host.call("GET", target, caller);
        REQUIRE(answer.status == 200);
        const auto body = TestHost::body(answer);
        next = body.at("next_cursor").is_string() ? json::text_of(body, "next_cursor") : "";
        entries = body.at("entries").as_array();
        std::string all;
        for (const auto& entry : entries)
            all += (all.empty() ? "" : " ") + std::string(json::text_of(entry, "action"));
        return all;
    }
    TestHost host;
    net::Headers who;
    std::string id, next;
    json::array entries;
};

TEST_CASE("audit: a person sees what happened to his account, who did it and in which call") {
    Audited it;
    REQUIRE(it.host.connect(it.who).status == 302);
    it.host.time.advance(std::chrono::minutes{1});
    CHECK(it.host.call("DELETE", "/api/calendar/disconnect", it.who).status == 200);
    REQUIRE(it.actions(it.who) ==
            "connection.deleted connection.created user.signed_in user.registered");
    const auto& created = it.entries.at(1);
    CHECK(json::text_of(created, "actor") == "user:" + it.id);
    CHECK(json::text_of(created, "user_id") == it.id);
    CHECK(json::text_of(created, "subject") == json::text_of(it.entries.at(0), "subject"));
    CHECK(created.at("details") ==
          json::object{{"purpose", "full"}, {"provider", "google"}, {"account", "primary"}});
    CHECK(json::text_of(created, "at").starts_with("2026-11-20T09:0"));
    for (const auto& entry : it.entries) CHECK(json::text_of(entry, "request_id") == "test");
}

TEST_CASE("audit: a connection that stops working is told once, by the host") {
    Audited it;
    REQUIRE(it.host.connect(it.who).status == 302);
    it.host.time.advance(std::chrono::minutes{1});
    control(it.host, "POST", "/accounts/" + kAda + "/revoke");
    it.host.time.advance(std::chrono::hours{2});
    it.who = it.host.sign_in();
    for (int i = 0; i < 3; ++i) CHECK(sync_now(it.host, it.who).status != 200);
    REQUIRE(it.actions(it.who).starts_with("connection.failed user.signed_in connection.created"));
    CHECK(json::text_of(it.entries.at(0), "actor") == "host");
    CHECK(json::text_of(it.entries.at(0).at("details"), "state") == "needs_reauth");
    REQUIRE(it.host.connect(it.who).status == 302);
    CHECK(it.actions(it.who).starts_with("connection.created connection.failed"));
}

TEST_CASE("audit: nobody sees another's, an administrator sees all and picks") {
    Audited it;
    const auto bob = it.host.sign_up("bob@example.org");
    CHECK(it.actions(bob) == "user.signed_in user.registered");
    const auto target = std::string("/api/admin/audit");
    CHECK(it.host.call("GET", target, bob).status == 403);
    CHECK(it.host.call("GET", target).status == 401);
    const auto admin = it.admin();
    CHECK(it.actions(admin, target) ==
          "user.signed_in user.registered user.signed_in user.registered user.signed_in "
          "user.registered");
    CHECK(it.actions(admin, target + "?user=" + it.id) == "user.signed_in user.registered");
    CHECK(it.actions(admin, target + "?action=user.registered") ==
          "user.registered user.registered user.registered");
    CHECK(it.actions(admin, target + "?action=user.registered&user=" + it.id) == "user.registered");
}

TEST_CASE("audit: pages hold together while the log grows") {
    Audited it;
    for (int i = 0; i < 3; ++i) it.host.sign_in();
    CHECK(it.actions(it.who, "/api/audit?limit=2") == "user.signed_in user.signed_in");
    it.host.sign_in();
    const auto first_of_next = it.actions(it.who, "/api/audit?limit=2&cursor=" + it.next);
    CHECK(first_of_next == "user.signed_in user.signed_in");
    CHECK(it.actions(it.who, "/api/audit?limit=2&cursor=" + it.next) == "user.registered");
    CHECK(it.next.empty());
    CHECK(it.host.call("GET", "/api/audit?cursor=nonsense", it.who).status == 422);
    CHECK(it.host.call("GET", "/api/audit?limit=201", it.who).status == 422);
}

TEST_CASE("audit: no address and no token is in it, however things went") {
    Audited it;
    const net::Headers form{{"Content-Type", "application/json"}};
    it.host.call("POST", "/auth/token", form,
                 R"({"email":"ada@example.org","password":"c4nary wrong password"})");
    REQUIRE(it.host.connect(it.who).status == 302);
    it.host.time.advance(std::chrono::minutes{1});
    control(it.host, "POST", "/accounts/" + kAda + "/revoke");
    it.host.time.advance(std::chrono::hours{2});
    it.who = it.host.sign_in();
    CHECK(sync_now(it.host, it.who).status != 200);
    REQUIRE(it.host.connect(it.who, kBob).status == 302);
    it.host.call("DELETE", "/api/calendar/disconnect", it.who);
    const auto log = text_in_store(
        it.host,
        "SELECT group_concat(action || actor || subject || details || request_id) FROM audit_log");
    REQUIRE(log.contains("connection.failed"));
    REQUIRE(log.contains("connection.deleted"));
    for (const std::string secret :
         {"ada@", "bob@", "example", "c4nary", "password", "ya29", "v1:"})
        for (const auto& form_of_it : {secret, base64url_encode(secret), hex_encode(secret)}) {
            CAPTURE(form_of_it);
            CHECK_FALSE(log.contains(form_of_it));
        }
}

}  // namespace
