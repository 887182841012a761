#include <set>

#include "plugin/modules.h"
#include "plugin/xml_table.h"

namespace calhost::plugin {
namespace {

using lua::Call;
using lua::Reader;
using lua::Writer;

constexpr int kDeepest = 32;
constexpr int kMostElements = 200'000;  ///< one table many times is as many elements
constexpr std::size_t kLongestPath = 512;

Namespaces read_namespaces(Call& call, int index) {
    const auto table = call.argument(index);
    if (!table.is_table()) call.refuse(index, "a table of prefixes and namespaces is expected");
    Namespaces namespaces;
    table.each_field([&](std::string_view prefix, const Reader& uri) {
        namespaces.emplace(prefix, uri.string());
    });
    return namespaces;
}

/// xml.parse(text, namespaces)
void xml_parse(Call& call) {
    const auto root = read_xml(text_argument(call, 1), read_namespaces(call, 2));
    if (!root) return call.give_error(root.error());
    call.give([&](Writer& writer) { push_element(writer, *root); });
}

Element read_element(Call& call, const Reader& value, int depth, int& count) {
    if (depth > kDeepest) call.refuse(1, "the elements are nested too deeply");
    if (++count > kMostElements) call.refuse(1, "there are too many elements");
    Element element;
    if (value.type() == lua::Type::string) {
        element.name = value.string();
        return element;
    }
    if (!value.is_table()) call.refuse(1, "an element is a table, or the name of an empty one");
    element.name = value.string_field("name");
    element.text = value.string_field("text");
    value.with_field("attributes", [&](const Reader& table) {
        table.each_field([&](std::string_view name, const Reader& text) {
            element.attributes.emplace_back(name, text.string());
        });
    });
    std::ranges::sort(element.attributes);
    value.each_item([&](std::int64_t, const Reader& child) {
        element.children.push_back(read_element(call, child, depth + 1, count));
    });
    return element;
}

/// xml.write({ name = "D:prop", "D:getetag" }, namespaces)
void xml_write(Call& call) {
    int count = 0;
    const auto element = read_element(call, call.argument(1), 1, count);
    auto text = write_xml(element, read_namespaces(call, 2));
    if (!text) call.refuse(1, text.error().message);
    give_text(call, std::move(*text));
}

/// Follows "D:prop/D:getetag" through the first child of each name.
void at_path(const Reader& element, std::string_view path,
             const std::function<void(const Reader&)>& use) {
    if (path.empty()) return use(element);
    // Namespaces hold slashes, but only inside braces.
    const auto brace = path.starts_with('{') ? path.find('}') : 0;
    const auto end = std::min(path.find('/', std::min(brace, path.size())), path.size());
    element.with_field(path.substr(0, end), [&](const Reader& child) {
        at_path(child, path.substr(std::min(end + 1, path.size())), use);
    });
}

/// xml.text(element, "D:prop/D:getetag"): nil when it is not there.
void xml_text(Call& call) {
    const auto path = text_argument(call, 2);
    if (path.size() > kLongestPath) call.refuse(2, "the path is too long");
    std::optional<std::string_view> text;
    at_path(call.argument(1), path, [&](const Reader& found) {
        if (found.is_table()) text = found.string_field("text");
    });
    call.give([&](Writer& writer) {
        if (text)
            writer.string(*text);
        else
            writer.nil();
    });
}

}  // namespace

void push_element(Writer& writer, const Element& element) {
    writer.begin_table(static_cast<int>(element.children.size()), 4);
    writer.field("name", element.name);
    writer.field("text", element.text);
    if (!element.attributes.empty()) {
        writer.open_field("attributes", 0, static_cast<int>(element.attributes.size()));
        for (const auto& [name, value] : element.attributes) writer.field(name, value);
        writer.close_field("attributes");
    }
    std::set<std::string_view> seen;
    std::int64_t index = 0;
    for (const auto& child : element.children) {
        push_element(writer, child);
        writer.set_item(++index);
        if (!seen.insert(child.name).second) continue;
        const Reader table(writer.state(), -1);
        table.with_item(index, [&](const Reader& first) {
            writer.copy(table);
            writer.copy(first);
            writer.set_field(child.name);
        });
    }
}

void fill_xml(lua::Table& table) {
    table.function("parse", xml_parse);
    table.function("write", xml_write);
    table.function("text", xml_text);
}

}  // namespace calhost::plugin
