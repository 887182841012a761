/// At rest every booking is as it was last acknowledged, or newer, and each person's calendar for
/// bookings has exactly one event of it while it is confirmed; no other calendar has any.
#pragma once

#include "simulation/invariant.h"
#include "storage/bookings.h"

namespace calhost::simulation {

class BookingsInCalendars final : public Invariant {
  public:
    using Invariant::Invariant;
    void restarted() override;
    void at_rest() override;

  private:
    std::vector<storage::Booking> promised_bookings();
    void compare(const storage::Connection& connection, const json::array& items,
                 const storage::Booking& booking);
};

}  // namespace calhost::simulation
