/// `calhost jobs`: what waits, what was set aside and why, for the operator.
#pragma once

#include <boost/json/object.hpp>

#include "connect/services.h"

namespace calhost::app {

struct JobsQuestion {
    std::string command;   ///< "jobs.list", "jobs.retry" or "jobs.drop"
    std::string id;        ///< of the job, for the last two
    bool is_dead = false;  ///< list only those that were set aside

    [[nodiscard]] boost::json::object to_json() const;
    static JobsQuestion from_json(const boost::json::object& object);
};

/// Does it on the store. *Errors*: not_found, conflict (it runs).
Task<Result<boost::json::object>> answer_jobs(connect::Services& services, JobsQuestion question);

/// The answer for the terminal.
void print_jobs(const boost::json::object& answer);

}  // namespace calhost::app
