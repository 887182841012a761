#include "base/json_text.h"

#include <doctest/doctest.h>

using namespace calhost;

TEST_CASE("json text: commas stand between, and strings say the same when they are read") {
    json::TextWriter out;
    out.begin_object();
    out.member("text", "a\"b\\c\n\x01\xc3\xa9[");
    out.name("list");
    out.begin_array();
    out.value(-7);
    out.value(true);
    out.value(nullptr);
    out.begin_object();
    out.end_object();
    out.begin_array();
    out.end_array();
    out.end_array();
    out.name("raw");
    out.raw("{}");
    out.member("empty", "");
    out.end_object();
    CHECK(out.take() ==
          "{\"text\":\"a\\\"b\\\\c\\n\\u0001\xc3\xa9[\",\"list\":[-7,true,null,{},[]],\"raw\":{},"
          "\"empty\":\"\"}");
}

TEST_CASE("json text: what needs an escape gets it wherever it stands") {
    for (std::size_t size = 1; size < 20; ++size)
        for (std::size_t at = 0; at < size; ++at)
            for (const auto& [c, escape] : {std::pair{'"', "\\\""},
                                            {'\\', "\\\\"},
                                            {'\x1f', "\\u001f"},
                                            {'\0', "\\u0000"},
                                            {'\x7f', "\x7f"},
                                            {'\xff', "\xff"},
                                            {' ', " "}}) {
                std::string text(size, 'a'), wanted = text, written;
                text[at] = c;
                wanted.replace(at, 1, escape);
                json::append_string(written, text);
                CHECK(written == "\"" + wanted + "\"");
            }
}
