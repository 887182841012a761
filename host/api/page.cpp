#include "api/page.h"

#include <charconv>

#include "api/problem.h"
#include "base/encoding.h"

namespace calhost::api {
namespace {

constexpr int kMost = 200;
constexpr std::size_t kLongestCursor = 1024;

template <class T>
std::optional<T> read_number(std::string_view text) {
    T number{};
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<std::string> read_cursor(std::string_view text, PageKey kind) {
    if (text.size() > kLongestCursor) return std::nullopt;
    auto key = base64_decode(text);
    if (!key || key->empty() || !is_utf8(*key) || cursor_of(*key) != text) return std::nullopt;
    if (kind == PageKey::number && !read_number<std::int64_t>(*key)) return std::nullopt;
    return std::move(*key);
}

}  // namespace

std::optional<std::int64_t> Page::after_number() const { return read_number<std::int64_t>(after); }

std::string cursor_of(std::string_view key) { return base64url_encode(key); }

std::expected<Page, net::Response> read_page(const net::Request& request, PageKey key) {
    Page page;
    std::vector<accounts::FieldError> errors;
    if (const auto text = request.query.get("limit"); !text.empty()) {
        const auto limit = read_number<int>(text);
        if (limit && *limit >= 1 && *limit <= kMost)
            page.limit = *limit;
        else
            errors.push_back({"limit", "limit is a whole number from 1 to 200."});
        page.is_asked = true;
    }
    if (const auto text = request.query.get("cursor"); !text.empty()) {
        if (auto after = read_cursor(text, key))
            page.after = std::move(*after);
        else
            errors.push_back({"cursor", "cursor is the next_cursor of an answer of this list."});
        page.is_asked = true;
    }
    if (!errors.empty()) return std::unexpected(invalid_fields(errors, request.request_id));
    return page;
}

}  // namespace calhost::api
