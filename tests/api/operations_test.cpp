// The operations address, and what a disk without room does to it and to callers.
#include "api/operations.h"

#include <doctest/doctest.h>

#include "support/full_disk.h"
#include "support/test_host.h"

using namespace calhost;
using namespace calhost::test;

namespace {

struct Operations {
    net::Response get(std::string path) {
        net::Request request;
        request.path = std::move(path);
        return host.time.wait(handler(request));
    }
    net::Response sign_up(const std::string& email) {
        return host.call("POST", "/auth/register", {{"Content-Type", "application/json"}},
                         R"({"password":"a long enough password","email":")" + email + "\"}");
    }
    TestHost host{{.runs_jobs = false}};
    api::Metrics metrics;
    net::Handler handler = api::operations_handler(host.worker().context(), metrics);
};

TEST_CASE("readyz: not ready while the disk takes no writes, ready with the first that it takes") {
    Operations bed;
    CHECK(bed.get("/readyz").status == 200);
    {
        const FullDisk full;
        CHECK(bed.get("/readyz").status == 200);  // nobody knows yet
        const auto refused = bed.sign_up("ada@example.org");
        CHECK(refused.status == 503);
        CHECK(refused.headers.get("Retry-After") == "30");
        const auto ready = bed.get("/readyz");
        CHECK(ready.status == 503);
        CHECK(TestHost::body(ready).at("checks").at("storage") ==
              "takes no writes: its disk is full or fails");
        CHECK_FALSE(bed.host.worker().database().takes_writes());
    }
    CHECK(bed.sign_up("ada@example.org").status == 201);
    CHECK(bed.host.worker().database().takes_writes());
    CHECK(bed.get("/readyz").status == 200);
}

TEST_CASE("readyz: a host without work tries the disk again by itself") {
    Operations bed;
    {
        const FullDisk full;
        CHECK(bed.sign_up("ada@example.org").status == 503);
        CHECK(bed.get("/readyz").status == 503);
    }
    CHECK(bed.get("/readyz").status == 200);
    CHECK(bed.host.worker().database().takes_writes());
}

TEST_CASE("callback: a full disk is 503 with Retry-After for programs, and told to people") {
    Operations bed;
    const auto ada = bed.host.sign_up();
    const auto come_back_to_full_disk = [&](const std::string& accept) {
        Cookies browser;
        const auto target = bed.host.consent(bed.host.authorization_url(ada, browser));
        const FullDisk full;
        return bed.host.come_back(target, browser, accept);
    };
    const auto problem = come_back_to_full_disk("application/json");
    CHECK(problem.status == 503);
    CHECK(problem.headers.get("Retry-After") == "30");
    CHECK(TestHost::text(problem, "code") == "storage_unavailable");
    const auto page = come_back_to_full_disk("text/html");
    CHECK(page.status == 302);
    CHECK(page.headers.get("Location").contains("error=storage_unavailable"));
}

}  // namespace
