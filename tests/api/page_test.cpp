#include "api/page.h"

#include <doctest/doctest.h>

using namespace calhost;
using namespace calhost::api;

namespace {

net::Request with(std::string query) {
    net::Request request;
    request.query = net::Query::parse(query).value();
    return request;
}

std::string text_key(const std::string& row) { return row; }

}  // namespace

TEST_CASE("pages: 50 from the beginning unless something else is asked") {
    const auto page = read_page(with(""));
    REQUIRE(page);
    CHECK(page->limit == 50);
    CHECK(page->after.empty());
    CHECK_FALSE(page->after_number());
    CHECK_FALSE(page->is_asked);
    CHECK(read_page(with("limit=200"))->limit == 200);
    CHECK(read_page(with("limit=1"))->is_asked);
    CHECK(read_page(with("cursor=" + cursor_of("x")))->is_asked);
}

TEST_CASE("pages: going on with next_cursor meets every row once, whatever the limit") {
    std::vector<std::string> all;
    for (char c = 'a'; c <= 'z'; ++c) all.push_back(std::string("ключ ") + c);
    for (const int limit : {1, 7, 13, 26, 200}) {
        CAPTURE(limit);
        std::vector<std::string> seen;
        std::string query = "limit=" + std::to_string(limit);
        for (int pages = 0; pages < 30; ++pages) {
            const auto page = read_page(with(query));
            REQUIRE(page);
            std::vector<std::string> rows;
            for (const auto& row : all)
                if (row > page->after && static_cast<int>(rows.size()) <= page->limit)
                    rows.push_back(row);
            const auto next = cut(rows, *page, text_key);
            CHECK(static_cast<int>(rows.size()) <= limit);
            seen.insert(seen.end(), rows.begin(), rows.end());
            if (next.is_null()) break;
            query = "limit=" + std::to_string(limit) + "&cursor=" + std::string(next.get_string());
        }
        CHECK(seen == all);
    }
}

TEST_CASE("pages: numbers come back as numbers") {
    const auto page = read_page(with("cursor=" + cursor_of("-42")), PageKey::number);
    REQUIRE(page);
    CHECK(page->after_number() == -42);
}

TEST_CASE("pages: a limit or a cursor that no answer had is 422") {
    for (const std::string query :
         {"limit=0", "limit=-1", "limit=201", "limit=x", "limit=5x", "limit=1.5", "limit=%205",
          "limit=99999999999999999999", "cursor=%21", "cursor=a", "cursor=eA==", "cursor=_w",
          "cursor=x%20"}) {
        CAPTURE(query);
        const auto page = read_page(with(query));
        REQUIRE_FALSE(page);
        CHECK(page.error().status == 422);
    }
    CHECK_FALSE(read_page(with("cursor=" + std::string(2000, 'a'))));
    for (const std::string key : {"x", "1x", "99999999999999999999"})
        CHECK_FALSE(read_page(with("cursor=" + cursor_of(key)), PageKey::number));
    CHECK(read_page(with("limit=0&cursor=a")).error().body.contains("\"cursor\""));
}
