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
