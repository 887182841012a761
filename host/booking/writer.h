/// Brings one booking into one connection's calendar: exactly one event while it is confirmed, none
/// when it is not, whatever fails on the way.
#pragma once

#include "booking/compose.h"
#include "booking/jobs.h"
#include "connect/token_keeper.h"
#include "storage/booking_events.h"

namespace calhost::booking {

/// The intent is stored before the first call and names the event to the provider, so that the
/// same job may run again after any crash or lost answer. *Thread*: the connection's home worker.
class Writer {
  public:
    /// *Ownership*: both outlive the writer.
    Writer(connect::Services& services, connect::TokenKeeper& keeper)
        : services_(&services), keeper_(&keeper), scripts_{services.rules, services.plugins} {}

    /// Runs a kBookingJob. What is gone meanwhile is no error. *Errors*: needs_reauth (also for a
    /// connection that is paused), those of the provider and of the store; what a person has to
    /// mend stands in the row's `error` as well.
    Task<Result<void>> run(const storage::Job& job);

  private:
    struct Scene;
    using Row = storage::BookingEvent;

    Result<std::unique_ptr<Scene>> read(const storage::Job& job);
    Task<Result<void>> settle(Scene& scene);
    Task<Result<void>> bring(Scene& scene);
    Task<Result<void>> create(Scene& scene);
    Task<Result<void>> update(Scene& scene);
    Task<Result<void>> write_over(Scene& scene, const calendar::Event& base);
    Task<Result<void>> deleted_by_person(Scene& scene);
    Task<Result<void>> remove(Scene& scene);
    Task<Result<void>> store_written(Scene& scene, const plugin::Written& written);
    Task<Result<void>> save(Scene& scene);
    Task<Result<void>> store_row(Scene& scene, std::vector<storage::Job> hooks);
    Task<Result<void>> save_and_tell(Scene& scene, std::string_view hook);
    Task<Result<void>> record_failure(Scene& scene, const Error& error);

    connect::Services* services_;
    connect::TokenKeeper* keeper_;
    Scripts scripts_;
};

/// The same with a writer of its own.
Task<Result<void>> run_booking_job(connect::Services& services, connect::TokenKeeper& keeper,
                                   storage::Job job);

}  // namespace calhost::booking
