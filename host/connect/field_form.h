/// What a person entered to connect an account without OAuth, checked and taken apart.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/secret.h"
#include "plugin/access.h"
#include "plugin/provider_info.h"

namespace calhost::connect {

/// A sentence about one field of the form.
struct FieldProblem {
    std::string field;
    std::string message;
};

/// By the names of the provider's `auth.fields`.
using EnteredFields = std::map<std::string, Secret>;

/// What the provider needs.
struct ReadForm {
    plugin::Account account;  ///< its data are the fields that are no password
    Secret token;             ///< "user:password", or the one password of the kind `form`
};

/// An address without a scheme is one of https. The password may go to the origin that was entered,
/// and to those of the preset with that origin. *Errors*: every field that is missing or wrong.
std::expected<ReadForm, std::vector<FieldProblem>> read_form(const plugin::ProviderInfo& provider,
                                                             const EnteredFields& fields);

/// The field of that kind, such as "password"; empty: there is none.
std::string field_of_kind(const plugin::ProviderInfo& provider, std::string_view kind);

/// The preset whose origin the account's address has, or nullptr.
const plugin::AuthPreset* preset_of(const plugin::ProviderInfo& provider, std::string_view url);

}  // namespace calhost::connect
