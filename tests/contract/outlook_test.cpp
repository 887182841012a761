// The contract, kept by providers/outlook with the simulated Graph.
#include "contract/backend.h"
#include "plugin/bench.h"
#include "sandbox/graph_bed.h"
#include "support/sandbox_transport.h"

using namespace calhost;
using namespace calhost::test;
using sandbox::graph_test::GraphBed;
using sandbox::graph_test::kEve;

namespace {

class GraphAccess final : public plugin::Access {
  public:
    explicit GraphAccess(const GraphBed& bed) : bed_(&bed) {}
    Task<Result<Secret>> token(bool) override { co_return Secret(bed_->token); }
    [[nodiscard]] std::optional<Timestamp> blocked_until() const override { return std::nullopt; }
    Task<> block_until(Timestamp) override { co_return; }
    [[nodiscard]] const std::string& connection_id() const override { return id_; }

  private:
    const GraphBed* bed_;
    std::string id_ = "c1";
};

const boost::json::object kSection{
    {"tenant", "common"},
    {"endpoints",
     {{"api", "http://sandbox.test/v1.0"}, {"userinfo", "http://sandbox.test/oidc/userinfo"}}}};

/// The simulated Graph with a mailbox whose owner granted everything.
struct GraphWorld {
    std::unique_ptr<GraphBed> bed = GraphBed::connected();
    SandboxTransport transport{bed->graph, bed->time};
    GraphAccess account{*bed};
    Contract contract{source_of("outlook"),
                      {transport, bed->time, bed->time, bed->random},
                      account,
                      "primary",
                      kSection};

    GraphWorld() {
        bed->headers.set("Prefer", "IdType=\"ImmutableId\"");
        contract.subject.stage = {
            .expire_cursors = [this] { control("/expire-sync-tokens", "{}"); },
            .invite_guest = [this](const std::string& id) { invite(id); },
            .count_mails = [this] { return mails(); },
            .remove_event = [this](const std::string& id) { remove(id); },
            .add_declined = [this](const calendar::Event& event) { add_declined(event); }};
    }

    void control(const std::string& target, const std::string& body) {
        const auto answer = bed->control("POST", target, body);
        REQUIRE_MESSAGE(answer.status < 300, answer.body);
    }
    /// What the owner does in Outlook itself; the mail of it is not the provider's.
    void invite(const std::string& id) {
        const auto before = mails();
        bed->ask("PATCH", "/v1.0/me/events/" + id,
                 R"({"attendees":[{"type":"required","emailAddress":)"
                 R"({"address":"guest@elsewhere.example","name":"Guest"}}]})");
        foreign_mails += mails() - before;
    }
    void remove(const std::string& id) {
        const auto before = mails();
        REQUIRE(bed->send("DELETE", "/v1.0/me/events/" + id).status == 204);
        foreign_mails += mails() - before;
    }
    void add_declined(const calendar::Event& event) {
        const auto time = [](const calendar::EventTime& when) {
            return R"({"dateTime":")" + format_rfc3339(when.instant).substr(0, 19) +
                   R"(","timeZone":"UTC"})";
        };
        const auto made = bed->ask("POST", "/v1.0/me/events",
                                   R"({"subject":"Declined","start":)" + time(event.start) +
                                       R"(,"end":)" + time(event.finish) + "}",
                                   201);
        control("/accounts/" + std::string(kEve) + "/stage",
                R"({"event":")" + std::string(json::text_of(made, "id")) +
                    R"(","response":"declined"})");
    }
    std::size_t mails() {
        const auto ledger = *json::parse(bed->control("GET", "/ledger").body);
        const auto sent = std::ranges::count_if(
            ledger.at("effects").as_array(),
            [](const auto& effect) { return json::text_of(effect, "method") == "mail"; });
        return static_cast<std::size_t>(sent) - foreign_mails;
    }

    std::size_t foreign_mails = 0;
};

TEST_CASE("contract: outlook keeps it") {
    GraphWorld world;
    expect_contract(world.contract.subject,
                    [&](const contract::Check& check, contract::Subject& subject) {
                        return world.bed->time.wait(contract::run_check(check, subject));
                    },
                    {"a channel opens, is renewed and closes"});
}

}  // namespace
