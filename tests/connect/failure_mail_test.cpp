// plugins/failure-mail on a whole host: one mail for each time that a calendar stops working.
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

TestHostOptions with_mail() {
    return {.adjust = [](config::Settings& settings) {
        settings.plugins["failure-mail"].values = {{"link", "https://app.example.com/calendars"},
                                                   {"to_unverified", true},
                                                   {"grant", {"mail", "users", "connections"}}};
    }};
}

struct Scene {
    Scene() : host(with_mail()), who(host.sign_up()) { connect(); }
    void connect() {
        REQUIRE(host.connect(who).status == 302);
        pass(1min);
        REQUIRE(state_of(host, who) == "active");
    }
    /// Its owner takes the grant back at Google, and people and jobs try what they try.
    void revoke() {
        control(host, "POST", "/accounts/" + kAda + "/revoke");
        for (int i = 0; i < 5; ++i) {
            CHECK(word_of(sync_now(host, who)) == "409 needs_reauth");
            pass(20min);
        }
    }
    void pass(milliseconds duration) {
        host.time.advance(duration);
        who = host.sign_in();
    }
    std::vector<net::Mail>& mails() { return host.mailbox.mails; }

    LogSink log;
    TestHost host;
    net::Headers who;
};

TEST_CASE("failure-mail: one mail for each time that a calendar stops working") {
    Scene scene;
    CHECK(scene.mails().empty());
    scene.revoke();
    REQUIRE(scene.mails().size() == 1);
    const auto mail = scene.mails().front();
    CHECK(mail.to.email == "ada@example.org");
    CHECK(mail.subject == "Your Google calendar needs you");
    CHECK(mail.text.starts_with("Token expired. Please reconnect your calendar.\n\n"));
    CHECK(mail.text.contains("Account: " + kAda + "\n"));
    CHECK(mail.text.ends_with("https://app.example.com/calendars\n"));
    CHECK_FALSE(scene.log.text.contains("ada@example.org"));

    scene.connect();
    CHECK(scene.mails().size() == 1);
    scene.revoke();
    REQUIRE(scene.mails().size() == 2);
    CHECK(scene.mails().back().key != mail.key);
}

TEST_CASE("failure-mail: a server that is down for an hour loses no mail and doubles none") {
    Scene scene;
    scene.host.mailbox.outcome = fail(ErrorCode::unavailable, "The mail server is down.");
    scene.revoke();
    CHECK(scene.mails().size() > 3);
    scene.host.mailbox.outcome = {};
    scene.mails().clear();
    scene.pass(2h);
    CHECK(scene.mails().size() == 1);
    scene.pass(24h);
    CHECK(scene.mails().size() == 1);
}

TEST_CASE("failure-mail: who connects again before the mail went out gets none") {
    Scene scene;
    scene.host.mailbox.outcome = fail(ErrorCode::unavailable, "The mail server is down.");
    scene.revoke();
    scene.connect();
    scene.host.mailbox.outcome = {};
    scene.mails().clear();
    scene.pass(24h);
    CHECK(scene.mails().empty());
}

}  // namespace
