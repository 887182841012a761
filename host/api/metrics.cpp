#include "api/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>

namespace calhost::api {
namespace {

constexpr std::array kClasses{"1xx", "2xx", "3xx", "4xx", "5xx"};

}  // namespace

struct Metrics::Impl {
    prometheus::Registry registry;
    std::array<prometheus::Counter*, 5> requests{};
    prometheus::Counter* good_syncs = nullptr;
    prometheus::Counter* failed_syncs = nullptr;
    prometheus::Family<prometheus::Gauge>* connections = nullptr;
    prometheus::Family<prometheus::Gauge>* jobs = nullptr;

    Impl() {
        auto& answered = prometheus::BuildCounter()
                             .Name("calhost_http_requests_total")
                             .Help("Answers by status class")
                             .Register(registry);
        for (std::size_t i = 0; i < kClasses.size(); ++i)
            requests.at(i) = &answered.Add({{"status", kClasses.at(i)}});
        auto& syncs = prometheus::BuildCounter()
                          .Name("calhost_syncs_total")
                          .Help("Syncs by result")
                          .Register(registry);
        good_syncs = &syncs.Add({{"result", "done"}});
        failed_syncs = &syncs.Add({{"result", "failed"}});
        connections = &prometheus::BuildGauge()
                           .Name("calhost_connections")
                           .Help("Connections by state")
                           .Register(registry);
        jobs = &prometheus::BuildGauge()
                    .Name("calhost_jobs")
                    .Help("Jobs by status")
                    .Register(registry);
    }

    /// Every known value is set, so that a state that emptied does not keep its old number.
    static void read(storage::Sql& sql, std::string_view query, std::string_view label,
                     std::initializer_list<const char*> known,
                     prometheus::Family<prometheus::Gauge>& family) {
        const std::string name(label);
        for (const auto* value : known) family.Add({{name, value}}).Set(0);
        const auto done = sql.query(query, {}, [&](const storage::Row& row) {
            family.Add({{name, row.string(0)}}).Set(static_cast<double>(row.integer(1)));
        });
        static_cast<void>(done);  // a store that does not answer shows in /readyz
    }
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::count_request(int status) {
    const auto index = static_cast<std::size_t>(std::clamp(status / 100, 1, 5)) - 1;
    impl_->requests.at(index)->Increment();
}

void Metrics::count_sync(bool is_good) {
    (is_good ? impl_->good_syncs : impl_->failed_syncs)->Increment();
}

std::string Metrics::text(storage::Sql& sql) {
    Impl::read(sql, "SELECT state, count(*) FROM connections GROUP BY state", "state",
               {"active", "needs_reauth", "error", "paused"}, *impl_->connections);
    Impl::read(sql, "SELECT status, count(*) FROM jobs GROUP BY status", "status",
               {"waiting", "paused", "running", "dead"}, *impl_->jobs);
    return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace calhost::api
