#include "base/mail_address.h"

#include <algorithm>

#include "base/encoding.h"

namespace calhost {
namespace {

constexpr std::size_t kLongestName = 200;
constexpr std::size_t kLongestEmail = 254;

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(' ');
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool is_plain(char c) {
    return c > ' ' && c < '\x7f' && !std::string_view("()<>[]:;@\\,\"").contains(c);
}

bool is_dotted(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_plain) && !text.starts_with('.') &&
           !text.ends_with('.') && !text.contains("..");
}

bool is_email(std::string_view text) {
    const auto at = text.find('@');
    return at != text.npos && text.size() <= kLongestEmail && is_dotted(text.substr(0, at)) &&
           is_dotted(text.substr(at + 1));
}

bool is_name(std::string_view text) {
    return text.size() <= kLongestName && is_utf8(text) && std::ranges::none_of(text, [](char c) {
               return (c >= 0 && c < ' ') || c == '<' || c == '>' || c == '\x7f';
           });
}

}  // namespace

Result<MailAddress> parse_mail_address(std::string_view text) {
    MailAddress address{.name = {}, .email = std::string(text)};
    if (text.ends_with('>')) {
        const auto angle = text.rfind('<');
        if (angle == text.npos) return fail(ErrorCode::invalid, "This is no mail address.");
        auto name = trim(text.substr(0, angle));
        if (name.size() > 1 && name.starts_with('"') && name.ends_with('"'))
            name = name.substr(1, name.size() - 2);
        address.name = name;
        address.email = text.substr(angle + 1, text.size() - angle - 2);
    }
    if (!is_email(address.email) || !is_name(address.name))
        return fail(ErrorCode::invalid,
                    "This is no mail address, such as ada@example.org or \"Ada <ada@example.org>\" "
                    "(letters outside of ASCII only in the name).");
    return address;
}

}  // namespace calhost
