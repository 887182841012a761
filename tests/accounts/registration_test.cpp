#include "accounts/registration.h"

#include <doctest/doctest.h>

using namespace calhost;
using namespace calhost::accounts;

namespace {

Registration good() { return {"ann@example.com", Secret("violet-kettle-anchor"), "Ann", "mentor"}; }

AccountOptions options() {
    return {.issuer = "https://cal.example", .self_service_roles = {"mentor", "mentee"}};
}

std::string fields_of(const std::vector<FieldError>& errors) {
    std::string fields;
    for (const auto& error : errors) fields += (fields.empty() ? "" : " ") + error.field;
    return fields;
}

}  // namespace

TEST_CASE("registration: an e-mail address has a local part and a domain with a dot") {
    for (const std::string_view address :
         {"ann@example.com", "a.b+calendar@mail.example.co", "o'hara@example.org",
          "jürgen@bücher.example", "1@2.example"})
        CHECK_MESSAGE(is_email_address(address), address);
    for (const std::string_view address :
         {"", "ann", "@example.com", "ann@", "ann@example", "ann@example..com", "ann@.example.com",
          "ann@example.com.", "ann @example.com", "ann@exa mple.com", "ann@@example.com",
          ".ann@example.com", "ann.@example.com", "a..n@example.com", "ann@-example.com",
          "ann@example.com\r\nBcc: eve@example.com", "ann@exam\xffple.com", "<ann@example.com>"})
        CHECK_MESSAGE(!is_email_address(address), address);
    CHECK(is_email_address(std::string(64, 'a') + "@example.com"));
    CHECK(!is_email_address(std::string(65, 'a') + "@example.com"));
}

TEST_CASE("registration: a good one has nothing wrong, with or without a role") {
    auto registration = good();
    CHECK(check_registration(registration, options()).empty());
    registration.role.clear();
    registration.name.clear();
    CHECK(check_registration(registration, options()).empty());
}

TEST_CASE("registration: every wrong field is named, in the order of the form") {
    const Registration bad{"ann", Secret("short"), std::string(201, 'n'), "admin"};
    CHECK(fields_of(check_registration(bad, options())) == "email password name role");
}

TEST_CASE("registration: a password has 12 characters to 128 bytes and is not a common one") {
    const auto password_is_refused = [](std::string password) {
        auto registration = good();
        registration.password = Secret(std::move(password));
        return fields_of(check_registration(registration, options())) == "password";
    };
    CHECK(password_is_refused("kR8#vQ2!mZp"));
    CHECK(!password_is_refused("kR8#vQ2!mZp0"));
    CHECK(password_is_refused("пароль"));  // six characters in twelve bytes
    CHECK(password_is_refused("Password1234"));
    CHECK(password_is_refused("violet-kettle\xff"));
    std::string long_one;
    while (long_one.size() < 128) long_one += "violet-kettle-anchor";
    CHECK(!password_is_refused(long_one.substr(0, 128)));
    CHECK(password_is_refused(long_one.substr(0, 129)));
}

TEST_CASE("registration: nobody makes himself an administrator, whatever the settings say") {
    auto registration = good();
    auto settings = options();
    settings.self_service_roles.emplace_back("admin");
    registration.role = "admin";
    CHECK(fields_of(check_registration(registration, settings)) == "role");
    registration.role = "boss";
    CHECK(fields_of(check_registration(registration, settings)) == "role");
}

TEST_CASE("registration: a name that forges a line is refused") {
    auto registration = good();
    registration.name = "Ann\nadmin";
    CHECK(fields_of(check_registration(registration, options())) == "name");
}
