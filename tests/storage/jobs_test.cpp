#include "storage/jobs.h"

#include <doctest/doctest.h>

#include <map>

#include "storage/rows.h"
#include "support/claim_job.h"

using namespace calhost;
using namespace calhost::storage;
using test::kNow;
using test::must;
using namespace std::chrono_literals;

namespace {

Job make_job(std::string id, std::string target, Timestamp run_at = kNow) {
    return {.id = std::move(id),
            .kind = "sync",
            .target = std::move(target),
            .user_id = "ann",
            .payload = "{}",
            .run_at = run_at,
            .created_at = kNow};
}

void enqueue(test::Scene& scene, const Job& job) {
    scene.write([&](Sql& sql) { return enqueue_job(sql, job); });
}
std::optional<Job> claim(test::Scene& scene, std::string_view lease, Timestamp now = kNow) {
    return scene.write([&](Sql& sql) { return test::claim_job(sql, lease, now, now + 1min); });
}
std::optional<Timestamp> next_time(test::Scene& scene) {
    std::optional<Timestamp> next;
    for (const auto& head : must(list_lane_heads(scene.reader())))
        next = std::min(next.value_or(head.due_at), head.due_at);
    return next;
}
std::optional<Job> find(test::Scene& scene, std::string_view target) {
    return must(find_job(scene.reader(), "ann", "sync", target));
}

}  // namespace

TEST_CASE("jobs: the earliest due is claimed first, each once") {
    test::Scene scene;
    enqueue(scene, make_job("late", "t1", kNow + 1s));
    enqueue(scene, make_job("second", "t2", kNow - 1s));
    enqueue(scene, make_job("third", "t3", kNow - 1s));
    enqueue(scene, make_job("first", "t4", kNow - 2s));
    CHECK(next_time(scene) == kNow - 2s);
    CHECK(claim(scene, "a")->id == "first");
    CHECK(claim(scene, "b")->id == "second");
    const auto third = claim(scene, "c");
    CHECK(third->id == "third");
    CHECK(third->lease == "c");
    CHECK(third->leased_until == kNow + 1min);
    CHECK(third->attempts == 1);
    CHECK_FALSE(claim(scene, "d"));
    CHECK(next_time(scene) == kNow + 1s);
}

TEST_CASE("jobs: only the first of each lane is looked at") {
    test::Scene scene;
    for (const auto& [id, lane, due] : {std::tuple{"g2", "google", kNow},
                                        {"g1", "google", kNow - 2s},
                                        {"n1", "", kNow + 5s},
                                        {"o1", "outlook", kNow - 1s},
                                        {"o2", "outlook", kNow - 1s}}) {
        auto job = make_job(id, id, due);
        job.lane = lane;
        job.connection_id = "c-" + std::string(id);
        enqueue(scene, job);
    }
    std::string seen;
    for (const auto& head : must(list_lane_heads(scene.reader()))) {
        CHECK_FALSE(head.was_running);
        CHECK(head.kind == "sync");
        seen += head.lane + ":" + head.connection_id + " ";
    }
    CHECK(seen == ":c-n1 google:c-g1 outlook:c-o1 ");
}

TEST_CASE("jobs: a lane that is skipped stays where it is, the others go on in their order") {
    test::Scene scene;
    auto job = make_job("g", "t1", kNow - 2s);
    job.lane = "google";
    enqueue(scene, job);
    job = make_job("o", "t2", kNow - 1s);
    job.lane = "outlook";
    enqueue(scene, job);
    enqueue(scene, make_job("none", "t3", kNow));
    const auto not_google = [](const LaneHead& head) -> Admission {
        return {.kind = head.lane == "google" ? Admission::Kind::skip_lane : Admission::Kind::take};
    };
    const auto take = [&](std::string_view lease) {
        return scene.write(
            [&](Sql& sql) { return test::claim_job(sql, lease, kNow, kNow + 1min, not_google); });
    };
    CHECK(take("a")->lane == "outlook");
    CHECK(take("b")->id == "none");
    CHECK_FALSE(take("c"));
    CHECK(claim(scene, "d")->lane == "google");
}

TEST_CASE("jobs: what is deferred comes one after another, in its order, and holds up nobody") {
    test::Scene scene;
    const auto add = [&](std::string id, std::string connection, Timestamp run_at,
                         std::string kind = "booking") {
        auto job = make_job(id, id, run_at);
        job.kind = std::move(kind);
        job.lane = "google";
        job.connection_id = std::move(connection);
        enqueue(scene, job);
    };
    add("b1", "busy", kNow - 9s);
    add("b2", "busy", kNow - 8s);
    add("sync", "busy", kNow - 7s, "sync");
    add("b3", "busy", kNow - 6s);
    add("later", "busy", kNow + 1s);
    add("other", "quiet", kNow);
    const auto busy_defers = [](const LaneHead& head) -> Admission {
        if (head.connection_id != "busy" || head.kind != "booking") return {};
        return {.kind = Admission::Kind::defer, .at = kNow + 10s, .step = 5s};
    };
    const auto take = [&](std::string_view lease) {
        return scene.write(
            [&](Sql& sql) { return test::claim_job(sql, lease, kNow, kNow + 1min, busy_defers); });
    };
    CHECK(take("a")->id == "sync");
    CHECK(take("b")->id == "other");
    CHECK_FALSE(take("c"));
    const auto run_at = [&](std::string_view id) {
        return must(find_job(scene.reader(), id))->run_at;
    };
    CHECK(run_at("b1") == kNow + 10s);
    CHECK(run_at("b2") == kNow + 15s);
    CHECK(run_at("b3") == kNow + 20s);
    CHECK(run_at("later") == kNow + 1s);
    CHECK(claim(scene, "d", kNow + 15s)->id == "later");
    CHECK(claim(scene, "e", kNow + 15s)->id == "b1");
    CHECK(claim(scene, "f", kNow + 15s)->id == "b2");
    CHECK_FALSE(claim(scene, "g", kNow + 15s));
}

TEST_CASE("jobs: nothing to do has no next time") {
    test::Scene scene;
    CHECK_FALSE(next_time(scene));
    CHECK_FALSE(claim(scene, "a"));
}

TEST_CASE("jobs: enqueued again while it waits, the newer payload and the earlier time win") {
    test::Scene scene;
    enqueue(scene, make_job("j1", "t", kNow + 10s));
    auto again = make_job("j2", "t", kNow + 5s);
    again.payload = R"({"n":2})";
    enqueue(scene, again);
    CHECK(find(scene, "t")->id == "j1");
    CHECK(find(scene, "t")->payload == R"({"n":2})");
    CHECK(find(scene, "t")->run_at == kNow + 5s);
    enqueue(scene, make_job("j3", "t", kNow + 60s));
    CHECK(find(scene, "t")->run_at == kNow + 5s);
    CHECK(next_time(scene) == kNow + 5s);
    CHECK(scene.count("SELECT count(*) FROM jobs") == 1);
}

TEST_CASE("jobs: enqueued again while it runs, it runs again with the newer payload") {
    bool is_failing = false;
    SUBCASE("and ends well") {}
    SUBCASE("and fails for good") { is_failing = true; }
    test::Scene scene;
    enqueue(scene, make_job("j1", "t"));
    REQUIRE(claim(scene, "a"));
    auto again = make_job("j2", "t", kNow + 5s);
    again.payload = R"({"n":2})";
    enqueue(scene, again);
    CHECK(find(scene, "t")->status == "running");
    CHECK_FALSE(claim(scene, "b", kNow + 6s));  // not beside itself
    CHECK(scene.write([&](Sql& sql) {
        return is_failing ? bury_job(sql, "j1", "a", "It cannot be.") : finish_job(sql, "j1", "a");
    }));
    CHECK(find(scene, "t")->status == "waiting");
    CHECK(find(scene, "t")->run_at == kNow + 5s);
    const auto second = claim(scene, "c", kNow + 6s);
    REQUIRE(second);
    CHECK(second->payload == R"({"n":2})");
    CHECK(second->attempts == 1);
    CHECK(scene.write([](Sql& sql) { return finish_job(sql, "j1", "c"); }));
    CHECK_FALSE(find(scene, "t"));
}

TEST_CASE("jobs: only the holder of the lease may end, extend or retry") {
    test::Scene scene;
    enqueue(scene, make_job("j", "t"));
    REQUIRE(claim(scene, "old"));
    REQUIRE(claim(scene, "new", kNow + 2min));
    const auto ends = {
        std::function<Result<bool>(Sql&)>([](Sql& s) { return finish_job(s, "j", "old"); }),
        std::function<Result<bool>(Sql&)>([](Sql& s) { return bury_job(s, "j", "old", "x"); }),
        std::function<Result<bool>(Sql&)>(
            [](Sql& s) { return extend_lease(s, "j", "old", kNow + 9h); }),
        std::function<Result<bool>(Sql&)>(
            [](Sql& s) { return retry_job(s, "j", "old", kNow, "x"); }),
    };
    for (const auto& end : ends) CHECK_FALSE(scene.write(end));
    const auto job = find(scene, "t");
    REQUIRE(job);
    CHECK(job->lease == "new");
    CHECK(job->status == "running");
    CHECK(job->leased_until == kNow + 3min);
    CHECK(scene.write([](Sql& s) { return extend_lease(s, "j", "new", kNow + 4min); }));
    CHECK(find(scene, "t")->leased_until == kNow + 4min);
    CHECK(scene.write([](Sql& s) { return finish_job(s, "j", "new"); }));
    CHECK_FALSE(scene.write([](Sql& s) { return finish_job(s, "j", "new"); }));
}

TEST_CASE("jobs: a retry waits, and what the provider demanded is not undercut") {
    test::Scene scene;
    enqueue(scene, make_job("j", "t"));
    REQUIRE(claim(scene, "a"));
    CHECK(scene.write(
        [](Sql& s) { return retry_job(s, "j", "a", kNow + 90s, "Later.", kNow + 60s); }));
    CHECK(find(scene, "t")->status == "waiting");
    CHECK(find(scene, "t")->last_error == "Later.");
    CHECK_FALSE(claim(scene, "b", kNow + 89s));
    enqueue(scene, make_job("j2", "t", kNow + 1s));
    CHECK(find(scene, "t")->run_at == kNow + 60s);
    CHECK_FALSE(claim(scene, "b", kNow + 59s));
    CHECK(claim(scene, "b", kNow + 60s)->attempts == 2);
}

TEST_CASE("jobs: too many crashes in a row set it aside, a run that ended counts anew") {
    test::Scene scene;
    enqueue(scene, make_job("j", "t"));
    auto now = kNow;
    const auto crash = [&](int times) {
        for (int i = 0; i < times; ++i, now += 2min) REQUIRE(claim(scene, "lost", now));
    };
    crash(kMaxCrashes - 1);
    REQUIRE(claim(scene, "ends", now));
    CHECK(scene.write([&](Sql& s) { return retry_job(s, "j", "ends", now, "x"); }));
    crash(kMaxCrashes);
    CHECK_FALSE(claim(scene, "never", now));
    CHECK(find(scene, "t")->status == "dead");
    CHECK(find(scene, "t")->last_error ==
          "The host ended 10 times in a row while this job ran; it is set aside.");
    CHECK_FALSE(next_time(scene));
}

TEST_CASE("jobs: after a start what ran goes on at once, and what crashed before a little later") {
    test::Scene scene;
    enqueue(scene, make_job("a", "innocent"));
    enqueue(scene, make_job("b", "twice"));
    const auto restart = [&](Timestamp now) {
        scene.write([&](Sql& s) { return end_leases(s, now); });
    };
    REQUIRE(claim(scene, "1", kNow));
    REQUIRE(claim(scene, "2", kNow));
    restart(kNow + 1s);
    REQUIRE(claim(scene, "3", kNow + 1s));
    REQUIRE(claim(scene, "4", kNow + 1s));
    CHECK(scene.write([](Sql& s) { return finish_job(s, "a", "3"); }));
    restart(kNow + 1s);
    CHECK_FALSE(claim(scene, "5", kNow + 2s));
    REQUIRE(claim(scene, "5", kNow + 3s));
    restart(kNow + 3s);
    CHECK_FALSE(claim(scene, "6", kNow + 6s));
    CHECK(claim(scene, "6", kNow + 7s));
}

TEST_CASE("jobs: a dead one lives again when it is enqueued again") {
    test::Scene scene;
    enqueue(scene, make_job("j", "t"));
    REQUIRE(claim(scene, "a"));
    CHECK(scene.write([](Sql& s) { return bury_job(s, "j", "a", "No such calendar."); }));
    CHECK(find(scene, "t")->status == "dead");
    CHECK(find(scene, "t")->last_error == "No such calendar.");
    CHECK_FALSE(claim(scene, "b", kNow + 24h));
    enqueue(scene, make_job("j2", "t", kNow + 1h));
    CHECK(find(scene, "t")->status == "waiting");
    CHECK(find(scene, "t")->last_error.empty());
    CHECK(claim(scene, "b", kNow + 1h)->attempts == 1);
}

TEST_CASE("jobs: user, kind and target together make one job") {
    test::Scene scene;
    auto job = make_job("j1", "t");
    enqueue(scene, job);
    job.id = "j2", job.user_id = "bob";
    enqueue(scene, job);
    job.id = "j3", job.user_id = "", job.kind = "revoke";
    enqueue(scene, job);
    CHECK(scene.count("SELECT count(*) FROM jobs") == 3);
    CHECK(scene.write([](Sql& s) { return delete_job(s, "bob", "sync", "t"); }));
    CHECK_FALSE(scene.write([](Sql& s) { return delete_job(s, "bob", "sync", "t"); }));
    CHECK(find(scene, "t"));
}

namespace {

Job make_booking(std::string target, std::string connection_id = "c1") {
    auto job = make_job("booking " + target, target);
    job.kind = "booking";
    job.connection_id = std::move(connection_id);
    return job;
}
std::string status(test::Scene& scene, std::string_view target) {
    const auto job = must(find_job(scene.reader(), "ann", "booking", target));
    if (!job) return "gone";
    const bool is_due =
        scene.count("SELECT count(*) FROM jobs WHERE due_at IS NOT NULL AND id = '" + job->id +
                    "'") == 1;
    CHECK(is_due == (job->status == "waiting" || job->status == "running"));
    return job->status;
}
std::int64_t generation(test::Scene& scene) {
    return must(find_connection(scene.reader(), "ann", "c1"))->generation;
}
void set_state(test::Scene& scene, std::string_view state) {
    CHECK(scene.write([&](Sql& sql) {
        return set_connection_state(sql, "c1", "ann", generation(scene), state, "", kNow);
    }));
}

}  // namespace

TEST_CASE("jobs: those of a connection are paused while it is not active") {
    for (const char* state : {"needs_reauth", "paused", "error"}) {
        CAPTURE(state);
        test::Scene scene;
        enqueue(scene, make_booking("runs"));
        REQUIRE(claim(scene, "a"));
        enqueue(scene, make_booking("waits"));
        set_state(scene, state);
        CHECK(status(scene, "waits") == "paused");
        CHECK(status(scene, "runs") == "running");
        CHECK(scene.write(
            [](Sql& sql) { return retry_job(sql, "booking runs", "a", kNow, "Connect again."); }));
        CHECK(status(scene, "runs") == "paused");
        enqueue(scene, make_booking("new"));
        CHECK(status(scene, "new") == "paused");
        enqueue(scene, make_booking("waits"));  // again
        CHECK(status(scene, "waits") == "paused");
        CHECK_FALSE(claim(scene, "b", kNow + 1h));
    }
}

TEST_CASE("jobs: paused ones are resumed in the transaction that makes the connection active") {
    const std::map<std::string, std::function<Result<void>(test::Scene&, Sql&)>> ways{
        {"a new grant",
         [](test::Scene&, Sql& sql) -> Result<void> {
             must(store_grant(sql, test::make_connection("c1", "ann")));
             return {};
         }},
        {"a refresh",
         [](test::Scene& scene, Sql& sql) -> Result<void> {
             CHECK(must(store_tokens(sql, "c1", "ann", generation(scene),
                                     {.sealed_access_token = "s"}, kNow)));
             return {};
         }},
        {"the person's choice", [](test::Scene& scene, Sql& sql) -> Result<void> {
             must(set_connection_state(sql, "c1", "ann", generation(scene), "paused", "", kNow));
             must(choose(sql, "c1", "ann", {.sync_enabled = true}, kNow));
             return {};
         }}};
    for (const auto& [name, way] : ways) {
        CAPTURE(name);
        test::Scene scene;
        enqueue(scene, make_booking("t"));
        REQUIRE(claim(scene, "a"));
        set_state(scene, "needs_reauth");
        CHECK(scene.write([](Sql& sql) {
            return retry_job(sql, "booking t", "a", kNow + 5s, "Connect again.");
        }));
        REQUIRE(status(scene, "t") == "paused");
        scene.write([&](Sql& sql) { return way(scene, sql); });
        CHECK(status(scene, "t") == "waiting");
        const auto job = must(find_job(scene.reader(), "ann", "booking", "t"));
        CHECK(job->run_at == kNow + 5s);
        CHECK(job->attempts == 0);
        CHECK(job->last_error == "Connect again.");
    }
}

TEST_CASE("jobs: a grant for a connection that the person paused resumes nothing") {
    test::Scene scene;
    enqueue(scene, make_booking("t"));
    enqueue(scene, make_job("j", "other"));
    scene.write([](Sql& sql) { return choose(sql, "c1", "ann", {.sync_enabled = false}, kNow); });
    CHECK(status(scene, "t") == "paused");
    scene.write([](Sql& sql) { return store_grant(sql, test::make_connection("c1", "ann")); });
    CHECK(status(scene, "t") == "paused");
    CHECK(find(scene, "other")->status == "waiting");
}

TEST_CASE("jobs: enqueued while it runs for a connection that stopped working, it is paused") {
    test::Scene scene;
    enqueue(scene, make_booking("t"));
    REQUIRE(claim(scene, "a"));
    set_state(scene, "needs_reauth");
    enqueue(scene, make_booking("t"));
    CHECK(status(scene, "t") == "running");
    CHECK(scene.write([](Sql& sql) { return finish_job(sql, "booking t", "a"); }));
    CHECK(status(scene, "t") == "paused");
}

TEST_CASE("jobs: they go with their connection, a running one however it ends") {
    for (const char* ending : {"finish", "finish again", "retry", "bury"}) {
        CAPTURE(ending);
        const std::string_view end = ending;
        test::Scene scene;
        enqueue(scene, make_booking("first"));
        REQUIRE(claim(scene, "a")->target == "first");
        enqueue(scene, make_booking("second"));
        enqueue(scene, make_booking("elsewhere", "c2"));
        enqueue(scene, make_job("j", "none"));
        CHECK(scene.write([](Sql& sql) { return delete_connection(sql, "ann", "c1"); }));
        CHECK(status(scene, "second") == "gone");
        CHECK(status(scene, "first") == "running");
        CHECK(status(scene, "elsewhere") == "waiting");
        CHECK(find(scene, "none"));
        if (end == "finish again") enqueue(scene, make_booking("first"));
        CHECK(scene.write([&](Sql& sql) {
            if (end == "retry") return retry_job(sql, "booking first", "a", kNow, "Down.");
            if (end == "bury") return bury_job(sql, "booking first", "a", "It cannot be.");
            return finish_job(sql, "booking first", "a");
        }));
        CHECK(status(scene, "first") == "gone");
    }
}

TEST_CASE("jobs: a try that does not count is taken back") {
    test::Scene scene;
    enqueue(scene, make_job("j", "t"));
    for (int i = 0; i < 3; ++i) {
        REQUIRE(claim(scene, "a")->attempts == 1);
        CHECK(scene.write(
            [](Sql& sql) { return retry_job(sql, "j", "a", kNow, "Later.", {}, false); }));
    }
    CHECK(find(scene, "t")->attempts == 0);
}

TEST_CASE("jobs: after the clock was set back everything is due as soon as before") {
    test::Scene scene;
    enqueue(scene, make_job("j", "t", kNow + 10s));
    enqueue(scene, make_job("k", "u", kNow - 10s));
    REQUIRE(claim(scene, "a"));
    scene.write([](Sql& sql) { return shift_jobs(sql, 1h); });
    CHECK(find(scene, "t")->run_at == kNow + 10s - 1h);
    CHECK(find(scene, "u")->leased_until == kNow + 1min - 1h);
    CHECK(next_time(scene) == kNow + 10s - 1h);
}

TEST_CASE("jobs: a person sees them, replays one and gives one up") {
    test::Scene scene;
    enqueue(scene, make_job("j1", "t1"));
    enqueue(scene, make_job("j2", "t2"));
    enqueue(scene, make_booking("t3"));
    REQUIRE(claim(scene, "a")->id == "j1");
    CHECK(scene.write([](Sql& sql) { return bury_job(sql, "j1", "a", "It cannot be."); }));
    REQUIRE(claim(scene, "b")->id == "j2");
    const auto ids = [&](const JobFilter& filter, int limit = 50) {
        std::string all;
        for (const auto& job : must(list_jobs(scene.reader(), filter, limit))) all += job.id + " ";
        return all;
    };
    CHECK(ids({}) == "booking t3 j2 j1 ");
    CHECK(ids({}, 1) == "booking t3 ");
    CHECK(ids({.before = must(find_job(scene.reader(), "j2"))->number}) == "j1 ");
    CHECK(ids({.status = "dead"}) == "j1 ");
    CHECK(ids({.kind = "booking"}) == "booking t3 ");
    CHECK(ids({.status = "dead", .kind = "booking"}).empty());
    CHECK_FALSE(scene.write([](Sql& sql) { return replay_job(sql, "j2", kNow); }));  // it runs
    CHECK_FALSE(scene.write([](Sql& sql) { return drop_job(sql, "j2"); }));
    CHECK(scene.write([](Sql& sql) { return replay_job(sql, "j1", kNow + 1s); }));
    CHECK(find(scene, "t1")->status == "waiting");
    CHECK(find(scene, "t1")->run_at == kNow + 1s);
    CHECK(find(scene, "t1")->attempts == 0);
    set_state(scene, "needs_reauth");
    CHECK(scene.write([](Sql& sql) { return replay_job(sql, "booking t3", kNow); }));
    CHECK(status(scene, "t3") == "paused");
    CHECK(scene.write([](Sql& sql) { return drop_job(sql, "booking t3"); }));
    CHECK(status(scene, "t3") == "gone");
}
