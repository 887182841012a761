#include "config/settings.h"
#include "folder.h"

using namespace calhost;
using namespace calhost::config;
using namespace calhost::config::test;

TEST_CASE("variables: they are put in as the shell would") {
    const auto environment =
        environment_of({{"A", "a"}, {"B", "b"}, {"EMPTY", ""}, {"TRICKY", "${B}"}, {"_1", "u"}});
    const std::pair<std::string, std::string> rows[] = {
        {"", ""},
        {"plain $A $$ } text", "plain $A $$ } text"},
        {"${A}", "a"},
        {"x${A}y${B}z", "xaybz"},
        {"${_1}", "u"},
        {"${EMPTY}", ""},
        {"${A:-d}", "a"},
        {"${NONE:-d}", "d"},
        {"${EMPTY:-d}", "d"},
        {"${NONE:-}", ""},
        {"${NONE:-${B:-c}}", "b"},
        {"${NONE:-${NONE2:-c}}", "c"},
        {"${NONE:-${EMPTY:-${NONE2:-}}}", ""},
        {"${NONE:-x${A}y}z", "xayz"},
        {"${NONE:-http://127.0.0.1:8080}", "http://127.0.0.1:8080"},
        {"${A:-${NONE}}", "a"},  // a default that is not needed may name anything
        {"${TRICKY}", "${B}"},   // a value is never read again
        {"${TRICKY:-x}", "${B}"},
    };
    for (const auto& [text, expected] : rows) {
        const auto expanded = expand_variables(text, environment);
        REQUIRE_MESSAGE(expanded.has_value(), text);
        CHECK_MESSAGE(*expanded == expected, text);
    }
}

TEST_CASE("variables: what cannot be put in is refused with its name or the right form") {
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += "${A:-";
    const std::pair<std::string, std::string> rows[] = {
        {"${NONE}", "variable NONE"},
        {"${NONE:-${NONE2}}", "variable NONE2"},
        {"${", "not closed"},
        {"${A", "not closed"},
        {"${A:-", "not closed"},
        {"${A:-x", "not closed"},
        {"${A:-${B}", "not closed"},
        {deep, "not closed"},
        {"${}", "names no variable"},
        {"${1A}", "names no variable"},
        {"${A-B}", "names no variable"},
        {"${A:B}", "names no variable"},
        {"${ A }", "names no variable"},
        {"${:-x}", "names no variable"},
    };
    for (const auto& [text, part] : rows) {
        const auto expanded = expand_variables(text, environment_of({{"B", "b"}}));
        REQUIRE_MESSAGE(!expanded.has_value(), text.substr(0, 40));
        CHECK(expanded.error().code == ErrorCode::misconfigured);
        CHECK_MESSAGE(expanded.error().message.find(part) != std::string::npos, text.substr(0, 40),
                      " → ", expanded.error().message);
    }
}

TEST_CASE("variables: a .env file is read as people write it") {
    const Folder folder;
    const auto file = folder.write(".env",
                                   "# a comment\n"
                                   "\n"
                                   "PLAIN=value\n"
                                   "  SPACED =  two words  \n"
                                   "export EXPORTED=yes\r\n"
                                   "EMPTY=\n"
                                   "COMMENT=value # behind\n"
                                   "HASH=a#b\n"
                                   "EQUALS=a=b==\n"
                                   "SINGLE='${A} # \"kept\"'\n"
                                   "DOUBLE=\"line\\nnext \\\"q\\\" \\\\\" # behind\n"
                                   "PLAIN=again\n"
                                   "LAST=no line end");
    const auto read = read_env_file(file);
    REQUIRE(read.has_value());
    const std::map<std::string, std::string> expected{
        {"PLAIN", "again"},      {"SPACED", "two words"},       {"EXPORTED", "yes"},
        {"EMPTY", ""},           {"COMMENT", "value"},          {"HASH", "a#b"},
        {"EQUALS", "a=b=="},     {"SINGLE", "${A} # \"kept\""}, {"DOUBLE", "line\nnext \"q\" \\"},
        {"LAST", "no line end"},
    };
    CHECK(*read == expected);
}

TEST_CASE("variables: a .env line that is no assignment is refused with its line, not its text") {
    for (const std::string line : {"secret-text-alone", "1A=secret-text", "A B=secret-text",
                                   "A='secret-text", "A=\"secret-text", "A='x' secret-text"}) {
        const Folder folder;
        const auto file = folder.write(".env", "OK=1\n\n" + line + "\n");
        const auto read = read_env_file(file);
        REQUIRE_MESSAGE(!read.has_value(), line);
        CHECK(read.error().code == ErrorCode::misconfigured);
        CHECK(read.error().message.starts_with(file.string() + ":3: "));
        CHECK(read.error().message.find("secret-text") == std::string::npos);
    }
    CHECK(!read_env_file("/nowhere/.env").has_value());
}
