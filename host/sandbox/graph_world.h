/// What the simulated Graph has beside what every provider shares.
#pragma once

#include <deque>

#include "sandbox/graph.h"
#include "sandbox/world.h"

namespace calhost::sandbox::graph {

inline constexpr std::string_view kConsumers = "9188040d-6c67-4c5b-b112-36a304b66dad";

struct Subscription {
    std::string id;
    std::string account;
    std::string resource;  ///< as it was given
    std::vector<std::string> changes;
    std::string url;
    std::string lifecycle_url;
    std::string client_state;
    Timestamp expiration;
    bool has_immutable_ids = false;
    bool is_paused = false;  ///< until it is reauthorised
};

/// What a change feed has told its reader, by event id: the version it told, 0 for one that it said
/// is gone.
struct DeltaState {
    std::string account;
    std::string calendar;
    std::uint64_t generation = 0;
    std::uint64_t position = 0;  ///< of the calendar's log
    calendar::Window window;
    std::map<std::string, std::uint64_t> told;
};

/// One round of a change feed: what its pages still say.
struct DeltaRound {
    std::string account;
    std::string path;
    std::vector<boost::json::object> entries;
    DeltaState next;
    std::uint64_t generation = 0;
};

/// Requests of one mailbox in the running ten minutes.
struct Quota {
    Timestamp since;
    int count = 0;
};

/// *Thread*: one.
struct GraphWorld : World {
    using World::World;
    std::vector<Subscription> subscriptions;
    std::map<std::string, DeltaState> deltas;  ///< by token
    std::map<std::string, DeltaRound> rounds;
    std::deque<std::string> delta_tokens;  ///< oldest first: the server keeps so many
    std::deque<std::string> round_tokens;
    std::map<std::string, Quota> quotas;  ///< by mailbox
    Graph::Send validate;

    /// Where the API is mounted.
    [[nodiscard]] std::string api() const { return options.issuer + "/v1.0"; }
};

}  // namespace calhost::sandbox::graph
