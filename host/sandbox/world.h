/// Everything that the parts of a simulated provider share.
#pragma once

#include <functional>

#include "base/random.h"
#include "sandbox/faults.h"
#include "sandbox/ledger.h"
#include "sandbox/provider.h"
#include "sandbox/store.h"

namespace calhost::sandbox {

/// *Thread*: one.
struct World {
    World(Options given, const Clock& the_clock, Timers& the_timers, Random& the_random)
        : options(std::move(given)),
          clock(the_clock),
          timers(the_timers),
          random(the_random),
          ledger(the_clock) {}

    Options options;
    const Clock& clock;
    Timers& timers;
    Random& random;
    Ledger ledger;
    Faults faults;
    milliseconds latency{0};
    std::map<std::string, Account, std::less<>> accounts;  ///< by e-mail
    std::function<void(net::ClientRequest)> deliver;

    Account* find_account(std::string_view email) {
        const auto it = accounts.find(email);
        return it == accounts.end() ? nullptr : &it->second;
    }
};

}  // namespace calhost::sandbox
