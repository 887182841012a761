/// One component as libical reads it, as plain values. The room's own.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace calhost::calendar {

struct Property {
    std::string name;   ///< upper case
    std::string value;  ///< unescaped for TEXT; of a list each item is a property of its own
    std::vector<std::pair<std::string, std::string>> parameters;

    /// The parameter's value, or empty.
    [[nodiscard]] std::string parameter(std::string_view wanted) const;
};

class Component {
  public:
    /// Nothing for text that is no component. Properties that libical cannot read are left out.
    static std::optional<Component> parse(std::string_view text);

    [[nodiscard]] const std::vector<Property>& properties() const { return properties_; }
    [[nodiscard]] const std::vector<Component>& children() const { return children_; }
    /// The first of that name, or nullptr.
    [[nodiscard]] const Property* find(std::string_view name) const;
    /// Its value, or empty.
    [[nodiscard]] std::string text(std::string_view name) const;

  private:
    friend struct ComponentBuilder;
    std::vector<Property> properties_;
    std::vector<Component> children_;
};

/// TEXT without its escapes. RFC 5545 section 3.3.11.
std::string unescape(std::string_view text);

/// "+0100", "-023000". RFC 5545 section 3.3.14.
std::optional<std::chrono::seconds> parse_offset(std::string_view text);

}  // namespace calhost::calendar
