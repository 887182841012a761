#include "storage/jobs.h"

#include <doctest/doctest.h>

#include "storage/rows.h"

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
    return scene.write([&](Sql& sql) { return claim_job(sql, lease, now, now + 1min); });
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
    CHECK(must(next_job_time(scene.reader())) == kNow - 2s);
    CHECK(claim(scene, "a")->id == "first");
    CHECK(claim(scene, "b")->id == "second");
    const auto third = claim(scene, "c");
    CHECK(third->id == "third");
    CHECK(third->lease == "c");
    CHECK(third->leased_until == kNow + 1min);
    CHECK(third->attempts == 1);
    CHECK_FALSE(claim(scene, "d"));
    CHECK(must(next_job_time(scene.reader())) == kNow + 1s);
}

TEST_CASE("jobs: those of a full lane stay where they are") {
    test::Scene scene;
    auto job = make_job("g", "t1", kNow - 2s);
    job.lane = "google";
    enqueue(scene, job);
    job = make_job("o", "t2", kNow - 1s);
    job.lane = "outlook";
    enqueue(scene, job);
    enqueue(scene, make_job("none", "t3", kNow));
    const std::string_view full = " goo google ";
    CHECK(must(next_job_time(scene.reader(), full)) == kNow - 1s);
    const auto take = [&](std::string_view lease) {
        return scene.write(
            [&](Sql& sql) { return claim_job(sql, lease, kNow, kNow + 1min, full); });
    };
    CHECK(take("a")->lane == "outlook");
    CHECK(take("b")->id == "none");
    CHECK_FALSE(take("c"));
    CHECK(claim(scene, "d")->lane == "google");
}

TEST_CASE("jobs: nothing to do has no next time") {
    test::Scene scene;
    CHECK_FALSE(must(next_job_time(scene.reader())));
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
    CHECK(must(next_job_time(scene.reader())) == kNow + 5s);
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

TEST_CASE("jobs: three crashes in a row set it aside, a run that ended counts anew") {
    test::Scene scene;
    enqueue(scene, make_job("j", "t"));
    auto now = kNow;
    const auto crash = [&](int times) {
        for (int i = 0; i < times; ++i, now += 2min) REQUIRE(claim(scene, "lost", now));
    };
    crash(2);
    REQUIRE(claim(scene, "ends", now));
    CHECK(scene.write([&](Sql& s) { return retry_job(s, "j", "ends", now, "x"); }));
    crash(3);
    CHECK_FALSE(claim(scene, "never", now));
    CHECK(find(scene, "t")->status == "dead");
    CHECK(find(scene, "t")->last_error ==
          "The host ended 3 times in a row while this job ran; it is set aside.");
    CHECK_FALSE(must(next_job_time(scene.reader())));
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
