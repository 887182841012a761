/// Which scopes there are, and which each method takes.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace calhost::sandbox {

using Scopes = std::set<std::string, std::less<>>;

/// The scope as a token carries it: "email" and "profile" become their addresses. Empty for one
/// that is unknown here.
std::string canonical_scope(std::string_view scope);
/// True for openid, email, profile, which a person cannot untick.
bool is_identity_scope(std::string_view canonical);
/// One line for the consent page.
std::string_view describe_scope(std::string_view canonical);

std::vector<std::string> split_scopes(std::string_view text);
std::string join_scopes(const Scopes& scopes);

/// True if one of `granted` allows the method, such as "events.list".
bool allows(const Scopes& granted, std::string_view method);

}  // namespace calhost::sandbox
