#include "simulation/invariants/jobs_in_order.h"

#include "storage/jobs.h"

namespace calhost::simulation {

void JobsInOrder::looked() {
    std::set<std::string> leases;
    int running = 0;
    std::map<std::string, std::string> states;
    for (const auto& row : stored_connections(host())) states[row.id] = row.state;
    const auto see = [&](const storage::Row& row) {
        const auto state = states.find(row.string(2));
        const bool is_held = state != states.end() && state->second != "active";
        if (row.text(0) == (is_held ? "waiting" : "paused"))
            violated("jobs in order: a job is " + row.string(0) + " for a connection that is " +
                     (state == states.end() ? "gone" : state->second));
        const bool is_running = row.text(0) == "running";
        running += is_running ? 1 : 0;
        if (is_running == row.text(1).empty())
            violated("jobs in order: a job that is " + row.string(0) +
                     (is_running ? " has no lease" : " has a lease"));
        if (is_running && !leases.insert(row.string(1)).second)
            violated("jobs in order: two jobs have one lease");
    };
    test::must(host().sql().query("SELECT status, lease, connection_id FROM jobs", {}, see));
    const bool has_orphan = host().runner().running() > running + 1;
    if (has_orphan) violated("jobs in order: more runs than leases");
}

void JobsInOrder::at_rest() {
    const auto see = [&](const storage::Row& row) {
        const auto kind = row.string(0), status = row.string(1);
        if (status == "running") violated("jobs in order: a " + kind + " job still runs");
        if (status == "dead" && row.text(2).empty())
            violated("jobs in order: a " + kind + " job is dead and does not say why");
        if (status == "waiting" && row.integer(3) > 0)
            violated("jobs in order: a " + kind + " job still fails: " + row.string(2));
    };
    test::must(host().sql().query("SELECT kind, status, last_error, attempts FROM jobs", {}, see));
    for (const auto& row : stored_connections(host())) {
        const auto poll = test::must(storage::find_job(host().sql(), row.user_id, "sync", row.id));
        if (row.state == "active" && (!poll || poll->status == "dead"))
            violated("jobs in order: nothing will ever sync the calendar of " + row.email +
                     (poll ? ": " + poll->last_error : ""));
    }
}

}  // namespace calhost::simulation
