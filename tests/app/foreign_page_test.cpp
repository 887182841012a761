// Requests that another site's page makes a browser send to a sandbox on loopback.
#include "app/foreign_page.h"

#include <doctest/doctest.h>

#include "app/sandbox_mount.h"
#include "support/test_host.h"

using namespace calhost;
using namespace calhost::test;

namespace {

constexpr std::string_view kOwn = "http://127.0.0.1:8080";

TEST_CASE("foreign page: browsers say where a request came from, programs say nothing") {
    struct Case {
        net::Headers headers;
        bool is_foreign;
    };
    for (const auto& row : std::vector<Case>{
             {{}, false},
             {{{"Host", "127.0.0.1:8080"}}, false},
             {{{"Host", "localhost:8080"}}, false},
             {{{"Host", "[::1]:8080"}}, false},
             {{{"Host", "127.0.0.1:8080"}, {"Origin", "http://127.0.0.1:8080"}}, false},
             {{{"Origin", "http://127.0.0.1:8080"}, {"Sec-Fetch-Site", "same-origin"}}, false},
             {{{"Sec-Fetch-Site", "none"}}, false},
             // A form on a page with Referrer-Policy: no-referrer, such as the sandbox's own.
             {{{"Origin", "null"}, {"Sec-Fetch-Site", "same-origin"}}, false},
             {{{"Origin", "https://evil.example"}}, true},
             {{{"Origin", "http://127.0.0.1:8081"}}, true},
             {{{"Origin", "https://127.0.0.1:8080"}}, true},
             {{{"Origin", "http://127.0.0.1:8080.evil.example"}}, true},
             {{{"Origin", "null"}}, true},
             {{{"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}}, true},
             {{{"Sec-Fetch-Site", "cross-site"}}, true},
             {{{"Sec-Fetch-Site", "same-site"}}, true},
             // A name of theirs that leads here: for the browser it is their own origin.
             {{{"Host", "evil.example:8080"}, {"Sec-Fetch-Site", "same-origin"}}, true},
             {{{"Host", "localhost.evil.example"}}, true}}) {
        net::Request request;
        request.headers = row.headers;
        std::string shown;
        for (const auto& [name, value] : row.headers) shown += name + ": " + value + "; ";
        CHECK_MESSAGE(app::is_from_foreign_page(request, kOwn) == row.is_foreign, shown);
    }
}

TEST_CASE("sandbox: a foreign page may read, and changes nothing") {
    TestHost host;
    config::Settings settings;
    settings.server.public_url = kHostUrl;
    app::SandboxMount mount({.settings = settings, .data_folder = host.folder.path()},
                            host.time.executor(), host.time, host.time, host.random);
    mount.mount(host.worker().router(), host.worker().context());
    const auto status = [&](std::string method, std::string path, std::string origin) {
        return host
            .call(std::move(method), std::move(path), {{"Origin", std::move(origin)}},
                  R"({"email":"eve@evil.example","milliseconds":5})")
            .status;
    };
    for (const std::string control : {"/sandbox/control", "/sandbox/control/outlook"}) {
        CAPTURE(control);
        CHECK(status("POST", control + "/accounts", "https://evil.example") == 403);
        CHECK(status("DELETE", control + "/faults", "https://evil.example") == 403);
        CHECK(status("GET", control + "/accounts", "https://evil.example") == 200);
        CHECK(status("POST", control + "/accounts", std::string(kHostUrl)) == 201);
        CHECK(status("POST", control + "/latency", std::string(kHostUrl)) == 200);
    }
    // The consent page's form, and everything else that takes a POST.
    for (const std::string path :
         {"/sandbox/google/o/oauth2/v2/auth", "/sandbox/google/token",
          "/sandbox/outlook/common/oauth2/v2.0/authorize", "/sandbox/outlook/v1.0/me/events"}) {
        CAPTURE(path);
        CHECK(status("POST", path, "https://evil.example") == 403);
        CHECK(status("POST", path, std::string(kHostUrl)) != 403);
    }
}

}  // namespace
