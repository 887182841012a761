#include "accounts/accounts.h"

#include <doctest/doctest.h>

#include "crypto/crypto.h"
#include "crypto/password.h"
#include "support/seeded_random.h"
#include "support/test_store.h"
#include "support/virtual_time.h"

using namespace calhost;
using namespace std::chrono_literals;
using accounts::Accounts;
using accounts::Registration;

namespace {

constexpr const char* kIssuer = "https://cal.example";
constexpr const char* kPassword = "violet-kettle-anchor";

/// Real Argon2id is the hasher's test; here the hash shows what was asked.
class FakeHasher final : public accounts::Hasher {
  public:
    Task<Result<std::string>> hash(Secret password) override {
        ++hashes;
        if (is_full) co_return full();
        co_return "fake:" + std::string(password.expose());
    }
    Task<Result<bool>> verify(std::string hash, Secret password) override {
        ++verifications;
        if (is_full) co_return full();
        co_return !hash.empty() && hash == "fake:" + std::string(password.expose());
    }
    void close() override {}

    int hashes = 0, verifications = 0;
    bool is_full = false;

  private:
    static std::unexpected<Error> full() {
        return fail(Error{ErrorCode::rate_limited, "later", 1s});
    }
};

crypto::TokenSigner signer(std::string secret = "a secret of at least thirty-two bytes") {
    auto made = crypto::TokenSigner::create(Secret(std::move(secret)));
    REQUIRE(made);
    return std::move(*made);
}

struct House {
    explicit House(accounts::AccountOptions options = {.issuer = kIssuer,
                                                       .self_service_roles = {"mentor", "mentee"}})
        : accounts(store.database(), hasher, throttle, signer(), time, random, std::move(options)) {
    }

    Result<storage::User> add(std::string email = "Ann@Example.com", std::string role = "mentor") {
        return time.wait(
            accounts.register_user({std::move(email), Secret(kPassword), "Ann", std::move(role)}));
    }
    Result<accounts::SignedIn> sign_in(std::string email = "ann@example.com",
                                       std::string password = kPassword,
                                       std::string address = "192.0.2.1") {
        return time.wait(
            accounts.sign_in(std::move(email), Secret(std::move(password)), std::move(address)));
    }
    std::string token() {
        auto signed_in = sign_in();
        REQUIRE(signed_in);
        return std::string(signed_in->access_token.expose());
    }
    void write(storage::Write work) {
        REQUIRE(time.wait(store.database().write(std::move(work))));
        time.run();
    }

    boost::asio::io_context context;
    test::VirtualTime time{context};
    test::SeededRandom random{1};
    test::TestStore store{time};
    FakeHasher hasher;
    accounts::Throttle throttle{time};
    Accounts accounts;
};

boost::json::object good_claims(const House& house, std::string_view user_id) {
    const auto now = to_millis(house.time.now()) / 1000;
    return {{"iss", kIssuer}, {"aud", kIssuer}, {"sub", user_id},
            {"iat", now},     {"nbf", now},     {"exp", now + 900}};
}

template <class T>
ErrorCode code_of(const Result<T>& result) {
    REQUIRE(!result.has_value());
    return result.error().code;
}

}  // namespace

TEST_CASE("accounts: a registered user is stored as given and can be found") {
    House house;
    const auto user = house.add();
    REQUIRE(user);
    const auto found = house.accounts.find(user->id);
    REQUIRE(found);
    CHECK(found->email == "Ann@Example.com");
    CHECK(!found->is_email_verified);
    CHECK(found->name == "Ann");
    CHECK(found->role == "mentor");
    CHECK(found->time_zone == "Etc/UTC");
    CHECK(found->created_at == house.time.now());
    CHECK(code_of(house.accounts.find("nobody")) == ErrorCode::not_found);
}

TEST_CASE("accounts: an address is taken in any case, without the cost of a hash") {
    House house;
    REQUIRE(house.add("ann@example.com"));
    const int before = house.hasher.hashes;
    CHECK(code_of(house.add("ANN@example.COM")) == ErrorCode::already_exists);
    CHECK(house.hasher.hashes == before);
}

TEST_CASE("accounts: of two registrations of one address side by side one wins") {
    House house;
    int won = 0, taken = 0;
    for (int i = 0; i < 2; ++i)
        boost::asio::co_spawn(
            house.context,
            house.accounts.register_user({"ann@example.com", Secret(kPassword), "", ""}),
            [&](std::exception_ptr, Result<storage::User> user) {
                if (user) ++won;
                if (!user && user.error().code == ErrorCode::already_exists) ++taken;
            });
    house.time.run();
    CHECK(won == 1);
    CHECK(taken == 1);
}

TEST_CASE("accounts: closed and invite-only hosts register nobody, and wrong input is refused") {
    for (const auto* registration : {"closed", "invite"}) {
        House house({.issuer = kIssuer, .registration = registration});
        CHECK(code_of(house.add("ann@example.com", "")) == ErrorCode::forbidden);
    }
    House house;
    CHECK(code_of(house.add("ann@example.com", "admin")) == ErrorCode::invalid);
    CHECK(code_of(house.add("ann")) == ErrorCode::invalid);
    house.hasher.is_full = true;
    CHECK(code_of(house.add("ann@example.com")) == ErrorCode::rate_limited);
}

TEST_CASE("accounts: the token says who, for whom and how long") {
    House house;
    const auto user = house.add();
    REQUIRE(user);
    const auto signed_in = house.sign_in();
    REQUIRE(signed_in);
    CHECK(signed_in->expires_in == 900s);
    const auto claims = signer().verify(signed_in->access_token.expose());
    REQUIRE(claims);
    const auto now = to_millis(house.time.now()) / 1000;
    CHECK(claims->at("iss").as_string() == kIssuer);
    CHECK(claims->at("aud").as_string() == kIssuer);
    CHECK(claims->at("sub").as_string() == std::string_view(user->id));
    CHECK(claims->at("iat").as_int64() == now);
    CHECK(claims->at("nbf").as_int64() == now);
    CHECK(claims->at("exp").as_int64() == now + 900);
    CHECK(!claims->contains("role"));

    const auto principal = house.accounts.verify(signed_in->access_token.expose());
    REQUIRE(principal);
    CHECK(principal->user_id == user->id);
    CHECK(principal->role == "mentor");
    CHECK(principal->expires_at == house.time.now() + 900s);
}

TEST_CASE("accounts: an unknown address, a wrong password and no password answer the same") {
    House house;
    REQUIRE(house.add());
    const auto federated = house.add("bob@example.com");
    REQUIRE(federated);
    house.write(
        [&](storage::Sql& sql) { return storage::update_password_hash(sql, federated->id, ""); });
    const auto wrong = house.sign_in("ann@example.com", "wrong-kettle-anchor", "192.0.2.1");
    const auto unknown = house.sign_in("eve@example.com", kPassword, "192.0.2.2");
    const auto passwordless = house.sign_in("bob@example.com", kPassword, "192.0.2.3");
    CHECK(house.hasher.verifications == 3);
    for (const auto* answer : {&wrong, &unknown, &passwordless}) {
        CHECK(code_of(*answer) == ErrorCode::unauthorized);
        CHECK(answer->error().message == wrong.error().message);
        CHECK(!answer->error().retry_after);
    }
}

TEST_CASE("accounts: guessing at an account waits 1 s, 2 s, 4 s from wherever it comes") {
    House house;
    REQUIRE(house.add());
    int guess = 0;
    for (const milliseconds wait : {1'000ms, 2'000ms, 4'000ms, 8'000ms}) {
        const auto address = "192.0.2." + std::to_string(++guess);
        CHECK(code_of(house.sign_in("ann@example.com", "wrong", address)) ==
              ErrorCode::unauthorized);
        const auto early = house.sign_in("ANN@example.com", kPassword, "198.51.100.1");
        CHECK(code_of(early) == ErrorCode::rate_limited);
        CHECK(early.error().retry_after == wait);
        house.time.advance(wait);
    }
    CHECK(house.sign_in());
    CHECK(code_of(house.sign_in("ann@example.com", "wrong")) == ErrorCode::unauthorized);
    house.time.advance(1s);
    CHECK(house.sign_in());
}

TEST_CASE("accounts: an unknown address is throttled like a known one") {
    House house;
    CHECK(code_of(house.sign_in("eve@example.com")) == ErrorCode::unauthorized);
    CHECK(code_of(house.sign_in("eve@example.com")) == ErrorCode::rate_limited);
}

TEST_CASE("accounts: one network address may fail ten times, then waits; a success is no pardon") {
    House house;
    REQUIRE(house.add());
    // All of a /64 is one guesser.
    const auto address = [](int i) { return "2001:db8:1:2::" + std::to_string(i); };
    for (int i = 0; i < 11; ++i)
        CHECK(code_of(house.sign_in("guess" + std::to_string(i) + "@example.com", kPassword,
                                    address(i))) == ErrorCode::unauthorized);
    CHECK(code_of(house.sign_in("ann@example.com", kPassword, address(99))) ==
          ErrorCode::rate_limited);
    CHECK(house.sign_in("ann@example.com", kPassword, "2001:db8:1:3::1"));
    house.time.advance(1s);
    CHECK(house.sign_in("ann@example.com", kPassword, address(99)));
    CHECK(code_of(house.sign_in("guess@example.com", kPassword, address(5))) ==
          ErrorCode::unauthorized);
    const auto again = house.sign_in("ann@example.com", kPassword, address(99));
    CHECK(code_of(again) == ErrorCode::rate_limited);
    CHECK(again.error().retry_after == 2s);
}

TEST_CASE("accounts: a full hashing queue is no failed attempt") {
    House house;
    REQUIRE(house.add());
    house.hasher.is_full = true;
    const auto later = house.sign_in();
    CHECK(code_of(later) == ErrorCode::rate_limited);
    CHECK(later.error().retry_after == 1s);
    house.hasher.is_full = false;
    CHECK(house.sign_in());
}

TEST_CASE("accounts: a hash of other costs is made anew at sign-in") {
    House house;
    const auto user = house.add();
    REQUIRE(user);
    REQUIRE(crypto::needs_rehash(user->password_hash));
    const int before = house.hasher.hashes;
    house.token();
    CHECK(house.hasher.hashes == before + 1);
    house.hasher.is_full = false;
    CHECK(house.sign_in());
}

TEST_CASE("accounts: a token lives its 15 minutes and 60 s of skew, cached or not") {
    for (const bool is_cached : {true, false}) {
        House house;
        REQUIRE(house.add());
        const auto token = house.token();
        if (is_cached) REQUIRE(house.accounts.verify(token));
        house.time.advance(15min + 60s);
        CHECK(house.accounts.verify(token));
        house.time.advance(1ms);
        CHECK(code_of(house.accounts.verify(token)) == ErrorCode::unauthorized);
    }
}

TEST_CASE("accounts: every claim is checked") {
    House house;
    const auto user = house.add();
    REQUIRE(user);
    const auto now = to_millis(house.time.now()) / 1000;
    const auto verify = [&](std::string_view name, const boost::json::value& value) {
        auto claims = good_claims(house, user->id);
        claims[name] = value;
        return house.accounts.verify(signer().sign(claims)).has_value();
    };
    CHECK(verify("extra", "ignored"));
    CHECK(verify("nbf", now + 60));
    CHECK(verify("iat", now + 60));
    const std::pair<std::string_view, boost::json::value> refused[] = {
        {"iss", "https://evil.example"},
        {"iss", nullptr},
        {"aud", "another"},
        {"aud", boost::json::array{kIssuer, "another"}},
        {"sub", "nobody"},
        {"sub", 7},
        {"exp", now - 61},
        {"exp", "tomorrow"},
        {"exp", nullptr},
        {"exp", std::int64_t{9'000'000'000'000'000'000}},
        {"exp", 1e300},
        {"exp", (std::int64_t{1} << 61) + now + 900},  // in ms it wraps to the near future
        {"nbf", now + 61},
        {"nbf", "now"},
        {"iat", now + 61},
        {"iat", nullptr},
        {"iat", -1},
    };
    for (const auto& [name, value] : refused)
        CHECK_MESSAGE(!verify(name, value), name << ": " << boost::json::serialize(value));
    for (const auto* name : {"iss", "aud", "sub", "exp", "iat"}) {
        auto claims = good_claims(house, user->id);
        claims.erase(name);
        CHECK_MESSAGE(!house.accounts.verify(signer().sign(claims)), name);
    }
}

TEST_CASE("accounts: another's signature, a damaged token and no token are refused alike") {
    House house;
    const auto user = house.add();
    REQUIRE(user);
    const auto claims = good_claims(house, user->id);
    auto damaged = signer().sign(claims);
    damaged[damaged.size() / 2] = damaged[damaged.size() / 2] == 'A' ? 'B' : 'A';
    for (const auto& token : {signer("another secret of thirty-two bytes").sign(claims), damaged,
                              std::string(), std::string("a.b.c"), std::string(9000, 'a')}) {
        const auto principal = house.accounts.verify(token);
        CHECK(code_of(principal) == ErrorCode::unauthorized);
        CHECK(principal.error().message == "The access token is not valid. Sign in again.");
    }
}

TEST_CASE("accounts: a remembered token is dropped when the user changes or goes") {
    House house;
    const auto user = house.add();
    const auto other = house.add("bob@example.com", "mentee");
    REQUIRE(user);
    REQUIRE(other);
    const auto token = house.token();
    CHECK(house.accounts.verify(token)->role == "mentor");
    house.write([&](storage::Sql& sql) -> Result<void> {
        auto done = sql.execute("UPDATE users SET role = $1 WHERE id = $2", {"mentee", user->id});
        if (!done) return fail(done.error());
        sql.notify({"users", user->id, user->id});
        return {};
    });
    CHECK(house.accounts.verify(token)->role == "mentee");
    house.write([&](storage::Sql& sql) -> Result<void> {
        auto done = storage::delete_user(sql, user->id);
        if (!done) return fail(done.error());
        return {};
    });
    CHECK(code_of(house.accounts.verify(token)) == ErrorCode::unauthorized);
}

TEST_CASE("accounts: a remembered token is answered without a signature or a read") {
    House house;
    const auto user = house.add();
    REQUIRE(user);
    const auto token = house.token();
    REQUIRE(house.accounts.verify(token));
    // Changed behind the store's back: only a read would see it.
    house.write([&](storage::Sql& sql) -> Result<void> {
        auto done = sql.execute("UPDATE users SET role = $1 WHERE id = $2", {"mentee", user->id});
        if (!done) return fail(done.error());
        return {};
    });
    CHECK(house.accounts.verify(token)->role == "mentor");
}
