/// providers/outlook with a mailbox of the simulated Graph, in process.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "calendar/recurrence.h"
#include "calendar/zone.h"
#include "plugin/bench.h"
#include "sandbox/graph_bed.h"
#include "support/sandbox_transport.h"

namespace calhost::test {

using sandbox::graph_test::GraphBed;
using sandbox::graph_test::kEve;

class GraphAccess final : public plugin::Access {
  public:
    explicit GraphAccess(const GraphBed& bed) : bed_(&bed) {}
    Task<Result<Secret>> token(bool was_refused) override {
        if (was_refused) co_return fail(ErrorCode::needs_reauth, "The grant is gone.");
        co_return Secret(bed_->token);
    }
    [[nodiscard]] std::optional<Timestamp> blocked_until() const override { return std::nullopt; }
    Task<> block_until(Timestamp /*when*/) override { co_return; }
    [[nodiscard]] const std::string& connection_id() const override { return id_; }

  private:
    const GraphBed* bed_;
    std::string id_ = "c1";
};

inline std::string provider_code() {
    std::ostringstream text;
    text << std::ifstream(CALHOST_SOURCE_DIR "/providers/outlook/provider.lua").rdbuf();
    return text.str();
}

inline constexpr calendar::Window kWindow{
    Timestamp{std::chrono::sys_days{std::chrono::year{2026} / 11 / 1}},
    Timestamp{std::chrono::sys_days{std::chrono::year{2027} / 2 / 1}}};

/// A mailbox, the provider, and the person who edits in Outlook itself.
struct Mailbox {
    Mailbox() {
        bed->headers.set("Prefer", "IdType=\"ImmutableId\"");
        auto loaded =
            plugin::Provider::load({"outlook", "providers/outlook/provider.lua", provider_code()},
                                   {transport, bed->time, bed->time, bed->random});
        REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
        provider = std::move(*loaded);
        const json::object endpoints{{"api", "http://sandbox.test/v1.0"},
                                     {"userinfo", "http://sandbox.test/oidc/userinfo"}};
        plugin::apply_section(provider->info(), {{"endpoints", endpoints}},
                              {{"tenant", "common"}, {"endpoints", endpoints}});
        transport.after = [this](const net::ClientRequest& request,
                                 SandboxTransport::Answer& answer) -> Task<void> {
            requests.push_back(request);
            if (on_answer) on_answer(request, answer);
            co_return;
        };
    }

    template <class T>
    T wait(Task<Result<T>> task) {
        auto done = bed->time.wait(std::move(task));
        REQUIRE_MESSAGE(done.has_value(), done.error().message);
        if constexpr (!std::is_void_v<T>) return std::move(*done);
    }
    template <class T>
    std::string refused(Task<Result<T>> task) {
        return outcome_of(bed->time.wait(std::move(task)));
    }

    /// Every page from `cursor` on, which moves to the end.
    plugin::Changes pull() {
        plugin::Changes all;
        std::optional<std::string> page;
        do {
            auto part = wait(provider->list_changes(access, "primary", cursor, page, window));
            std::ranges::move(part.events, std::back_inserter(all.events));
            std::ranges::move(part.deleted, std::back_inserter(all.deleted));
            std::ranges::move(part.whole, std::back_inserter(all.whole));
            all.unreadable += part.unreadable;
            page = part.page;
            all.cursor = part.cursor;
        } while (page);
        cursor = all.cursor;
        return all;
    }
    calendar::Event get(const std::string& id) {
        return wait(provider->get_event(access, "primary", id));
    }
    plugin::Written create(const calendar::Event& event, const std::string& key = "key-1") {
        return wait(provider->create_event(access, "primary", event, key));
    }
    std::vector<calendar::Event> list() {
        auto page = wait(provider->list_events(access, "primary", window, std::nullopt));
        REQUIRE_FALSE(page.page.has_value());
        return page.events;
    }
    /// "2026-11-27T10:00:00 2026-12-04T10:00:00" of what happens.
    std::string starts() {
        std::string text;
        for (const auto& event : list())
            text += (text.empty() ? "" : " ") + (event.is_all_day()
                                                     ? calendar::format_date(event.start.date)
                                                     : calendar::format_local(event.start.local));
        return text;
    }
    std::size_t count(std::string_view method, std::string_view part) {
        return static_cast<std::size_t>(std::ranges::count_if(requests, [&](const auto& request) {
            return request.method == method && request.url.find(part) != std::string::npos;
        }));
    }
    json::object graph(std::string method, const std::string& path, std::string body = {},
                       int status = 200) {
        return bed->ask(std::move(method), "/v1.0/me" + path, std::move(body), status);
    }

    std::unique_ptr<GraphBed> bed = GraphBed::connected();
    SandboxTransport transport{bed->graph, bed->time};
    GraphAccess access{*bed};
    std::unique_ptr<plugin::Provider> provider;
    std::vector<net::ClientRequest> requests;
    std::function<void(const net::ClientRequest&, SandboxTransport::Answer&)> on_answer;
    calendar::Window window = kWindow;
    std::optional<std::string> cursor;
};

inline calendar::EventTime at(std::string_view local, std::string zone = "Europe/Berlin") {
    return *calendar::make_local(*calendar::parse_local(local), std::move(zone));
}
inline calendar::EventTime on(std::string_view date) {
    return calendar::make_date(*calendar::parse_date(date));
}
inline calendar::Event lunch() {
    calendar::Event event;
    event.title = "Lunch";
    event.start = at("2026-11-27T12:00:00");
    event.finish = at("2026-11-27T13:00:00");
    return event;
}
inline calendar::Event weekly() {
    auto event = lunch();
    event.recurrence = calendar::Recurrence{.rrule = "FREQ=WEEKLY;BYDAY=FR;COUNT=4"};
    return event;
}
inline const std::string kWeekly = sandbox::graph_test::series(
    R"("type":"weekly","interval":1,"daysOfWeek":["friday"],"firstDayOfWeek":"monday")",
    R"("type":"numbered","startDate":"2026-11-27","numberOfOccurrences":4)");

}  // namespace calhost::test
