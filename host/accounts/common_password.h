/// Passwords that an attacker tries first.
#pragma once

#include <string_view>

namespace calhost::accounts {

/// True when a password of twelve characters or more is still a common one. Lists of leaked
/// passwords hold few that long, and those few are built alike: up to four pieces, each a common
/// word (in any case, with the usual digits for letters), a walk over the keyboard or the alphabet,
/// a few digits or one other sign; or a short piece again and again. This refuses the pattern
/// instead of carrying a list, and so the neighbours of the listed ones too (ASVS 5.0, 6.2.4).
bool is_common_password(std::string_view password);

}  // namespace calhost::accounts
