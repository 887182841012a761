// Leases of access tokens: who gets one, of whom, and what is never handed out.
#include "api/callers.h"
#include "storage/audit.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

/// ada has connected Google, and the application reaches her.
class Lender : public Callers {
  public:
    Lender() {
        host.connect(person);
        const auto list = TestHost::body(host.call("GET", "/api/calendar/connections", person));
        connection_id = json::text_of(list.at("connections").at(0), "id");
    }
    net::Response lease(const net::Headers& who, const std::string& id) {
        return host.call("POST", "/api/calendar/connections/" + id + "/lease", who);
    }
    net::Response lease(const net::Headers& who) { return lease(who, connection_id); }
    std::string stored(std::string_view column) {
        auto row = must(storage::find_connection(host.sql(), person_id, connection_id)).value();
        const auto sealed =
            column == "sealed_access_token" ? row.sealed_access_token : row.sealed_refresh_token;
        const auto opened =
            host.keys().current()->open(sealed, {"connections", column, row.id, row.user_id});
        return std::string(opened.value().expose());
    }
    std::string connection_id;
};

TEST_CASE("lease: an application gets a token of its user's connection, and no refresh token") {
    Lender lender;
    const auto key = lender.key_of_application({"tokens:lease"});
    const auto key_id = lender.last_key_id;
    const auto answer = lender.lease(key);
    REQUIRE(answer.status == 200);
    CHECK(answer.headers.get("Cache-Control") == "no-store");
    CHECK(TestHost::text(answer, "access_token") == lender.stored("sealed_access_token"));
    CHECK_FALSE(answer.body.contains(lender.stored("sealed_refresh_token")));
    const auto body = TestHost::body(answer).as_object();
    CHECK(body.size() == 3);
    CHECK(parse_rfc3339(TestHost::text(answer, "expires_at")).value() > lender.host.time.now());
    CHECK_FALSE(body.at("scopes").as_array().empty());
    const auto log = must(storage::list_audit(lender.host.sql(), {.action = "token.leased"}, 10));
    REQUIRE(log.size() == 1);
    CHECK(log.front().actor == "application:app");
    CHECK(log.front().user_id == lender.person_id);
    CHECK(log.front().subject == lender.connection_id);
    CHECK(log.front().request_id == "test");
    CHECK(log.front().details.contains(key_id));
    CHECK_FALSE(log.front().details.contains(lender.stored("sealed_access_token")));
}

TEST_CASE("lease: a token that ends soon is refreshed first") {
    Lender lender;
    const auto key = lender.key_of_application({"tokens:lease"});
    const auto first = TestHost::text(lender.lease(key), "access_token");
    lender.host.time.advance(50min);
    CHECK(TestHost::text(lender.lease(key), "access_token") == first);
    lender.host.time.advance(6min);
    const auto next = lender.lease(key);
    CHECK(TestHost::text(next, "access_token") != first);
    CHECK(parse_rfc3339(TestHost::text(next, "expires_at")).value() >
          lender.host.time.now() + 50min);
    CHECK(effects_of(lender.host, "token.refresh") == 1);
}

TEST_CASE("lease: everybody else is refused, and another's connection is not there") {
    Lender lender;
    const auto key = lender.key_of_application({"tokens:lease"});
    CHECK(lender.lease({}).status == 401);
    for (const auto& who : {lender.person, lender.admin, lender.key_of(lender.person_id, {"user"}),
                            lender.key_of_application({"bookings:write", "bookings:read"}),
                            lender.key_of_application({"tokens:lease"}, {"outlook"})})
        CHECK(word_of(lender.lease(who)) == "403 forbidden");
    CHECK(lender.lease(lender.key_of_application({"tokens:lease"}, {"outlook", "google"})).status ==
          200);
    CHECK(word_of(lender.lease(key, "nothing")) == "404 not_found");
    lender.write([&](storage::Sql& sql) -> Result<void> {
        return storage::insert_application(sql, {.id = "other", .name = "other"});
    });
    const auto stranger = lender.key({.application_id = "other", .scopes = {"tokens:lease"}});
    CHECK(word_of(lender.lease(stranger)) == "404 not_found");
    lender.write([&](storage::Sql& sql) -> Result<void> {
        must(storage::add_application_user(sql, "other", lender.person_id));
        must(storage::remove_application_user(sql, "app", lender.person_id));
        return {};
    });
    CHECK(lender.lease(stranger).status == 200);
    CHECK(word_of(lender.lease(key)) == "404 not_found");
}

TEST_CASE("lease: a grant that ended says so, a password is never lent") {
    Lender lender;
    const auto key = lender.key_of_application({"tokens:lease"});
    const auto set = [&](std::string_view statement) {
        lender.write([&](storage::Sql& sql) -> Result<void> {
            must(sql.execute(statement));
            return {};
        });
        lender.host.worker().keeper().forget(lender.connection_id);
    };
    set("UPDATE connections SET state = 'needs_reauth'");
    CHECK(word_of(lender.lease(key)) == "409 needs_reauth");
    set("UPDATE connections SET state = 'active', account_data = '{}'");
    CHECK(word_of(lender.lease(key)) == "422 unsupported");
    set("UPDATE connections SET account_data = '', provider = 'unknown'");
    CHECK(word_of(lender.lease(key)) == "422 unsupported");
    CHECK(must(storage::list_audit(lender.host.sql(), {.action = "token.leased"}, 10)).empty());
}

TEST_CASE("lease: ten at once and then one a second") {
    Lender lender;
    const auto key = lender.key_of_application({"tokens:lease"});
    auto& context = lender.host.worker().context();
    context.options.requests_per_second = 100;
    context.limits = api::Limits(100, lender.host.time);
    for (int i = 0; i < 10; ++i) CHECK(lender.lease(key).status == 200);
    const auto late = lender.lease(key);
    CHECK(word_of(late) == "429 rate_limited");
    CHECK(late.headers.get("Retry-After") == "2");
    lender.host.time.advance(1100ms);
    CHECK(lender.lease(key).status == 200);
}

TEST_CASE("lease: a repeated call gets a token, which is stored for nobody") {
    Lender lender;
    const auto key = Callers::once(lender.key_of_application({"tokens:lease"}), "k1");
    CHECK(lender.lease(key).status == 200);
    CHECK(lender.lease(key).status == 200);
    CHECK(lender.count("SELECT count(*) FROM idempotency_keys") == 0);
}

}  // namespace
