#include "accounts/applications.h"

#include <doctest/doctest.h>

#include "base/encoding.h"
#include "storage/audit.h"
#include "support/seeded_random.h"
#include "support/test_store.h"
#include "support/virtual_time.h"

using namespace calhost;
using namespace calhost::accounts;

namespace {

struct House {
    boost::asio::io_context context;
    test::VirtualTime time{context};
    test::SeededRandom random{1};
    test::TestStore store{time};
    crypto::Keys keys{
        crypto::KeyRing::create({{"k1", Secret(std::string(32, 'k'))}}, "k1").value()};
    Applications applications{store.database(), keys, time, random};

    storage::Sql& sql() { return store.database().reader(); }
    Applications::Made add(std::string name = "shop") {
        auto made = time.wait(applications.add(
            {std::move(name), {"bookings:read", "tokens:lease"}, {"google"}}, {"operator"}));
        REQUIRE(made);
        return std::move(*made);
    }
    std::string actions() {
        std::string words;
        for (const auto& entry : storage::list_audit(sql(), {}, 100).value())
            words = entry.actor + " " + entry.action + ", " + words;
        return words;
    }
};

template <class T>
ErrorCode code_of(const Result<T>& result) {
    REQUIRE(!result.has_value());
    return result.error().code;
}

}  // namespace

TEST_CASE("applications: what is wrong with a plan is said for each field") {
    struct Case {
        ApplicationPlan plan;
        std::string fields;
    };
    const std::vector<std::string> good{"bookings:read"};
    for (const auto& row : std::vector<Case>{{{"shop-1.x_Y", good, {"google"}}, ""},
                                             {{"", good, {}}, "name "},
                                             {{std::string(65, 'x'), good, {}}, "name "},
                                             {{"two words", good, {}}, "name "},
                                             {{"new\nline", good, {}}, "name "},
                                             {{"shop", {}, {}}, "scopes "},
                                             {{"shop", {"user"}, {}}, "scopes "},
                                             {{"shop", {"admin"}, {}}, "scopes "},
                                             {{"shop", {"bookings:read", "x"}, {}}, "scopes "},
                                             {{"shop", good, {"a b"}}, "providers "},
                                             {{"", {""}, {""}}, "name scopes providers "}}) {
        CAPTURE(row.plan.name);
        std::string fields;
        for (const auto& error : check(row.plan)) fields += error.field + " ";
        CHECK(fields == row.fields);
    }
}

TEST_CASE("applications: one is made with a key, gets another, and loses both") {
    House house;
    const auto made = house.add();
    CHECK(made.key.row.application_id == made.application.id);
    CHECK(made.key.row.providers == std::vector<std::string>{"google"});
    const auto second =
        house.time.wait(house.applications.add_key({"shop", {"bookings:write"}, {}}, {"operator"}));
    REQUIRE(second);
    CHECK(storage::list_keys_of_application(house.sql(), made.application.id)->size() == 2);
    const auto remove = [&](const std::string& key) {
        return house.time.wait(
            house.applications.remove_key(made.application.id, key, {"operator"}));
    };
    CHECK(remove(second->row.id));
    CHECK(code_of(remove(second->row.id)) == ErrorCode::not_found);
    const auto end = [&] {
        return house.time.wait(house.applications.remove(made.application.id, {"user:root"}));
    };
    CHECK(end());
    CHECK(code_of(end()) == ErrorCode::not_found);
    CHECK(house.actions() ==
          "operator application.created, operator key.created, operator key.deleted, "
          "user:root application.deleted, ");
}

TEST_CASE("applications: a name is taken once, a key needs an application") {
    House house;
    house.add();
    const auto again =
        house.time.wait(house.applications.add({"shop", {"bookings:read"}, {}}, {"operator"}));
    CHECK(code_of(again) == ErrorCode::already_exists);
    const auto nobodys =
        house.time.wait(house.applications.add_key({"gym", {"bookings:read"}, {}}, {"operator"}));
    CHECK(code_of(nobodys) == ErrorCode::not_found);
    const auto wrong = house.time.wait(house.applications.add({"gym", {}, {}}, {"operator"}));
    CHECK(code_of(wrong) == ErrorCode::invalid);
    CHECK(storage::list_keys_of_user(house.sql(), "", "", 10)->empty());
}

TEST_CASE("applications: the webhook secret is sealed for its row, and opens to what signs") {
    House house;
    const auto made = house.add();
    const auto id = made.application.id;
    CHECK(house.applications.webhook_secret(made.application)->empty());
    const auto secret = house.time.wait(house.applications.make_webhook_secret(id, {"operator"}));
    REQUIRE(secret);
    CHECK(secret->expose().starts_with("whsec_"));
    const auto bytes = base64_decode(secret->expose().substr(6));
    REQUIRE(bytes);
    CHECK(bytes->size() == 32);
    auto row = storage::find_application(house.sql(), id)->value();
    CHECK(row.sealed_webhook_secret.starts_with("v1:k1:"));
    CHECK(house.applications.webhook_secret(row)->expose() == *bytes);
    row.id = "another";
    CHECK_FALSE(house.applications.webhook_secret(row));
    const auto next = house.time.wait(house.applications.make_webhook_secret(id, {"operator"}));
    CHECK(next->expose() != secret->expose());
    const auto nobodys =
        house.time.wait(house.applications.make_webhook_secret("nothing", {"operator"}));
    CHECK(code_of(nobodys) == ErrorCode::not_found);
}
