#include <array>

#include "base/encoding.h"
#include "plugin/modules.h"

namespace calhost::plugin {
namespace {

using lua::Call;

constexpr auto kEntities = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"&lt;", "<"},
    {"&gt;", ">"},
    {"&amp;", "&"},
    {"&quot;", "\""},
    {"&#39;", "'"},
    {"&nbsp;", " "},
    {"<br>", "\n"},
    {"<br/>", "\n"},
    {"<br />", "\n"},
});

bool begins_tag(std::string_view html) {
    if (html.size() < 2 || html[0] != '<') return false;
    const char next = html[1];
    return next == '/' || next == '!' || (next >= 'a' && next <= 'z') ||
           (next >= 'A' && next <= 'Z');
}

/// The text that the HTML shows, when line breaks and entities are all the markup that it has.
std::optional<std::string> plain_text(std::string_view html) {
    std::string text;
    text.reserve(html.size());
    while (!html.empty()) {
        const auto* const entity = std::ranges::find_if(
            kEntities, [&](const auto& row) { return html.starts_with(row.first); });
        if (entity == kEntities.end() && begins_tag(html)) return std::nullopt;
        if (entity == kEntities.end()) {
            // Most of a text is neither.
            const auto next = std::min(html.find_first_of("&<", 1), html.size());
            text += html.substr(0, next);
            html.remove_prefix(next);
        } else {
            text += entity->second;
            html.remove_prefix(entity->first.size());
        }
    }
    return text;
}

/// HTML that shows the text.
std::string as_html(std::string_view text) {
    std::string html = html_escape(text);
    for (auto at = html.find('\n'); at != std::string::npos; at = html.find('\n', at + 4))
        html.replace(at, 1, "<br>");
    return html;
}

}  // namespace

void fill_html(lua::Table& table) {
    table.function("text", [](Call& call) {
        auto text = plain_text(text_argument(call, 1));
        call.give([&](lua::Writer& writer) { text ? writer.string(*text) : writer.nil(); });
    });
    table.function("from_text",
                   [](Call& call) { give_text(call, as_html(text_argument(call, 1))); });
}

}  // namespace calhost::plugin
