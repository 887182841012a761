#include "plugin/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/url/parse.hpp>
#include <span>

#include "base/json.h"
#include "config/values.h"
#include "lua/state.h"
#include "net/url.h"

namespace calhost::plugin {
namespace {

namespace bj = boost::json;

constexpr std::array kTypes{"string", "url", "integer", "boolean", "duration", "list", "map"};

constexpr std::array<std::string_view, 9> kMembers{
    "name", "type", "title", "required", "secret", "default", "options", "fields", "values"};

Result<std::vector<SchemaField>> read_fields(const bj::value* list);

/// A member of another name would be passed over, and the field would not be what it says.
Result<void> check_members(const bj::value& table, std::span<const std::string_view> known,
                           std::string_view of) {
    if (!table.is_object()) return {};
    for (const auto& member : table.get_object()) {
        const std::string_view name = member.key();
        if (std::ranges::find(known, name) != known.end()) continue;
        return fail(ErrorCode::misconfigured, fmt::format("{} has the unknown member '{}'; {}", of,
                                                          name, config::suggestion(name, known)));
    }
    return {};
}

Result<SchemaField> read_field(const bj::value& raw, std::string name) {
    SchemaField field;
    field.name = std::move(name);
    if (field.name.empty()) return fail(ErrorCode::misconfigured, "a field has no name");
    if (auto checked = check_members(raw, kMembers, fmt::format("field '{}'", field.name));
        !checked)
        return fail(checked.error());
    if (const auto type = json::text_of(raw, "type"); !type.empty()) field.type = type;
    if (std::ranges::find(kTypes, field.type) == kTypes.end())
        return fail(ErrorCode::misconfigured,
                    fmt::format("field '{}' has the unknown type '{}'; known are {}", field.name,
                                field.type, fmt::join(kTypes, ", ")));
    field.title = json::text_of(raw, "title");
    const auto flag = [&](std::string_view name) {
        const auto* found = json::find(raw, name);
        return found != nullptr && found->is_bool() && found->get_bool();
    };
    field.is_required = flag("required");
    field.is_secret = flag("secret");
    if (const auto* value = json::find(raw, "default")) field.default_value = *value;
    if (const auto* options = json::find(raw, "options"); options != nullptr && options->is_array())
        for (const auto& option : options->get_array())
            if (option.is_string()) field.options.emplace_back(option.get_string());
    auto nested = read_fields(json::find(raw, "fields"));
    if (!nested) return fail(nested.error());
    field.fields = std::move(*nested);
    if (const auto* each = json::find(raw, "values")) {
        auto value = read_field(*each, field.name);
        if (!value) return value;
        field.values.push_back(std::move(*value));
    }
    return field;
}

Result<std::vector<SchemaField>> read_fields(const bj::value* list) {
    std::vector<SchemaField> fields;
    if (list == nullptr || !list->is_array()) return fields;
    for (const auto& raw : list->get_array()) {
        auto field = read_field(raw, std::string(json::text_of(raw, "name")));
        if (!field) return fail(field.error());
        fields.push_back(std::move(*field));
    }
    return fields;
}

Result<std::vector<SchemaField>> read_table(const bj::value& table) {
    constexpr std::array<std::string_view, 1> kOnly{"fields"};
    if (auto checked = check_members(table, kOnly, "the schema"); !checked)
        return fail(checked.error());
    return read_fields(json::find(table, "fields"));
}

bool is_type(const SchemaField& field, const bj::value& value) {
    if (field.type == "integer") return value.is_int64() || value.is_uint64();
    if (field.type == "boolean") return value.is_bool();
    if (field.type == "list") return value.is_array();
    if (field.type == "map") return value.is_object();
    if (!value.is_string()) return false;
    if (field.type != "url") return true;
    const auto url = boost::urls::parse_uri(std::string_view(value.get_string()));
    return url.has_value() && (url->scheme() == "http" || url->scheme() == "https");
}

/// Walks a section beside its schema.
class Checker {
  public:
    Checker(const config::Section& section, std::vector<config::Complaint>& complaints)
        : section_(section), complaints_(complaints) {}

    bj::object check(const std::vector<SchemaField>& fields, const bj::object& given,
                     const std::string& path, std::string_view prefix) {
        bj::object values;
        for (const auto& member : given) {
            const auto known =
                std::ranges::find(fields, std::string_view(member.key()), &SchemaField::name);
            const std::string key = path + std::string(member.key());
            if (known == fields.end())
                complain(key, prefix, "is not a key of this section; see its schema.lua");
            else
                keep(*known, member, key, prefix, values);
        }
        for (const auto& field : fields) fill(field, values, path, prefix);
        return values;
    }

  private:
    static bool is_empty(const bj::value& value) {
        return value.is_null() || (value.is_string() && value.get_string().empty());
    }
    static bool is_option(const SchemaField& field, const bj::value& value) {
        return value.is_string() &&
               std::ranges::find(field.options, std::string_view(value.get_string())) !=
                   field.options.end();
    }

    /// Puts the member into `values` if it is what the field says.
    void keep(const SchemaField& field, const bj::key_value_pair& member, const std::string& key,
              std::string_view prefix, bj::object& values) {
        const auto& value = member.value();
        if (is_empty(value)) return;  // an unset variable is the same as a key that is not there
        if (!is_type(field, value))
            complain(key, prefix, fmt::format("must be a {}", field.type));
        else if (!field.options.empty() && !is_option(field, value))
            complain(key, prefix, fmt::format("must be one of {}", fmt::join(field.options, ", ")));
        else if (field.type != "map")
            values[member.key()] = value;
        else if (field.values.empty())
            values[member.key()] = check(field.fields, value.get_object(), key + ".", prefix);
        else
            values[member.key()] =
                check_each(field.values.front(), value.get_object(), key + ".", prefix);
    }

    bj::object check_each(const SchemaField& each, const bj::object& given, const std::string& path,
                          std::string_view prefix) {
        bj::object values;
        for (const auto& member : given)
            keep(each, member, path + std::string(member.key()), prefix, values);
        return values;
    }

    void fill(const SchemaField& field, bj::object& values, const std::string& path,
              std::string_view prefix) {
        if (values.contains(field.name)) return;
        if (field.type == "map")
            values[field.name] = check(field.fields, {}, path + field.name + ".", prefix);
        else if (!field.default_value.is_null())
            values[field.name] = field.default_value;
        else if (field.is_required)
            complain(path + field.name, prefix, "is missing");
    }

    void complain(const std::string& key, std::string_view prefix, std::string message) {
        const auto line = section_.lines.find(key);
        complaints_.push_back({.file = section_.file,
                               .line = line == section_.lines.end() ? 0 : line->second,
                               .key = fmt::format("{}.{}", prefix, key),
                               .message = std::move(message),
                               .is_error = true});
    }

    const config::Section& section_;
    std::vector<config::Complaint>& complaints_;
};

void add_origins(const SchemaField& field, const bj::value& value, std::set<std::string>& origins) {
    if (field.type == "url") {
        if (const auto url = net::Url::parse(std::string_view(value.get_string())))
            origins.insert(url->origin());
        return;
    }
    if (field.type != "map") return;
    for (const auto& member : value.get_object()) {
        if (!field.values.empty())
            add_origins(field.values.front(), member.value(), origins);
        else if (const auto inner = std::ranges::find(field.fields, std::string_view(member.key()),
                                                      &SchemaField::name);
                 inner != field.fields.end())
            add_origins(*inner, member.value(), origins);
    }
}

}  // namespace

Result<Schema> read_schema(const std::string& file_name, std::string_view source,
                           const Clock& clock) {
    auto state = lua::State::create({.name = file_name}, clock);
    if (!state) return fail(state.error());
    auto loaded = (*state)->load(file_name, source);
    if (!loaded)
        return fail(ErrorCode::misconfigured,
                    fmt::format("{} cannot be read: {}", file_name, loaded.error().traceback));
    Result<bj::value> raw = fail(ErrorCode::misconfigured, file_name + " returns nothing");
    (*state)->look(*loaded, [&](const lua::Reader& reader) { raw = reader.json(); });
    if (!raw)
        return fail(ErrorCode::misconfigured,
                    fmt::format("{}: {}", file_name, raw.error().message));
    auto fields = read_table(*raw);
    if (!fields)
        return fail(ErrorCode::misconfigured,
                    fmt::format("{}: {}", file_name, fields.error().message));
    return Schema{std::move(*fields)};
}

CheckedSection check_section(const Schema& schema, const config::Section& section,
                             std::string_view prefix) {
    CheckedSection checked;
    Checker checker(section, checked.complaints);
    checked.values = checker.check(schema.fields, section.values, "", prefix);
    return checked;
}

std::set<std::string> origins_in(const Schema& schema, const boost::json::object& values) {
    std::set<std::string> origins;
    for (const auto& field : schema.fields)
        if (const auto* value = values.if_contains(field.name)) add_origins(field, *value, origins);
    return origins;
}

boost::json::object without_secrets(const Schema& schema, const boost::json::object& values) {
    boost::json::object open = values;
    for (const auto& field : schema.fields)
        if (field.is_secret) open.erase(field.name);
    return open;
}

}  // namespace calhost::plugin
