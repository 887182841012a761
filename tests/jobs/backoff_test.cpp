#include "jobs/backoff.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/seeded_random.h"

using namespace calhost;
using namespace calhost::jobs;
using namespace std::chrono_literals;

TEST_CASE("backoff: full jitter stays within its bound and uses all of it") {
    test::SeededRandom random(1);
    const struct {
        int attempts;
        milliseconds limit;
    } rows[] = {{1, 1s}, {2, 2s}, {3, 4s}, {11, 1024s}, {12, 2048s}, {13, 1h}, {25, 1h}, {999, 1h}};
    for (const auto& row : rows) {
        CAPTURE(row.attempts);
        milliseconds least = 2h, most = 0ms;
        for (int i = 0; i < 1000; ++i) {
            const auto delay = retry_delay({}, row.attempts, random);
            least = std::min(least, delay);
            most = std::max(most, delay);
        }
        CHECK(least >= 0ms);
        CHECK(least < row.limit / 20);
        CHECK(most <= row.limit);
        CHECK(most > row.limit - row.limit / 20);
    }
}

TEST_CASE("backoff: the code decides between another try and the end") {
    test::SeededRandom random(1);
    using enum Ending::Kind;
    const struct {
        ErrorCode code;
        int attempts;
        Ending::Kind kind;
    } rows[] = {
        {ErrorCode::unavailable, 1, retry},  {ErrorCode::timeout, 24, retry},
        {ErrorCode::rate_limited, 1, retry}, {ErrorCode::invalid_response, 1, retry},
        {ErrorCode::cancelled, 1, retry},    {ErrorCode::unavailable, 25, bury},
        {ErrorCode::needs_reauth, 1, bury},  {ErrorCode::invalid, 1, bury},
        {ErrorCode::misconfigured, 1, bury}, {ErrorCode::not_found, 1, bury},
    };
    for (const auto& row : rows) {
        CAPTURE(to_string(row.code));
        const auto ending = decide_ending({.attempts = row.attempts}, fail(row.code, "Why."), {},
                                          Timestamp{}, random);
        CHECK(ending.kind == row.kind);
        CHECK(ending.error.ends_with("Why."));
    }
    CHECK(decide_ending({.attempts = 25}, {}, {}, Timestamp{}, random).kind == finish);
}

TEST_CASE("backoff: what the other side demanded is a minimum") {
    test::SeededRandom random(1);
    for (int i = 0; i < 100; ++i) {
        const Result<void> limited =
            fail(Error{ErrorCode::rate_limited, "Later.", milliseconds{90'000}});
        const auto early = decide_ending({.attempts = 1}, limited, {}, Timestamp{}, random);
        CHECK(early.run_at == Timestamp{90s});  // jitter of the first try is below it
        CHECK(early.not_before == Timestamp{90s});
        const auto late = decide_ending({.attempts = 20}, limited, {}, Timestamp{}, random);
        CHECK(late.run_at >= Timestamp{90s});
        CHECK(late.run_at <= Timestamp{1h});
    }
}

TEST_CASE("backoff: a try that the other side postponed does not count") {
    test::SeededRandom random(1);
    using enum Ending::Kind;
    const Result<void> limited =
        fail(Error{ErrorCode::rate_limited, "Later.", milliseconds{9'000}});
    for (const int attempts : {1, 25, 26}) {
        const auto ending = decide_ending({.attempts = attempts}, limited, {}, Timestamp{}, random);
        CHECK(ending.kind == retry);
        CHECK_FALSE(ending.is_counted);
    }
    const Result<void> vague = fail(ErrorCode::rate_limited, "Later.");
    CHECK(decide_ending({.attempts = 1}, vague, {}, Timestamp{}, random).is_counted);
    CHECK(decide_ending({.attempts = 25}, vague, {}, Timestamp{}, random).kind == bury);
    const Result<void> down = fail(Error{ErrorCode::unavailable, "Down.", milliseconds{9'000}});
    CHECK(decide_ending({.attempts = 25}, down, {}, Timestamp{}, random).kind == bury);
}

TEST_CASE("backoff: only a job with a connection waits for it to be connected again") {
    test::SeededRandom random(1);
    using enum Ending::Kind;
    const Result<void> refused = fail(ErrorCode::needs_reauth, "Connect again.");
    const auto kind = [&](storage::Job job) {
        return decide_ending(job, refused, {}, Timestamp{}, random).kind;
    };
    CHECK(kind({.connection_id = "c1", .attempts = 1}) == retry);
    CHECK(kind({.connection_id = "c1", .attempts = 25}) == bury);
    CHECK(kind({.attempts = 1}) == bury);
}
