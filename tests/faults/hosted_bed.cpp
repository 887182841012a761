// Google and Outlook: the whole host on virtual time beside the simulated provider.
#include "faults/bed.h"
#include "simulation/quick_hasher.h"
#include "support/scene.h"

namespace calhost::test {
namespace {

class HostedBed : public Bed {
  public:
    HostedBed(std::string provider, const std::string& account)
        : provider_(std::move(provider)),
          host_({.runs_jobs = false, .hasher = simulation::make_quick_hasher()}) {
        who_ = host_.sign_up();
        REQUIRE(host_.connect(who_, account, "?provider=" + provider_).status == 302);
        const auto rows = storage::find_connection_for_job(
            host_.sql(), std::string(json::text_of(connection_of(host_, who_), "id")));
        access_ = std::make_unique<connect::ConnectionAccess>(host_.worker().keeper(), **rows);
        host_.transport.before = [this](net::ClientRequest& request) {
            return wire.before(request);
        };
        host_.transport.after = [this](const net::ClientRequest& request, Answer& answer) {
            return wire.after(request, answer);
        };
    }
    plugin::Provider& provider() override {
        return *host_.worker().services().providers.find(provider_);
    }
    plugin::Access& access() override { return *access_; }
    [[nodiscard]] std::string calendar() const override { return "primary"; }
    [[nodiscard]] Timestamp now() const override { return host_.time.now(); }
    void let_time_pass() override { host_.time.advance(std::chrono::minutes{3}); }

  protected:
    void run(Task<> task) override { host_.time.wait(std::move(task)); }

  private:
    std::string provider_;
    TestHost host_;
    net::Headers who_;
    std::unique_ptr<connect::ConnectionAccess> access_;
};

/// developers.google.com/calendar/api/guides/errors
class GoogleBed final : public HostedBed {
  public:
    GoogleBed() : HostedBed("google", kAda) {}
    [[nodiscard]] net::ClientResponse refusal(int status, std::string_view word) const override {
        const json::object error{
            {"code", status},
            {"message", "…"},
            {"errors", {{{"domain", "calendar"}, {"reason", word}, {"message", "…"}}}}};
        return {
            status, {{"Content-Type", "application/json"}}, json::serialize({{"error", error}})};
    }
};

/// learn.microsoft.com/graph/errors
class OutlookBed final : public HostedBed {
  public:
    OutlookBed() : HostedBed("outlook", "eve@contoso.example") {}
    [[nodiscard]] net::ClientResponse refusal(int status, std::string_view word) const override {
        const json::object error{{"code", word}, {"message", "…"}};
        return {
            status, {{"Content-Type", "application/json"}}, json::serialize({{"error", error}})};
    }
};

}  // namespace

std::unique_ptr<Bed> make_google_bed() { return std::make_unique<GoogleBed>(); }
std::unique_ptr<Bed> make_outlook_bed() { return std::make_unique<OutlookBed>(); }

}  // namespace calhost::test
