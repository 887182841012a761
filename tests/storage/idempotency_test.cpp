#include "storage/idempotency.h"

#include <doctest/doctest.h>

#include "storage/rows.h"

using namespace calhost;
using namespace calhost::storage;
using namespace std::chrono_literals;
using test::kNow;

namespace {

IdempotentCall call(std::string id, std::string fence, Timestamp expires_at = kNow + 2min) {
    return {.id = std::move(id),
            .fence = std::move(fence),
            .sealed_call = "v1:k1:asked",
            .expires_at = expires_at};
}

}  // namespace

TEST_CASE("idempotency: a key is claimed once, until it is released or its lease ends") {
    test::Scene scene;
    const auto claim = [&](const IdempotentCall& row, Timestamp now) {
        return scene.write([&](Sql& sql) { return claim_call(sql, row, now); });
    };
    CHECK_FALSE(claim(call("a", "first"), kNow));
    const auto held = claim(call("a", "second"), kNow + 1min);
    REQUIRE(held);
    CHECK(held->fence == "first");
    CHECK_FALSE(held->is_done);
    CHECK(held->sealed_call == "v1:k1:asked");
    CHECK_FALSE(claim(call("b", "second"), kNow));
    CHECK_FALSE(claim(call("a", "third", kNow + 4min), kNow + 2min));
    CHECK_FALSE(scene.write([](Sql& sql) { return release_call(sql, "a", "first"); }));
    CHECK(scene.write([](Sql& sql) { return release_call(sql, "a", "third"); }));
    CHECK_FALSE(claim(call("a", "fourth"), kNow));
}

TEST_CASE("idempotency: only the run that holds the fence stores an answer") {
    test::Scene scene;
    scene.write([](Sql& sql) { return claim_call(sql, call("a", "first"), kNow); });
    auto done = call("a", "stranger", kNow + 24h);
    done.sealed_call = "v1:k1:answered";
    CHECK_FALSE(scene.write([&](Sql& sql) { return finish_call(sql, done); }));
    done.fence = "first";
    CHECK(scene.write([&](Sql& sql) { return finish_call(sql, done); }));
    const auto known =
        scene.write([](Sql& sql) { return claim_call(sql, call("a", "next"), kNow + 23h); });
    REQUIRE(known);
    CHECK(known->is_done);
    CHECK(known->sealed_call == "v1:k1:answered");
    CHECK(known->expires_at == kNow + 24h);
}

TEST_CASE("idempotency: a start frees what was running and keeps what was done") {
    test::Scene scene;
    for (const auto* id : {"a", "b"})
        scene.write([&](Sql& sql) { return claim_call(sql, call(id, "f"), kNow); });
    scene.write([](Sql& sql) { return finish_call(sql, call("a", "f", kNow + 24h)); });
    CHECK(scene.write([](Sql& sql) { return release_interrupted_calls(sql); }) == 1);
    CHECK(scene.count("SELECT count(*) FROM idempotency_keys WHERE id = 'a'") == 1);
}

TEST_CASE("idempotency: old rows go faster than new ones come") {
    test::Scene scene;
    for (int i = 0; i < 100; ++i)
        scene.write(
            [&](Sql& sql) { return claim_call(sql, call("old " + std::to_string(i), "f"), kNow); });
    for (int i = 0; i < 20; ++i)
        scene.write([&](Sql& sql) {
            return claim_call(sql, call("new " + std::to_string(i), "f", kNow + 2h), kNow + 1h);
        });
    CHECK(scene.count("SELECT count(*) FROM idempotency_keys") == 20);
}
