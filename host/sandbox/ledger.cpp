#include "sandbox/ledger.h"

#include <boost/json.hpp>

namespace calhost::sandbox {

void Ledger::add(Effect effect) { effects_.emplace_back(clock_->now(), std::move(effect)); }

void Ledger::add_request(std::string_view method, std::string_view path, int status) {
    ++request_count_;
    requests_.push_back({std::string(method), std::string(path), status, clock_->now()});
    if (requests_.size() > kMaxRequests) requests_.pop_front();
}

boost::json::object Ledger::to_json(std::size_t since) const {
    boost::json::array effects;
    for (std::size_t i = since; i < effects_.size(); ++i) {
        const auto& [time, effect] = effects_[i];
        effects.push_back(boost::json::object{{"number", i},
                                              {"time", format_rfc3339(time)},
                                              {"method", effect.method},
                                              {"account", effect.account},
                                              {"calendar", effect.calendar},
                                              {"event", effect.event_id},
                                              {"key", effect.key},
                                              {"detail", effect.detail},
                                              {"live", effect.live}});
    }
    boost::json::array requests;
    for (const auto& request : requests_)
        requests.push_back(boost::json::object{{"time", format_rfc3339(request.time)},
                                               {"method", request.method},
                                               {"path", request.path},
                                               {"status", request.status}});
    return {{"effects", std::move(effects)},
            {"next", effects_.size()},
            {"requests", std::move(requests)},
            {"request_count", request_count_}};
}

void Ledger::clear() {
    effects_.clear();
    requests_.clear();
    request_count_ = 0;
}

}  // namespace calhost::sandbox
