#include "net/message.h"

#include <doctest/doctest.h>

using namespace calhost;
using namespace calhost::net;

TEST_CASE("message: header names compare without case and keep their order") {
    Headers headers{{"Accept", "a"}, {"X-One", "1"}, {"accept", "b"}};
    CHECK(headers.get("ACCEPT") == "a");
    CHECK(headers.has("x-one"));
    CHECK_FALSE(headers.has("x-on"));
    headers.set("accept", "c");
    CHECK(headers.size() == 2);
    CHECK(headers.get("Accept") == "c");
    headers.remove("X-ONE");
    CHECK(headers.get("X-One").empty());
}

TEST_CASE("message: a query is decoded, and the first of a name counts") {
    const auto query = Query::parse("a=1&b=x%20y+z&&a=2&empty=&flag&%C3%A4=%26").value();
    CHECK(query.get("a") == "1");
    CHECK(query.get("b") == "x y z");
    CHECK(query.has("empty"));
    CHECK(query.has("flag"));
    CHECK_FALSE(query.has("c"));
    CHECK(query.get("ä") == "&");
    CHECK(query.to_string() == "a=1&b=x%20y%20z&a=2&empty=&flag=&%C3%A4=%26");
}

TEST_CASE("message: a query that is no text is refused") {
    for (const char* text : {"a=%", "a=%4", "a=%zz", "%ff=1", "a=%c3", "a=%ed%a0%80"})
        CHECK_MESSAGE(Query::parse(text).error().code == ErrorCode::invalid, text);
}

TEST_CASE("message: cookies are found in every Cookie field, by their whole name") {
    Request request;
    request.headers.add("Cookie", "a=1; session=abc=; b=2");
    request.headers.add("cookie", "c=3");
    CHECK(request.cookie("session") == "abc=");
    CHECK(request.cookie("a") == "1");
    CHECK(request.cookie("c") == "3");
    CHECK(request.cookie("sess").empty());
    CHECK(request.cookie("ession").empty());
}

TEST_CASE("message: only a form is read as a form") {
    Request request;
    request.body = "username=a%40b&password=c+d";
    CHECK_FALSE(request.form()->has("username"));
    request.headers.set("Content-Type", "Application/x-www-form-urlencoded; charset=UTF-8");
    CHECK(request.form()->get("username") == "a@b");
    CHECK(request.form()->get("password") == "c d");
    request.body = "a=%";
    CHECK(request.form().error().code == ErrorCode::invalid);
}
