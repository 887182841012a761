#include "simulation/invariants/bookings_in_calendars.h"
#include "simulation/invariants/errors_are_problems.h"
#include "simulation/invariants/grants_given_back.h"
#include "simulation/invariants/jobs_in_order.h"
#include "simulation/invariants/nothing_in_the_clear.h"
#include "simulation/invariants/nothing_lost_or_doubled.h"
#include "simulation/invariants/one_refresh.h"
#include "simulation/invariants/own_tokens.h"
#include "simulation/invariants/promises_kept.h"
#include "simulation/invariants/quiet_until_reconnected.h"
#include "simulation/invariants/retry_after_kept.h"

namespace calhost::simulation {

Invariants make_invariants(Scene& scene) {
    Invariants all;
    all.push_back(std::make_unique<NothingInTheClear>(scene));
    all.push_back(std::make_unique<OneRefresh>(scene));
    all.push_back(std::make_unique<RetryAfterKept>(scene));
    all.push_back(std::make_unique<QuietUntilReconnected>(scene));
    all.push_back(std::make_unique<OwnTokens>(scene));
    all.push_back(std::make_unique<PromisesKept>(scene));
    all.push_back(std::make_unique<JobsInOrder>(scene));
    all.push_back(std::make_unique<ErrorsAreProblems>(scene));
    // Last: these three ask the provider for grants of their own.
    all.push_back(std::make_unique<GrantsGivenBack>(scene));
    all.push_back(std::make_unique<NothingLostOrDoubled>(scene));
    all.push_back(std::make_unique<BookingsInCalendars>(scene));
    return all;
}

}  // namespace calhost::simulation
