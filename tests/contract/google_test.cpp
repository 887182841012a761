// The contract, kept by providers/google with the simulated Google.
#include "contract/backend.h"
#include "plugin/bench.h"
#include "sandbox/bed.h"
#include "support/sandbox_transport.h"

using namespace calhost;
using namespace calhost::test;

namespace {

class TokenAccess final : public plugin::Access {
  public:
    explicit TokenAccess(std::string token) : token_(std::move(token)) {}
    Task<Result<Secret>> token(bool) override { co_return Secret(token_); }
    [[nodiscard]] std::optional<Timestamp> blocked_until() const override { return std::nullopt; }
    Task<> block_until(Timestamp) override { co_return; }
    [[nodiscard]] const std::string& connection_id() const override { return id_; }

  private:
    std::string token_;
    std::string id_ = "c1";
};

boost::json::object google_section() {
    const std::string origin(kSandboxOrigin);
    return {{"client_id", "sandbox-client"},
            {"client_secret", "sandbox-secret"},
            {"endpoints",
             {{"authorize", origin + "/o/oauth2/v2/auth"},
              {"token", origin + "/token"},
              {"userinfo", origin + "/v1/userinfo"},
              {"api", origin + "/calendar/v3"}}}};
}

/// The simulated Google with an account that granted everything.
struct GoogleWorld {
    std::unique_ptr<sandbox::Bed> bed = sandbox::Bed::connected(
        "openid email https://www.googleapis.com/auth/calendar.events "
        "https://www.googleapis.com/auth/calendar.calendarlist.readonly "
        "https://www.googleapis.com/auth/calendar.freebusy");
    SandboxTransport transport{bed->google, bed->time};
    TokenAccess account{bed->token};
    Contract contract{source_of("google"),
                      {transport, bed->time, bed->time, bed->random},
                      account,
                      "primary",
                      google_section()};

    GoogleWorld() {
        contract.subject.stage = {
            .expire_cursors = [this] { control("/expire-sync-tokens"); },
            .invite_guest = [this](const std::string& id) { invite(id); },
            .count_mails = [this] { return mails(); },
            .remove_event = [](const std::string&) {},
            .add_declined = [this](const calendar::Event& event) { add_declined(event); },
            .channel_url = "https://calhost.example/hook/google"};
    }

    void control(const std::string& target) {
        const auto answer = bed->control("POST", target, "{}");
        REQUIRE_MESSAGE(answer.status < 300, answer.body);
    }
    void send(const std::string& method, const std::string& target, const std::string& body) {
        const auto answer =
            bed->send(method, "/calendar/v3/calendars/primary/events" + target, body);
        REQUIRE_MESSAGE(answer.status < 300, answer.body);
    }
    void invite(const std::string& id) {
        send("PATCH", "/" + id + "?sendUpdates=none",
             R"({"attendees":[{"email":"guest@elsewhere.example"}]})");
    }
    void add_declined(const calendar::Event& event) {
        send("POST", "",
             R"({"summary":"Declined","attendees":[{"email":"ada@example.com","self":true,)"
             R"("responseStatus":"declined"}],"start":{"dateTime":")" +
                 format_rfc3339(event.start.instant) + R"("},"end":{"dateTime":")" +
                 format_rfc3339(event.finish.instant) + R"("}})");
    }
    std::size_t mails() {
        const auto ledger = sandbox::body_of(bed->control("GET", "/ledger"));
        return static_cast<std::size_t>(std::ranges::count_if(
            ledger.at("effects").as_array(),
            [](const auto& effect) { return json::text_of(effect, "method") == "mail"; }));
    }
    RunCheck runner() {
        return [this](const contract::Check& check, contract::Subject& subject) {
            return bed->time.wait(contract::run_check(check, subject));
        };
    }
};

TEST_CASE("contract: google keeps it") {
    GoogleWorld world;
    expect_contract(world.contract.subject, world.runner(), {});
}

}  // namespace
