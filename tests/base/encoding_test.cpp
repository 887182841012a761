#include "base/encoding.h"

#include <doctest/doctest.h>

using namespace calhost;

TEST_CASE("encoding: UTF-8 is told from what is not, wherever it stands") {
    const std::pair<std::string_view, bool> pieces[] = {
        {"", true},
        {"\xc3\xa9", true},
        {"\xe2\x82\xac", true},
        {"\x7f", true},
        {"\xf0\x9f\x8d\xb5", true},
        {"\x80", false},
        {"\xc3", false},
        {"\xc0\xaf", false},
        {"\xe0\x80\xaf", false},
        {"\xed\xa0\x80", false},
        {"\xf4\x90\x80\x80", false},
        {"\xff", false},
    };
    for (const auto& [piece, is_good] : pieces)
        for (std::size_t before = 0; before < 18; ++before)
            for (const std::size_t after : {0U, 1U, 9U}) {
                const auto text =
                    std::string(before, 'a') + std::string(piece) + std::string(after, 'b');
                CHECK_MESSAGE(is_utf8(text) == is_good, text.size());
            }
}
