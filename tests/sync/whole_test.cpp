// A provider that reads a series with all its overrides at once.
#include "support/acme.h"

using namespace calhost;
using namespace calhost::test;

namespace {

json::object item(const char* id) {
    return {{"id", id}, {"start", "2026-11-27T09:00:00Z"}, {"finish", "2026-11-27T10:00:00Z"}};
}
json::object override_of(const char* series, const char* id) {
    auto row = item(id);
    row["series_id"] = series;
    row["slot"] = "2026-11-27T09:00:00Z";
    return row;
}

TEST_CASE("sync: overrides that a series lost go with it, those of others and the rest stay") {
    Acme acme;
    TestHost host(acme.options());
    acme.serve(host);
    const auto who = host.sign_up();
    const auto connected = connect_acme(host, who);
    REQUIRE_MESSAGE(connected.status < 300, connected.body);
    const auto sync = [&] {
        const auto answer = sync_now(host, who);
        REQUIRE_MESSAGE(answer.status == 200, answer.body);
        const auto result = TestHost::body(answer).at("sync_result");
        return fmt::format("{} {} {}: {}", result.at("created").as_int64(),
                           result.at("updated").as_int64(), result.at("deleted").as_int64(),
                           count_in_store(host, "SELECT count(*) FROM events"));
    };
    acme.events["work"] = {item("a"), override_of("a", "a1"), override_of("a", "a2"), item("b"),
                           override_of("b", "b1")};
    CHECK(sync() == "5 0 0: 5");
    acme.events["work"] = {item("a"), override_of("a", "a2")};
    CHECK(sync() == "0 0 0: 5");
    acme.events["work"].push_back(json::object{{"id", "a"}, {"whole", true}});
    CHECK(sync() == "0 0 1: 4");
}

}  // namespace
