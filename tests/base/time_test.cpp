#include "base/time.h"

#include <doctest/doctest.h>

#include "base/timeout.h"
#include "support/virtual_time.h"

using namespace calhost;
using namespace std::chrono_literals;

TEST_CASE("time: RFC 3339 reads every offset and writes UTC") {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"2026-11-20T09:00:00Z", "2026-11-20T09:00:00Z"},
        {"2026-11-20T09:00:00+02:00", "2026-11-20T07:00:00Z"},
        {"2026-11-20t09:00:00.25z", "2026-11-20T09:00:00.250Z"},
        {"2026-01-01T00:30:00+0100", "2025-12-31T23:30:00Z"},
        {"2024-02-29T00:00:00-03:30", "2024-02-29T03:30:00Z"},
        {"2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"},
        {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
    };
    for (const auto& [text, expected] : rows) {
        const auto read = parse_rfc3339(text);
        REQUIRE_MESSAGE(read.has_value(), text);
        CHECK(format_rfc3339(*read) == expected);
    }
}

TEST_CASE("time: what is no time is refused with the text that was sent") {
    for (const std::string_view text :
         {"", "2026-11-20", "2026-11-20T09:00:00", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z",
          "2026-11-20T25:00:00Z", "2026-11-20T09:61:00Z", "2026-11-20T09:00:00+2:00", "yesterday",
          "2026-11-20T09:00:00Zjunk", "20x6-11-20T09:00:00Z"}) {
        const auto read = parse_rfc3339(text);
        REQUIRE_MESSAGE(!read.has_value(), text);
        CHECK(read.error().code == ErrorCode::invalid);
    }
}

TEST_CASE("time: a virtual hour passes without waiting, in order") {
    boost::asio::io_context context;
    test::VirtualTime time(context);
    std::vector<int> order;
    auto after = [&](milliseconds wait, int mark) -> Task<> {
        co_await time.sleep(wait);
        order.push_back(mark);
    };
    boost::asio::co_spawn(context, after(1h, 2), boost::asio::detached);
    boost::asio::co_spawn(context, after(1ms, 1), boost::asio::detached);
    boost::asio::co_spawn(context, after(1h, 3), boost::asio::detached);
    const auto began = time.now();
    time.run();
    CHECK(order == std::vector{1, 2, 3});
    CHECK(time.now() - began == 1h);
}

TEST_CASE("time: an operation that takes too long ends with timeout") {
    boost::asio::io_context context;
    test::VirtualTime time(context);
    auto slow = [&](milliseconds wait) -> Task<Result<int>> {
        co_await time.sleep(wait);
        co_return 7;
    };
    CHECK(time.wait(with_timeout(time, 10s, slow(9s))).value() == 7);
    const auto late = time.wait(with_timeout(time, 10s, slow(11s)));
    CHECK(late.error().code == ErrorCode::timeout);
}
