// Jobs that write to calendars: paced, and paused with their connection.
#include "job_host.h"
#include "storage/rows.h"

using namespace calhost;
using namespace calhost::test;
using storage::Job;
using storage::Sql;
using namespace std::chrono_literals;

namespace {

/// A host with connections to write to, and a count of what each was written.
struct PacedScene {
    explicit PacedScene(jobs::RunnerOptions options = {.pace = {.lane = {10, 20},
                                                                .connection = {2, 5}}})
        : host(folder, 0ms, options) {
        host.write([](Sql& sql) -> Result<bool> {
            must(storage::insert_user(sql, make_user("ann", "ann@example.com")));
            for (const char* id : {"c1", "c2", "c3", "c4", "c5", "c6"}) {
                auto connection = make_connection(id, "ann");
                connection.account = id;
                must(storage::store_grant(sql, connection));
            }
            return true;
        });
        host.runner->on("booking",
                        [this](const Job& job) -> Task<Result<void>> {
                            ++written[job.connection_id];
                            order.push_back(job.target);
                            if (outcome) co_return outcome(job);
                            co_return Result<void>{};
                        },
                        {.is_paced = true});
    }
    void book(int from, int count, const std::string& connection) {
        host.write([&](Sql& sql) -> Result<bool> {
            for (int i = from; i < from + count; ++i) {
                const auto target = connection + " " + std::to_string(i);
                must(storage::enqueue_job(sql, {.id = target,
                                                .kind = "booking",
                                                .target = target,
                                                .user_id = "ann",
                                                .lane = "google",
                                                .connection_id = connection,
                                                .run_at = host.time.now(),
                                                .created_at = host.time.now()}));
            }
            return true;
        });
        host.time.advance(0ms);
    }
    std::int64_t count(const char* what) {
        std::int64_t number = -1;
        must(host.database.reader().query(
            what, {}, [&](const storage::Row& row) { number = row.integer(0); }));
        return number;
    }
    void set_state(std::string_view state) {
        host.write([&](Sql& sql) {
            const auto row = must(storage::find_connection(sql, "ann", "c1"));
            return storage::set_connection_state(sql, "c1", "ann", row->generation, state, "",
                                                 host.time.now());
        });
        host.time.advance(0ms);
    }

    TempFolder folder;
    Host host;
    std::map<std::string, int> written;
    std::vector<std::string> order;
    std::function<Result<void>(const Job&)> outcome;
};

}  // namespace

TEST_CASE("pacing: one connection's many bookings go in a burst, then in its pace, in order") {
    PacedScene scene;
    scene.book(100, 50, "c1");
    scene.host.start();
    CHECK(scene.written["c1"] == 5);
    scene.host.time.advance(1s);
    CHECK(scene.written["c1"] == 7);
    scene.host.time.advance(10s);
    CHECK(scene.written["c1"] == 27);
    scene.host.time.advance(1min);
    CHECK(scene.written["c1"] == 50);
    CHECK(std::ranges::is_sorted(scene.order));
}

TEST_CASE("pacing: who has few bookings does not wait for who has many") {
    PacedScene scene;
    scene.book(0, 1000, "c1");
    scene.host.start();
    scene.host.time.advance(1s);
    scene.book(0, 3, "c2");
    CHECK(scene.written["c2"] == 3);
    CHECK(scene.written["c1"] == 7);
    scene.book(1000, 1, "c1");  // behind the others
    scene.host.time.advance(0ms);
    CHECK(scene.written["c1"] == 7);
}

TEST_CASE("pacing: a provider's connections share its pace, what is not paced goes on") {
    PacedScene scene;
    int syncs = 0;
    scene.host.runner->on("sync", counting(syncs));
    for (const char* connection : {"c1", "c2", "c3", "c4", "c5", "c6"})
        scene.book(0, 5, connection);
    scene.host.start();
    CHECK(scene.order.size() == 20);
    scene.host.enqueue({.kind = "sync", .target = "elsewhere", .lane = "outlook"});
    CHECK(syncs == 1);
    scene.host.time.advance(500ms);
    CHECK(scene.order.size() == 25);
    scene.host.time.advance(500ms);
    CHECK(scene.order.size() == 30);
}

TEST_CASE("pacing: ten thousand jobs are moved to their times once, not at every claim") {
    PacedScene scene;
    scene.book(0, 10'000, "c1");
    scene.host.start();
    CHECK(scene.written["c1"] == 5);
    // From here on each job is due when its connection has a token for it.
    CHECK(scene.count("SELECT count(DISTINCT due_at) FROM jobs") == 9'995);
    CHECK(scene.count("SELECT max(due_at) - min(due_at) FROM jobs") == 9'994 * 500);
    scene.host.time.advance(10min);
    CHECK(scene.written["c1"] == 5 + 1200);
    CHECK(scene.count("SELECT max(due_at) - min(due_at) FROM jobs") == (9'994 - 1200) * 500);
}

TEST_CASE("pacing: a clock that was set back by an hour makes nothing late and nothing twice") {
    PacedScene scene;
    scene.book(0, 50, "c1");
    scene.host.start();
    scene.host.time.advance(1s);
    CHECK(scene.written["c1"] == 7);
    scene.host.time.set_skew(-1h);
    scene.host.time.advance(30s);
    CHECK(scene.written["c1"] == 50);
    CHECK(scene.order.size() == 50);
    CHECK(scene.count("SELECT count(*) FROM jobs") == 0);
}

TEST_CASE("pausing: a connection revoked between enqueue and run loses nothing") {
    PacedScene scene({});
    scene.outcome = [&](const Job& job) -> Result<void> {
        if (job.connection_id != "c1") return {};
        // The provider refuses; the token keeper turns the connection.
        return fail(ErrorCode::needs_reauth, "Token expired. Please reconnect your calendar.");
    };
    scene.book(0, 1, "c1");
    scene.host.write([&](Sql& sql) {
        const auto row = must(storage::find_connection(sql, "ann", "c1"));
        return storage::set_connection_state(sql, "c1", "ann", row->generation, "needs_reauth", "",
                                             scene.host.time.now());
    });
    scene.host.start();
    CHECK(scene.written["c1"] == 0);  // it is not even tried
    scene.book(1, 2, "c1");
    scene.host.time.advance(48h);
    CHECK(scene.written["c1"] == 0);
    CHECK(scene.count("SELECT count(*) FROM jobs WHERE status = 'paused'") == 3);
    scene.outcome = {};
    scene.set_state("active");
    CHECK(scene.written["c1"] == 3);
    CHECK(scene.count("SELECT count(*) FROM jobs") == 0);
}

TEST_CASE("pausing: who finds the permission gone while he runs is paused, not dead") {
    PacedScene scene({});
    scene.outcome = [&](const Job&) -> Result<void> {
        scene.host.write([&](Sql& sql) {
            const auto row = must(storage::find_connection(sql, "ann", "c1"));
            return storage::set_connection_state(sql, "c1", "ann", row->generation, "needs_reauth",
                                                 "", scene.host.time.now());
        });
        return fail(ErrorCode::needs_reauth, "Connect again.");
    };
    scene.book(0, 1, "c1");
    scene.host.start();
    scene.host.time.advance(48h);
    CHECK(scene.written["c1"] == 1);
    CHECK(scene.count("SELECT count(*) FROM jobs WHERE status = 'paused'") == 1);
    scene.outcome = {};
    scene.set_state("active");
    CHECK(scene.count("SELECT count(*) FROM jobs") == 0);
}

TEST_CASE("pausing: a job that says so of a connection that works is tried like any other") {
    PacedScene scene({});
    scene.outcome = [](const Job&) -> Result<void> {
        return fail(ErrorCode::needs_reauth, "Connect again.");
    };
    scene.book(0, 1, "c1");
    scene.host.start();
    scene.host.time.advance(48h);
    CHECK(scene.written["c1"] == 25);
    CHECK(scene.count("SELECT count(*) FROM jobs WHERE status = 'dead'") == 1);
}

TEST_CASE("pausing: a provider that is busy for days costs no try") {
    PacedScene scene({});
    scene.outcome = [](const Job&) -> Result<void> {
        return fail(Error{ErrorCode::rate_limited, "Busy.", milliseconds{1h}});
    };
    scene.book(0, 1, "c1");
    scene.host.start();
    scene.host.time.advance(72h);
    CHECK(scene.written["c1"] > 70);
    CHECK(scene.count("SELECT attempts FROM jobs") == 0);
    CHECK(scene.count("SELECT count(*) FROM jobs WHERE status = 'waiting'") == 1);
}
