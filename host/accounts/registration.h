/// What may be registered.
#pragma once

#include <string_view>
#include <vector>

#include "accounts/accounts.h"

namespace calhost::accounts {

/// One mailbox as people have them: `local@domain.tld`, no quoting, no comments, at most 254 bytes
/// (RFC 5321 section 4.5.3).
bool is_email_address(std::string_view text);

/// Every field that is wrong, in the order of the form.
std::vector<FieldError> check_registration(const Registration& registration,
                                           const AccountOptions& options);

}  // namespace calhost::accounts
