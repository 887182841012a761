/// What is behind a simulated provider, and what each provider adds to what all share.
#pragma once

#include "calendar/event.h"
#include "sandbox/grants.h"
#include "sandbox/provider.h"
#include "sandbox/world.h"

namespace calhost::sandbox {

struct Provider::Parts {
    Parts(World& the_world, Grants& the_grants) : world(the_world), grants(the_grants) {}
    virtual ~Parts() = default;
    Parts(const Parts&) = delete;

    World& world;
    Grants& grants;

    /// Answers without faults and latency. *Ownership*: the request outlives the answer.
    virtual Task<net::Response> answer(const net::Request& request) = 0;
    /// The answer of a `status` fault, in the provider's shape.
    virtual net::Response refusal(const Fault& fault, const net::Request& request) = 0;
    /// A refusal that comes before everything else, such as too many calls at once. `in_flight`
    /// counts the calls that are not answered yet by what `lane` names.
    virtual std::string lane(const net::Request& /*request*/) { return {}; }
    virtual std::optional<net::Response> throttle(const net::Request& /*request*/,
                                                  const std::string& /*lane*/, int /*in_flight*/) {
        return std::nullopt;
    }

    /// The ids that an account and its first calendar have, from one start to the next as well.
    virtual std::string subject_of(const std::string& email) = 0;
    virtual std::string primary_id_of(const std::string& email) = 0;
    /// The last word on a new account.
    virtual void prepare(Account& /*account*/) {}
    /// Stores an event of the calendar room as the account's own; false for one that is refused.
    virtual bool store(Account& account, Calendar& calendar, const calendar::Event& event,
                       std::string id, const std::string& series_id) = 0;
    /// An event as the person edits it in the provider's own pages: no scopes, no conditions.
    virtual net::Response edit_event(Account& account, Calendar& calendar, std::string event_id,
                                     const net::Request& request) = 0;
    /// Control calls about an account that only this provider has.
    virtual std::optional<net::Response> control_account(Account& /*account*/,
                                                         std::string_view /*word*/,
                                                         const boost::json::value& /*body*/) {
        return std::nullopt;
    }
    /// Forgets what only this provider keeps.
    virtual void reset() = 0;

    std::map<std::string, int> in_flight;  ///< by lane
};

/// Turns events of the calendar room into the account's own. Gives how many were stored.
int import_events(Provider::Parts& parts, Account& account,
                  const std::vector<calendar::Event>& events);

/// Serves the control API.
net::Response serve_control(Provider& provider, Provider::Parts& parts,
                            const net::Request& request);

}  // namespace calhost::sandbox
