// Who hears of a calendar that needs attention, how often, and what the mail says.
#include "plugin/plugin_bench.h"

using namespace calhost;
using namespace calhost::test;

namespace {

class People final : public TestPowers {
  public:
    Result<std::optional<json::object>> find_user(std::string_view id) override {
        if (id != "u1" || is_gone) return std::nullopt;
        return json::object{
            {"id", "u1"}, {"email", "ann@example.org"}, {"is_email_verified", is_verified}};
    }
    Result<std::optional<json::object>> find_connection(std::string_view id) override {
        if (id != "c1" || state.empty()) return std::nullopt;
        return json::object{
            {"id", "c1"}, {"provider", "google"}, {"email", "ann@gmail.example"}, {"state", state}};
    }
    bool is_verified = true;
    bool is_gone = false;
    std::string state = "needs_reauth";
};

struct Desk : PluginBench {
    explicit Desk(json::object values = {}) {
        settings.paths.plugins = CALHOST_SOURCE_DIR "/plugins";
        if (!values.contains("link")) values["link"] = "https://app.example.com/calendars";
        values["grant"] = json::array{"mail", "users", "connections"};
        name_section("failure-mail", {.values = std::move(values)});
        const auto installed = plugin::discover(settings, time);
        auto loaded =
            plugin::Plugins::load(installed.plugins, environment(), store.database(), people);
        REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
        plugins = std::move(*loaded);
    }
    /// The job of one failure; running it again is another attempt.
    storage::Job failure(const std::string& was = "active") {
        time.wait(time.sleep(milliseconds{1000}));
        const auto jobs = plugins->hook_jobs(
            "connection.failed", "u1/google/primary", "u1",
            {{"state", "needs_reauth"},
             {"was", was},
             {"error", "Google has ended the connection; connect it again."},
             {"connection", {{"id", "c1"}, {"provider", "google"}, {"account", "primary"}}}});
        REQUIRE(jobs.size() == 1);
        return jobs.front();
    }
    std::string run(const storage::Job& job) {
        return outcome_of(time.wait(plugins->run_hook(job)));
    }
    std::string fail_once(const std::string& was = "active") { return run(failure(was)); }

    People people;
};

TEST_CASE("failure-mail: a person hears what happened and where to mend it") {
    Desk desk;
    REQUIRE(desk.fail_once() == "ok");
    REQUIRE(desk.people.mails.size() == 1);
    const auto& mail = desk.people.mails.front();
    CHECK(mail.to == MailAddress{"", "ann@example.org"});
    CHECK(mail.subject == "Your Google calendar needs you");
    CHECK(
        mail.text ==
        "Google has ended the connection; connect it again.\n\n"
        "Account: ann@gmail.example\n"
        "Until then bookings do not reach it. Connect it again here, and what waited is written:\n"
        "https://app.example.com/calendars\n");
    CHECK(net::write_mail(mail, {"", "cal@example.org"}, {}).has_value());
}

TEST_CASE("failure-mail: once for each failure, and the operator too") {
    Desk desk({{"operator", "ops@example.org"}});
    const auto job = desk.failure();
    REQUIRE(desk.run(job) == "ok");
    REQUIRE(desk.people.mails.size() == 2);
    CHECK(desk.people.mails[1].to.email == "ops@example.org");
    CHECK(desk.people.mails[1].subject == "A Google calendar needs attention");
    CHECK(desk.people.mails[1].text.contains("Connection: c1 (google)\nUser: u1\n"));
    CHECK_FALSE(desk.people.mails[1].text.contains("ann@"));
    CHECK(desk.people.mails[0].key != desk.people.mails[1].key);
    // A crash after sending, and one failure that becomes another.
    CHECK(desk.run(job) == "ok");
    CHECK(desk.fail_once("needs_reauth") == "ok");
    CHECK(desk.fail_once("error") == "ok");
    CHECK(desk.people.mails.size() == 2);
    // It worked in between.
    CHECK(desk.fail_once("active") == "ok");
    CHECK(desk.people.mails.size() == 4);
    CHECK(desk.people.mails[2].key != desk.people.mails[0].key);
}

TEST_CASE("failure-mail: nobody hears of what is mended or gone") {
    for (const std::string state : {"active", "paused", ""}) {
        Desk desk({{"operator", "ops@example.org"}});
        desk.people.state = state;
        CHECK(desk.fail_once() == "ok");
        CHECK(desk.people.mails.empty());
    }
}

TEST_CASE("failure-mail: only verified addresses, unless the operator knows better") {
    Desk desk({{"operator", "ops@example.org"}});
    desk.people.is_verified = false;
    CHECK(desk.fail_once() == "ok");
    REQUIRE(desk.people.mails.size() == 1);
    CHECK(desk.people.mails[0].to.email == "ops@example.org");
    CHECK(desk.people.mails[0].text.contains(
        "The person was not told: the mail address is not verified\n"));
    Desk trusting({{"to_unverified", true}});
    trusting.people.is_verified = false;
    CHECK(trusting.fail_once() == "ok");
    CHECK(trusting.people.mails.size() == 1);
    Desk gone;
    gone.people.is_gone = true;
    CHECK(gone.fail_once() == "ok");
    CHECK(gone.people.mails.empty());
}

TEST_CASE("failure-mail: a server that is down is tried again, one that refuses is not") {
    Desk desk({{"operator", "ops@example.org"}});
    const auto job = desk.failure();
    desk.people.mail_outcome = fail(ErrorCode::unavailable, "down");
    CHECK(desk.run(job) == "unavailable: down");
    CHECK(desk.run(job) == "unavailable: down");
    REQUIRE(desk.people.mails.size() == 2);
    CHECK(desk.people.mails[0].key == desk.people.mails[1].key);
    desk.people.mail_outcome = fail(ErrorCode::invalid, "The mail server refuses it (550).");
    CHECK(desk.run(job) == "ok");
    CHECK(desk.people.mails.size() == 4);
    CHECK(desk.log_text.contains("A mail was refused"));
    CHECK_FALSE(desk.log_text.contains("@example.org"));
    CHECK(desk.run(job) == "ok");
    CHECK(desk.people.mails.size() == 4);
    desk.people.mail_outcome = fail(ErrorCode::misconfigured, "no server");
    CHECK(desk.fail_once() == "misconfigured: no server");
}

TEST_CASE("failure-mail: the operator's own words, or ours when they make no sense") {
    Desk own({{"subject", "Kalender {{provider}}"}, {"text", "Hier: {{link}}"}});
    REQUIRE(own.fail_once() == "ok");
    CHECK(own.people.mails.at(0).subject == "Kalender Google");
    CHECK(own.people.mails.at(0).text == "Hier: https://app.example.com/calendars");
    Desk broken({{"text", "Hier: {{link"}});
    REQUIRE(broken.fail_once() == "ok");
    CHECK(broken.people.mails.at(0).text.contains("https://app.example.com/calendars\n"));
    CHECK(broken.log_text.contains("line 1: {{ has no }}"));
}

}  // namespace
