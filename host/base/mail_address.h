/// Whom a mail is to or from.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace calhost {

struct MailAddress {
    std::string name;   ///< what people read; may be empty
    std::string email;  ///< "ada@example.org"

    friend bool operator==(const MailAddress&, const MailAddress&) = default;
};

/// Reads "ada@example.org" and "Ada Lovelace <ada@example.org>". *Errors*: invalid: no address,
/// or one with letters outside of ASCII, which few servers take.
Result<MailAddress> parse_mail_address(std::string_view text);

}  // namespace calhost
