#include "accounts/keys.h"

#include <doctest/doctest.h>

#include "crypto/crypto.h"
#include "support/seeded_random.h"

using namespace calhost;
using namespace calhost::accounts;

TEST_CASE("api keys: a new one has 256 bits behind its mark, and only its hash is stored") {
    test::SeededRandom random(1);
    const auto made = make_key({.name = "server"}, from_millis(7), random);
    const auto other = make_key({.name = "server"}, from_millis(7), random);
    CHECK(is_api_key(made.secret.expose()));
    CHECK(made.secret.expose().size() == 8 + 43);
    CHECK(made.secret.expose() != other.secret.expose());
    CHECK(made.row.id != other.row.id);
    CHECK(made.row.hash == crypto::token_hash(made.secret));
    CHECK(made.row.created_at == from_millis(7));
    CHECK(made.row.name == "server");
}

TEST_CASE("api keys: what only looks like one is not looked up") {
    const std::string tail(43, 'x');
    CHECK(is_api_key("calhost_" + tail));
    for (const std::string& text :
         {std::string(), tail, "calhost_" + tail + "x", "calhost_" + tail.substr(1),
          "Calhost_" + tail, "calhost-" + tail, "calhost_" + std::string(43, '.'),
          "calhost_" + std::string(42, 'x') + "=", "calhost_" + std::string(42, 'x') + "/"}) {
        CAPTURE(text);
        CHECK_FALSE(is_api_key(text));
    }
}
