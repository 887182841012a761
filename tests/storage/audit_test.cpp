#include "storage/audit.h"

#include <doctest/doctest.h>

#include "storage/rows.h"

using namespace calhost;
using namespace calhost::storage;
using test::kNow;
using test::must;

namespace {

void write(test::Scene& scene, std::string user_id, std::string action, std::string subject) {
    scene.write([&](Sql& sql) {
        return write_audit(sql, {.at = kNow,
                                 .action = action,
                                 .actor = "user:" + user_id,
                                 .user_id = user_id,
                                 .subject = subject,
                                 .details = R"({"provider":"google"})",
                                 .request_id = "r1"});
    });
}

std::string subjects(test::Scene& scene, const AuditFilter& filter, int limit = 50) {
    std::string all;
    for (const auto& entry : must(list_audit(scene.reader(), filter, limit)))
        all += (all.empty() ? "" : " ") + entry.subject;
    return all;
}

/// Four entries, the numbers 1 to 4 as subjects.
void write_four(test::Scene& scene) {
    write(scene, "ann", "connection.created", "1");
    write(scene, "bob", "user.signed_in", "2");
    write(scene, "ann", "connection.deleted", "3");
    write(scene, "ann", "connection.created", "4");
}

}  // namespace

TEST_CASE("audit: an entry is kept as it was written") {
    test::Scene scene;
    write(scene, "ann", "connection.created", "c1");
    const auto entries = must(list_audit(scene.reader(), {}, 50));
    REQUIRE(entries.size() == 1);
    const auto& entry = entries.front();
    CHECK(entry.number == 1);
    CHECK(entry.at == kNow);
    CHECK(entry.action == "connection.created");
    CHECK(entry.actor == "user:ann");
    CHECK(entry.user_id == "ann");
    CHECK(entry.subject == "c1");
    CHECK(entry.details == R"({"provider":"google"})");
    CHECK(entry.request_id == "r1");
}

TEST_CASE("audit: the newest comes first, of whom and of what was asked") {
    test::Scene scene;
    write_four(scene);
    CHECK(subjects(scene, {}) == "4 3 2 1");
    CHECK(subjects(scene, {.user_id = "ann"}) == "4 3 1");
    CHECK(subjects(scene, {.action = "connection.created"}) == "4 1");
    CHECK(subjects(scene, {.user_id = "ann", .action = "connection.deleted"}) == "3");
    CHECK(subjects(scene, {.user_id = "bob", .action = "connection.deleted"}).empty());
}

TEST_CASE("audit: a page goes on where the one before ended, though the log grew meanwhile") {
    test::Scene scene;
    write_four(scene);
    CHECK(subjects(scene, {}, 2) == "4 3");
    write(scene, "ann", "user.signed_in", "5");
    CHECK(subjects(scene, {.before = 3}, 2) == "2 1");
    CHECK(subjects(scene, {.user_id = "ann", .before = 4}, 1) == "3");
    CHECK(subjects(scene, {.action = "connection.created", .before = 4}) == "1");
    CHECK(subjects(scene, {.user_id = "ann", .action = "connection.created", .before = 4}) == "1");
}

TEST_CASE("audit: it outlives the user, and the store lets nobody change or delete an entry") {
    test::Scene scene;
    write(scene, "ann", "user.registered", "ann");
    scene.write([](Sql& sql) { return sql.execute("DELETE FROM users WHERE id = 'ann'"); });
    for (const char* statement : {"UPDATE audit_log SET actor = 'host'", "DELETE FROM audit_log"})
        CHECK_FALSE(scene.try_write([&](Sql& sql) { return sql.execute(statement); }));
    CHECK(subjects(scene, {.user_id = "ann"}) == "ann");
}
