// Every kind of caller against every guard.
#include "api/callers.h"

using namespace calhost;
using namespace calhost::test;

namespace {

Task<net::Response> say_who(api::Context& /*context*/, net::Request& /*request*/,
                            accounts::Principal principal) {
    co_return net::Response::json(200, {{"who", principal.name()},
                                        {"user", principal.user_id},
                                        {"application", principal.application_id}});
}

/// A route behind each guard.
class Gate : public Callers {
  public:
    Gate() {
        auto& router = host.worker().router();
        auto& context = host.worker().context();
        const auto add = [&](std::string path, net::Handler handler) {
            router.add({"GET", std::move(path), std::move(handler), {}});
        };
        add("/gate/user", api::signed_in(context, say_who));
        add("/gate/application", api::for_application(context, "bookings:write", say_who));
        add("/gate/known", api::for_anyone_known(context, "bookings:write", say_who));
        add("/gate/admin", api::for_admin(context, say_who));
    }

    /// "200 403 401 200" of the four guards.
    std::string statuses(const net::Headers& who) {
        std::string text;
        for (const auto* path : {"/gate/user", "/gate/application", "/gate/known", "/gate/admin"})
            text += std::to_string(host.call("GET", path, who).status) + " ";
        return text;
    }
};

TEST_CASE("guards: every kind of caller against every one of them") {
    Gate gate;
    struct Case {
        const char* name;
        net::Headers who;
        std::string user_application_known_admin;
    };
    const std::vector<Case> cases{
        {"nobody", {}, "401 401 401 401 "},
        {"a token that is none", {{"Authorization", "Bearer x"}}, "401 401 401 401 "},
        {"a key that nobody has",
         {{"Authorization", "Bearer calhost_" + std::string(43, 'x')}},
         "401 401 401 401 "},
        {"a user", gate.person, "200 403 200 403 "},
        {"an admin", gate.admin, "200 403 200 200 "},
        {"an application with the scope",
         gate.key_of_application({"users:manage", "bookings:write"}), "403 200 200 403 "},
        {"an application with another scope", gate.key_of_application({"bookings:read"}),
         "403 403 403 403 "},
        {"an application with a part of the scope", gate.key_of_application({"bookings"}),
         "403 403 403 403 "},
        {"an application without scopes", gate.key_of_application({}), "403 403 403 403 "},
        {"an application that calls itself a user and an admin",
         gate.key_of_application({"user", "admin"}), "403 403 403 403 "},
        {"a user's own key", gate.key_of(gate.person_id, {"user"}), "200 403 200 403 "},
        {"a user's key with the scope", gate.key_of(gate.person_id, {"bookings:write"}),
         "403 403 200 403 "},
        {"a user's key with another scope", gate.key_of(gate.person_id, {"bookings:read"}),
         "403 403 403 403 "},
        {"a user's key without scopes", gate.key_of(gate.person_id, {}), "403 403 403 403 "},
        {"a user's key that says admin", gate.key_of(gate.person_id, {"admin"}),
         "403 403 403 403 "},
        {"an admin's key for himself", gate.key_of(gate.admin_id, {"user"}), "200 403 200 403 "},
        {"an admin's key for the role", gate.key_of(gate.admin_id, {"admin"}), "403 403 403 200 "},
    };
    for (const auto& row : cases) {
        CAPTURE(row.name);
        CHECK(gate.statuses(row.who) == row.user_application_known_admin);
    }
    CHECK(word_of(gate.host.call("GET", "/gate/application", gate.person)) == "403 forbidden");
}

TEST_CASE("guards: a function learns who calls") {
    Gate gate;
    const auto application = gate.key_of_application({"bookings:write"});
    auto who = TestHost::body(gate.host.call("GET", "/gate/known", application));
    CHECK(who == json::value{{"who", "application:app"}, {"user", ""}, {"application", "app"}});
    who =
        TestHost::body(gate.host.call("GET", "/gate/known", gate.key_of(gate.person_id, {"user"})));
    CHECK(who == json::value{{"who", "user:" + gate.person_id},
                             {"user", gate.person_id},
                             {"application", ""}});
}

TEST_CASE("guards: a removed key, application, user or role counts at once") {
    Gate gate;
    const auto application = gate.key_of_application({"bookings:write"});
    const auto first_id = gate.last_key_id;
    const auto second = gate.key_of_application({"bookings:write"});
    const auto users = gate.key_of(gate.person_id, {"user"});
    const auto users_id = gate.last_key_id;
    const auto admins = gate.key_of(gate.admin_id, {"admin"});
    for (const auto& who : {application, second, users, admins})
        CHECK(gate.statuses(who).contains("200"));
    const auto refused = std::string("401 401 401 401 ");
    gate.write([&](storage::Sql& sql) -> Result<void> {
        must(storage::delete_key_of_application(sql, "app", first_id));
        must(storage::delete_key_of_user(sql, gate.person_id, users_id));
        must(storage::change_user(sql, gate.admin_id, {.role = "mentor"}));
        return {};
    });
    CHECK(gate.statuses(application) == refused);
    CHECK(gate.statuses(users) == refused);
    CHECK(gate.statuses(second) == "403 200 200 403 ");
    CHECK(gate.statuses(admins) == "403 403 403 403 ");
    CHECK(gate.statuses(gate.admin) == "200 403 200 403 ");
    gate.write([&](storage::Sql& sql) -> Result<void> {
        must(storage::delete_application(sql, "app"));
        must(storage::delete_user(sql, gate.admin_id));
        return {};
    });
    CHECK(gate.statuses(second) == refused);
    CHECK(gate.statuses(admins) == refused);
}

TEST_CASE("guards: each caller has his own bucket, and a refused one pays too") {
    TestHost host({.adjust = [](config::Settings& s) { s.server.requests_per_second = 1; },
                   .runs_jobs = false});
    const auto person = host.sign_up("ada@example.org");
    auto made = accounts::make_key({.application_id = "app", .scopes = {"bookings:read"}},
                                   host.time.now(), host.random);
    must(host.time.wait(host.worker().database().write([&](storage::Sql& sql) -> Result<void> {
        must(storage::insert_application(sql, {.id = "app", .name = "shop"}));
        return storage::insert_api_key(sql, made.row);
    })));
    const net::Headers application{
        {"Authorization", "Bearer " + std::string(made.secret.expose())}};
    host.worker().router().add(
        {"GET", "/gate", api::signed_in(host.worker().context(), say_who), {}});
    for (int i = 0; i < 10; ++i) CHECK(host.call("GET", "/gate", application).status == 403);
    const auto late = host.call("GET", "/gate", application);
    CHECK(word_of(late) == "429 rate_limited");
    CHECK(late.headers.has("Retry-After"));
    CHECK(host.call("GET", "/gate", person).status == 200);
}

}  // namespace
