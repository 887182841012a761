/// `calhost app` and `calhost user`: who calls this host, for the operator.
#pragma once

#include <array>
#include <boost/json/object.hpp>

#include "connect/services.h"

namespace calhost::app {

/// The words under which the running host knows them.
inline constexpr std::array<std::string_view, 10> kPeopleCommands{
    "app.add",   "app.list",   "app.remove", "app.key",   "app.remove-key",
    "app.users", "app.secret", "user.list",  "user.role", "user.verify"};

/// What the command line says; each command reads what it needs.
struct PeopleQuestion {
    std::string command;
    std::string name;  ///< of the application
    std::vector<std::string> scopes;
    std::vector<std::string> providers;
    std::string action = "list";  ///< of `app users`: add, remove, list
    std::string email;
    std::string role;
    std::string key_id;

    [[nodiscard]] boost::json::object to_json() const;
    static PeopleQuestion from_json(const boost::json::object& object);
};

/// Does it on the store. The answer has `lines`, the text for the terminal; a new secret is the
/// last one. *Errors*: not_found, already_exists, invalid.
Task<Result<boost::json::object>> answer_people(connect::Services& services,
                                                PeopleQuestion question);

/// The answer for the terminal.
void print_lines(const boost::json::object& answer);

}  // namespace calhost::app
