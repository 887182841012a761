#include "accounts/common_password.h"

#include <doctest/doctest.h>

#include <string>

using calhost::accounts::is_common_password;

TEST_CASE("common password: what people build from common pieces is refused") {
    for (const std::string_view password :
         {"password1234", "Password123!", "P@ssw0rd2026", "passwordpassword", "letmein123456",
          "iloveyou2024", "christopher1", "Summer2026!!", "welcome_home1",    "mailcreated5240",
          "admin1234567", "123456789012", "qwertyuiop12", "1qaz2wsx3edc",     "q1w2e3r4t5y6",
          "123qweasdzxc", "abcdefghijkl", "112233445566", "aaaaaaaaaaaa",     "x7!x7!x7!x7!",
          "gfhjkmgfhjkm", "a1s2d3f4g5h6", "1a2a3a4a5a6a"})
        CHECK_MESSAGE(is_common_password(password), password);
}

TEST_CASE("common password: unrelated words, sentences and random text pass") {
    for (const std::string_view password :
         {"correct horse battery staple", "violet-kettle-anchor", "we met in Lisbon in May",
          "Tr0ub4dor&3xyz", "kR8#vQ2!mZp0", "gurkensalatschnitzel", "my cat hates mondays",
          "пароль-из-трёх-слов", "9f86d081884c7d65", "bookshelf lantern 41"})
        CHECK_MESSAGE(!is_common_password(password), password);
}

TEST_CASE("common password: the longest input is looked at in whole") {
    CHECK(is_common_password(std::string(128, 'a')));
    CHECK(!is_common_password(std::string(64, 'a') + "violet-kettle-anchor"));
}
