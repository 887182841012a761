/// What people enter to connect an account without OAuth: the fields of a form, and the well-known
/// services that fill them in.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace calhost::plugin {

struct AuthField {
    std::string name;
    std::string title;
    std::string kind;  ///< text password url
    bool is_required = true;
    std::string help;
};

/// A service whose address is known, or at least its form.
struct AuthPreset {
    std::string title;
    std::string url;      ///< where its accounts are found; empty: each person's is another
    std::string example;  ///< what such an address looks like
    /// Where the password may go besides the origin of `url`: "https://*.icloud.com".
    std::vector<std::string> origins;
    std::string help;  ///< the page on which people make a password for this host
};

/// `fields` of a provider's `auth`; the kind `basic` has url, username and password unless it says
/// otherwise. *Errors*: misconfigured, naming what is wrong.
Result<std::vector<AuthField>> read_auth_fields(const boost::json::value& auth,
                                                std::string_view kind);
/// `presets` of a provider's `auth`. *Errors*: as above.
Result<std::vector<AuthPreset>> read_auth_presets(const boost::json::value& auth);

}  // namespace calhost::plugin
