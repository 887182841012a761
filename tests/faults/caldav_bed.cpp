// CalDAV: the real Radicale on loopback, the host's own client, a calendar for each bed.
#include "faults/bed.h"
#include "plugin/caldav_world.h"

namespace calhost::test {
namespace {

/// One server for all beds that live at the same time.
std::shared_ptr<CaldavWorld> shared_world() {
    static std::weak_ptr<CaldavWorld> last;
    auto world = last.lock();
    if (!world) last = world = std::make_shared<CaldavWorld>(CaldavServer::Kind::radicale);
    return world;
}

class CaldavBed final : public Bed {
  public:
    CaldavBed() {
        auto loaded =
            plugin::Provider::load({"caldav", "providers/caldav/provider.lua", caldav_code()},
                                   {transport_, world_->clock, world_->timers, world_->random});
        REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
        provider_ = std::move(*loaded);
        static int count = 0;
        calendar_ = "/ann/bed" + std::to_string(++count) + "/";
        REQUIRE(world_->other("MKCALENDAR", calendar_) == 201);
        world_->discover();
    }
    plugin::Provider& provider() override { return *provider_; }
    plugin::Access& access() override { return world_->access; }
    [[nodiscard]] std::string calendar() const override { return calendar_; }
    [[nodiscard]] Timestamp now() const override { return world_->clock.now(); }
    void let_time_pass() override {}
    /// RFC 4918 section 14.5: `word` is the precondition that failed.
    [[nodiscard]] net::ClientResponse refusal(int status, std::string_view word) const override {
        const std::string condition = word.empty() ? "" : "<" + std::string(word) + "/>";
        return {status,
                {{"Content-Type", "application/xml"}},
                "<?xml version=\"1.0\"?><error xmlns=\"DAV:\">" + condition + "</error>"};
    }

  protected:
    void run(Task<> task) override { world_->wait(std::move(task)); }

  private:
    std::shared_ptr<CaldavWorld> world_ = shared_world();
    BrokenTransport transport_{*world_->transport, wire};
    std::unique_ptr<plugin::Provider> provider_;
    std::string calendar_;
};

}  // namespace

std::unique_ptr<Bed> make_caldav_bed() { return std::make_unique<CaldavBed>(); }

}  // namespace calhost::test
