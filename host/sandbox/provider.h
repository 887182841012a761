/// What a simulated provider is to those who hold it, whichever it plays: requests go in, faults
/// and latency come on top, and a control API says what it is to be.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "net/message.h"

namespace calhost::sandbox {

struct Options {
    std::string client_id = "sandbox-client";
    std::string client_secret = "sandbox-secret";
    /// Exact redirect URIs; empty: any loopback address (http://127.0.0.1, http://localhost).
    std::vector<std::string> redirect_uris;
    std::string issuer = "http://127.0.0.1:8080/sandbox/google";  ///< where it is mounted
    milliseconds token_life{3'600'000};
    milliseconds code_life{600'000};
    /// Sync tokens of another generation are gone: a program whose calendars are filled anew at
    /// each start gives another one each time.
    std::uint64_t first_generation = 1;
};

/// What a fault does to the connection; only an in-process transport can carry it out in full.
enum class Cut {
    none,
    truncate,  ///< the headers promise more than the body brings
    reset,     ///< no answer at all
};

struct Outcome {
    net::Response response;
    Cut cut = Cut::none;
};

/// *Thread*: one at a time (the program keeps it on one worker and hops there).
class Provider {
  public:
    virtual ~Provider();

    /// Serves one request whose path begins behind the mount ("/token"). A server cannot cut its
    /// own connection, so a truncated answer becomes half a body and a reset an empty one.
    Task<net::Response> handle(net::Request& request);
    /// The same for a transport in process, which can cut.
    Task<Outcome> serve(net::Request& request);
    /// The control API, behind its mount ("/accounts", "/faults", "/latency"…): accounts, events,
    /// faults, latency, the ledger of effects. See sandbox/README.md for every call.
    Task<net::Response> control(net::Request& request);

    /// An account with a primary calendar.
    void add_account(std::string email, std::string name, std::string time_zone = "Etc/UTC");
    /// Fills the account's primary calendar from an iCalendar file's text. Gives how many events.
    /// *Errors*: not_found (account), invalid (no iCalendar).
    Result<int> load_icalendar(std::string_view email, std::string_view text);
    /// A few events around `now` for the demo account: single, series, moved occurrence, all-day.
    void add_demo_events(std::string_view email);
    /// Who granted what, as JSON, so that a restarted sandbox knows the host's tokens. Text that is
    /// no such JSON is ignored.
    [[nodiscard]] std::string save_grants() const;
    void restore_grants(std::string_view text);
    /// Every message about a change is handed to `deliver`; without one it is only recorded.
    void on_notification(std::function<void(net::ClientRequest)> deliver);

    struct Parts;

  protected:
    explicit Provider(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace calhost::sandbox
