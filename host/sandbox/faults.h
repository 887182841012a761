/// What the simulated provider breaks on order.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "net/message.h"

namespace calhost::sandbox {

struct Fault {
    enum class Kind {
        status,      ///< `status` with the provider's body, nothing happens
        delay,       ///< waits, then serves
        stall,       ///< waits, then resets without an effect
        truncate,    ///< serves, half of the body arrives
        reset,       ///< no answer, no effect
        html,        ///< 200 with a page instead of JSON
        lost_reply,  ///< the effect stays, the answer does not arrive
    };
    Kind kind = Kind::status;
    std::string method;       ///< empty: any
    std::string path = "*";   ///< with `*` for any characters
    int skip = 0;             ///< matching requests that pass first
    std::optional<int> left;  ///< how often it still acts; none: until it is removed
    int status = 503;
    std::string reason;
    std::string retry_after;  ///< "30" seconds, or "date:30" for the same as an HTTP date
    std::string body;         ///< instead of the provider's body
    milliseconds delay{0};
};

/// *Thread*: one.
class Faults {
  public:
    /// *Errors*: invalid, naming the member.
    Result<void> add(const boost::json::value& order);
    /// The first fault in line for a request, used up by one.
    std::optional<Fault> take(std::string_view method, std::string_view path);
    void clear() { faults_.clear(); }
    [[nodiscard]] boost::json::array to_json() const;

  private:
    std::vector<Fault> faults_;
};

/// Gives a refusal the fault's own body and Retry-After.
void dress(net::Response& response, const Fault& fault, Timestamp now);

}  // namespace calhost::sandbox
