/// Lists in pages (http-api section 1): `?limit=` and `?cursor=`, `next_cursor` in the answer.
#pragma once

#include <algorithm>
#include <expected>
#include <vector>

#include "api/describe.h"
#include "base/json.h"
#include "net/message.h"

namespace calhost::api {

inline constexpr QueryParameter kLimit{"limit", "1 to 200, 50 unless named"};
inline constexpr QueryParameter kCursor{"cursor", "next_cursor of the page before"};

/// The page that a caller asks for. A list reads one row more than `limit` behind `after`, and
/// `cut` makes the page of it.
struct Page {
    int limit = 50;
    std::string after{};    ///< key of the last row of the page before; empty: from the beginning
    bool is_asked = false;  ///< a limit or a cursor was sent: older lists are whole without
    /// `after` of a list whose keys are numbers.
    [[nodiscard]] std::optional<std::int64_t> after_number() const;
};

/// What the key of a list is made of.
enum class PageKey { text, number };

/// *Errors*: the answer to give, 422, for a limit outside 1..200 or a cursor that no answer of such
/// a list has.
std::expected<Page, net::Response> read_page(const net::Request& request,
                                             PageKey key = PageKey::text);

/// The key as a caller sees it: no secret, and nothing to build upon.
std::string cursor_of(std::string_view key);

/// Takes the row too many away, if there is one; gives `next_cursor`, or null. `key_of` gives the
/// text under which a row is sorted.
template <class T, class KeyOf>
json::value cut(std::vector<T>& rows, const Page& page, KeyOf key_of) {
    const auto limit = static_cast<std::size_t>(page.limit);
    if (rows.size() <= limit) return nullptr;
    rows.resize(limit);
    return json::value(cursor_of(key_of(rows.back())));
}

/// The same for rows that are all here: in the order of their keys when a page is asked for, else
/// all of them in the order that they have.
template <class T, class KeyOf>
json::value cut_whole(std::vector<T>& rows, const Page& page, KeyOf key_of) {
    if (!page.is_asked) return nullptr;
    std::erase_if(rows, [&](const T& row) { return key_of(row) <= page.after; });
    std::ranges::sort(rows, {}, key_of);
    return cut(rows, page, key_of);
}

}  // namespace calhost::api
