/// What happened: every effect on the simulated provider, and the last requests. Tests read it to
/// see what reached the other side, whatever the host believes.
#pragma once

#include <boost/json/object.hpp>
#include <deque>
#include <string>
#include <vector>

#include "base/time.h"

namespace calhost::sandbox {

struct Effect {
    std::string method;    ///< "events.insert", "token.refresh", "mail", "notify"…
    std::string account;   ///< e-mail
    std::string calendar;  ///< empty for what concerns no calendar
    std::string event_id;
    std::string key;  ///< the event's private extended properties as "name=value" lines, or its UID
    std::string detail;    ///< sendUpdates, a mail's receiver, a notification's address
    std::size_t live = 0;  ///< events of the calendar that are not cancelled, afterwards
};

/// *Thread*: one.
class Ledger {
  public:
    explicit Ledger(const Clock& clock) : clock_(&clock) {}

    void add(Effect effect);
    void add_request(std::string_view method, std::string_view path, int status);
    /// {"effects": […], "requests": […], "next": n}; effects from number `since` on.
    [[nodiscard]] boost::json::object to_json(std::size_t since) const;
    void clear();

  private:
    struct Request {
        std::string method;
        std::string path;
        int status = 0;
        Timestamp time;
    };
    static constexpr std::size_t kMaxRequests = 10'000;

    const Clock* clock_;
    std::vector<std::pair<Timestamp, Effect>> effects_;
    std::deque<Request> requests_;
    std::size_t request_count_ = 0;
};

}  // namespace calhost::sandbox
