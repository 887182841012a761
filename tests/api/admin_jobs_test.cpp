// Dead letters: seen with their reason, replayed, given up.
#include "api/operations.h"
#include "storage/jobs.h"
#include "support/claim_job.h"
#include "support/scene.h"

using namespace calhost;
using namespace calhost::test;

namespace {

/// A host whose jobs nobody runs, with an administrator.
struct Office {
    Office() {
        person = host.sign_up("ada@example.org");
        admin = host.sign_up("root@example.org");
        const auto root = TestHost::text(host.call("GET", "/auth/me", admin), "id");
        write([&](storage::Sql& sql) -> Result<void> {
            must(storage::change_user(sql, root, {.role = "admin"}));
            must(sql.execute("DELETE FROM jobs"));
            return {};
        });
    }
    void write(storage::Write work) {
        must(host.time.wait(host.worker().database().write(std::move(work))));
        host.time.run(std::chrono::seconds{1});
    }
    void enqueue(std::string id, std::string kind, std::string status = "waiting") {
        write([&](storage::Sql& sql) -> Result<void> {
            must(storage::enqueue_job(sql, {.id = id,
                                            .kind = kind,
                                            .target = "t-" + id,
                                            .user_id = "u1",
                                            .payload = "v1:k1:c4nary",
                                            .run_at = host.time.now(),
                                            .created_at = host.time.now()}));
            if (status == "waiting") return {};
            must(claim_job(sql, "lease of " + id, host.time.now(),
                           host.time.now() + std::chrono::hours{1}));
            if (status == "dead")
                must(storage::bury_job(sql, id, "lease of " + id, "The provider says no."));
            return {};
        });
    }
    json::value get(const std::string& query = "") {
        const auto answer = host.call("GET", "/api/admin/jobs" + query, admin);
        REQUIRE(answer.status == 200);
        return TestHost::body(answer);
    }
    std::string ids(const std::string& query = "") {
        std::string all;
        for (const auto& job : get(query).at("jobs").as_array())
            all += (all.empty() ? "" : " ") + std::string(json::text_of(job, "id"));
        return all;
    }
    TestHost host{{.runs_jobs = false}};
    net::Headers person, admin;
};

TEST_CASE("admin: dead letters are there with their reason, and payloads are not") {
    Office office;
    office.enqueue("j1", "booking", "dead");
    office.enqueue("j2", "sync");
    const auto page = office.get("?status=dead");
    REQUIRE(page.at("jobs").as_array().size() == 1);
    const auto& job = page.at("jobs").at(0);
    CHECK(json::text_of(job, "id") == "j1");
    CHECK(json::text_of(job, "kind") == "booking");
    CHECK(json::text_of(job, "target") == "t-j1");
    CHECK(json::text_of(job, "user_id") == "u1");
    CHECK(json::text_of(job, "status") == "dead");
    CHECK(json::text_of(job, "last_error") == "The provider says no.");
    CHECK(job.at("attempts") == 1);
    CHECK(job.at("connection_id").is_null());
    CHECK(page.at("next_cursor").is_null());
    CHECK(office.ids() == "j2 j1");
    CHECK(office.ids("?kind=sync") == "j2");
    CHECK(office.ids("?kind=sync&status=dead").empty());
    CHECK_FALSE(office.host.written.contains("c4nary"));
}

TEST_CASE("admin: jobs come in pages") {
    Office office;
    for (const char* id : {"j1", "j2", "j3"}) office.enqueue(id, "sync");
    const auto first = office.get("?limit=2");
    CHECK(first.at("jobs").as_array().size() == 2);
    const auto cursor = std::string(json::text_of(first, "next_cursor"));
    REQUIRE_FALSE(cursor.empty());
    CHECK(office.ids("?limit=2&cursor=" + cursor) == "j1");
    CHECK(office.host.call("GET", "/api/admin/jobs?cursor=x", office.admin).status == 422);
}

TEST_CASE("admin: a dead job is replayed from its first try, a waiting one runs now") {
    Office office;
    office.enqueue("j1", "booking", "dead");
    const auto answer = office.host.call("POST", "/api/admin/jobs/j1/retry", office.admin);
    CHECK(answer.status == 202);
    const auto job = TestHost::body(answer).at("job");
    CHECK(json::text_of(job, "status") == "waiting");
    CHECK(job.at("attempts") == 0);
    CHECK(office.ids("?status=dead").empty());
    CHECK(text_in_store(office.host,
                        "SELECT actor FROM audit_log WHERE action = 'job.replayed' AND subject = "
                        "'j1'")
              .starts_with("user:"));
}

TEST_CASE("admin: a job is given up, unless it runs") {
    Office office;
    office.enqueue("j1", "booking", "dead");
    office.enqueue("j2", "sync", "running");
    CHECK(office.host.call("DELETE", "/api/admin/jobs/j1", office.admin).status == 200);
    CHECK(office.ids() == "j2");
    CHECK(word_of(office.host.call("DELETE", "/api/admin/jobs/j2", office.admin)) ==
          "409 job_running");
    CHECK(word_of(office.host.call("POST", "/api/admin/jobs/j2/retry", office.admin)) ==
          "409 job_running");
    for (const char* method : {"DELETE", "POST"}) {
        const std::string target =
            std::string("/api/admin/jobs/j1") + (*method == 'P' ? "/retry" : "");
        CHECK(word_of(office.host.call(method, target, office.admin)) == "404 not_found");
    }
    CHECK(count_in_store(office.host, "SELECT count(*) FROM audit_log WHERE action LIKE 'job.%'") ==
          1);
}

TEST_CASE("admin: nobody else sees or touches jobs") {
    Office office;
    office.enqueue("j1", "booking", "dead");
    const std::pair<const char*, const char*> calls[] = {{"GET", "/api/admin/jobs"},
                                                         {"POST", "/api/admin/jobs/j1/retry"},
                                                         {"DELETE", "/api/admin/jobs/j1"}};
    for (const auto& [method, target] : calls) {
        CHECK(office.host.call(method, target, office.person).status == 403);
        CHECK(office.host.call(method, target).status == 401);
    }
    CHECK(office.ids("?status=dead") == "j1");
}

TEST_CASE("metrics: jobs are counted by status, paused ones too") {
    Office office;
    office.enqueue("j1", "booking", "dead");
    office.enqueue("j2", "sync", "running");
    office.enqueue("j3", "sync");
    office.write([](storage::Sql& sql) -> Result<void> {
        must(sql.execute("UPDATE jobs SET status = 'paused', due_at = NULL WHERE id = 'j3'"));
        return {};
    });
    api::Metrics metrics;
    const auto text = metrics.text(office.host.sql());
    for (const char* line :
         {"calhost_jobs{status=\"dead\"} 1", "calhost_jobs{status=\"running\"} 1",
          "calhost_jobs{status=\"paused\"} 1", "calhost_jobs{status=\"waiting\"} 0"}) {
        CAPTURE(line);
        CHECK(text.contains(line));
    }
}

}  // namespace
