/// `calhost provider check`: the contract of every provider, run against a connected account.
#pragma once

#include <boost/json/object.hpp>

#include "app/host.h"
#include "connect/token_keeper.h"

namespace calhost::app {

struct CheckQuestion {
    std::string provider;
    std::string account;  ///< id of a connection, or "user@example.com" with "/label" behind it
    std::string only;     ///< checks whose name has this; empty: all

    [[nodiscard]] boost::json::object to_json() const;
    static CheckQuestion from_json(const boost::json::object& members);
};

/// The connection that the question names. *Errors*: invalid, when there is no such provider, no
/// such connection, or it is another provider's.
Result<storage::Connection> find_account(connect::Services& services,
                                         const CheckQuestion& question);

/// Runs the checks with the provider's file as it is now, one after the other; what they write they
/// delete. Answers `{title, account, calendar, can, checks: [{name, verdict, why}]}`.
/// *Thread*: the connection's home worker. *Errors*: misconfigured, when the file does not load.
Task<Result<boost::json::object>> check_provider(const HostOptions& options,
                                                 connect::Services& services,
                                                 connect::TokenKeeper& keeper,
                                                 storage::Connection connection,
                                                 CheckQuestion question);

/// Prints the answer as a table. Gives the exit status: 1 when a check failed.
int print_checks(const boost::json::object& answer);

}  // namespace calhost::app
