/// A plugin's schema: data in `schema.lua` that says which keys its section of the configuration
/// has.
#pragma once

#include <boost/json/object.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "config/settings.h"

namespace calhost::plugin {

struct SchemaField {
    std::string name;
    std::string type = "string";  ///< string url integer boolean duration list map
    std::string title;
    bool is_required = false;
    bool is_secret = false;  ///< never handed to Lua, never shown
    boost::json::value default_value;
    std::vector<std::string> options;  ///< the only values allowed, when not empty
    std::vector<SchemaField> fields;   ///< of a map
    /// Of a map whose keys the operator chooses: what stands under each. One, or none.
    std::vector<SchemaField> values;
};

struct Schema {
    std::vector<SchemaField> fields;
};

/// Reads `schema.lua`: a table constructor, run in a state without any library.
/// *Errors*: misconfigured, with file and reason.
Result<Schema> read_schema(const std::string& file_name, std::string_view source,
                           const Clock& clock);

/// Checks a section and puts the defaults in. `prefix` is its place, such as "providers.google".
/// Complaints name file, line and key; the values that are right are kept.
struct CheckedSection {
    boost::json::object values;
    std::vector<config::Complaint> complaints;
};
CheckedSection check_section(const Schema& schema, const config::Section& section,
                             std::string_view prefix);

/// Origins ("https://api.example:443") of the addresses in a checked section: the fields of type
/// url.
std::set<std::string> origins_in(const Schema& schema, const boost::json::object& values);

/// The section as a script may see it: without what the schema calls secret.
boost::json::object without_secrets(const Schema& schema, const boost::json::object& values);

}  // namespace calhost::plugin
