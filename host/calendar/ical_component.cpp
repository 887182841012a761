#include "calendar/ical_component.h"

#include <libical/ical.h>

#include <cstdlib>

namespace calhost::calendar {
namespace {

using Handle = std::unique_ptr<icalcomponent, decltype(&icalcomponent_free)>;

/// Text that libical has allocated for the caller.
std::string take(char* text) {
    std::string copy = text != nullptr ? text : "";
    icalmemory_free_buffer(text);
    return copy;
}

std::string value_of(icalproperty* property) {
    const auto* value = icalproperty_get_value(property);
    if (value == nullptr) return {};
    const auto kind = icalvalue_isa(value);
    if (kind == ICAL_TEXT_VALUE || kind == ICAL_X_VALUE) {
        auto text = take(icalvalue_as_ical_string_r(value));
        return unescape(text);
    }
    return take(icalvalue_as_ical_string_r(value));
}

Property read_property(icalproperty* from) {
    Property property{.name = take(icalproperty_get_property_name_r(from)),
                      .value = value_of(from),
                      .parameters = {}};
    for (auto* parameter = icalproperty_get_first_parameter(from, ICAL_ANY_PARAMETER);
         parameter != nullptr;
         parameter = icalproperty_get_next_parameter(from, ICAL_ANY_PARAMETER)) {
        auto text = take(icalparameter_as_ical_string_r(parameter));
        const auto sign = text.find('=');
        if (sign == std::string::npos) continue;
        auto value = text.substr(sign + 1);
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
            value = value.substr(1, value.size() - 2);
        property.parameters.emplace_back(text.substr(0, sign), std::move(value));
    }
    return property;
}

}  // namespace

struct ComponentBuilder {
    static Component build(icalcomponent* from) {
        Component component;
        for (auto* property = icalcomponent_get_first_property(from, ICAL_ANY_PROPERTY);
             property != nullptr;
             property = icalcomponent_get_next_property(from, ICAL_ANY_PROPERTY))
            component.properties_.push_back(read_property(property));
        for (auto* child = icalcomponent_get_first_component(from, ICAL_ANY_COMPONENT);
             child != nullptr; child = icalcomponent_get_next_component(from, ICAL_ANY_COMPONENT))
            component.children_.push_back(build(child));
        return component;
    }
};

std::string Property::parameter(std::string_view wanted) const {
    for (const auto& [key, text] : parameters)
        if (key == wanted) return text;
    return {};
}

std::optional<Component> Component::parse(std::string_view text) {
    icalerror_set_errors_are_fatal(0);
    const Handle handle(icalparser_parse_string(std::string(text).c_str()), &icalcomponent_free);
    if (handle == nullptr) return std::nullopt;
    return ComponentBuilder::build(handle.get());
}

const Property* Component::find(std::string_view name) const {
    for (const auto& property : properties_)
        if (property.name == name) return &property;
    return nullptr;
}

std::string Component::text(std::string_view name) const {
    const auto* property = find(name);
    return property != nullptr ? property->value : std::string();
}

std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        const char next = text[++i];
        out += next == 'n' || next == 'N' ? '\n' : next;
    }
    return out;
}

std::optional<std::chrono::seconds> parse_offset(std::string_view text) {
    if ((text.size() != 5 && text.size() != 7) || (text[0] != '+' && text[0] != '-'))
        return std::nullopt;
    int digits[6] = {};
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        digits[i - 1] = text[i] - '0';
    }
    const auto total = std::chrono::hours(digits[0] * 10 + digits[1]) +
                       std::chrono::minutes(digits[2] * 10 + digits[3]) +
                       std::chrono::seconds(digits[4] * 10 + digits[5]);
    return text[0] == '-' ? -total : total;
}

}  // namespace calhost::calendar
