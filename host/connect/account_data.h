/// The account at an address that a person entered, as its connection's row keeps it.
#pragma once

#include "plugin/access.h"

namespace calhost::connect {

std::string write_account(const plugin::Account& account);

/// An account without origins, so that nothing can be sent, for text that is no account.
plugin::Account read_account(std::string_view text);

}  // namespace calhost::connect
