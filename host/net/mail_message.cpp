#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "net/mail.h"

namespace calhost::net {
namespace {

constexpr std::size_t kLongestSubject = 500;
constexpr std::size_t kLongestText = 256U << 10U;
constexpr std::size_t kLongestKey = 100;
/// What stands in a header as it is.
constexpr std::size_t kLongestPlain = 60;
/// Bytes of one encoded word: with "Subject: " before it the line has 76 characters at most.
constexpr std::size_t kWordBytes = 39;
constexpr std::size_t kLongestLine = 76;

bool is_control(char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }

/// RFC 2047 section 5 wants each word to have whole characters.
std::string encoded_words(std::string_view text) {
    std::string words;
    while (!text.empty()) {
        auto size = std::min(text.size(), kWordBytes);
        while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U)
            --size;
        if (!words.empty()) words += "\r\n ";
        words += fmt::format("=?utf-8?B?{}?=", base64_encode(text.substr(0, size)));
        text.remove_prefix(size);
    }
    return words;
}

bool is_plain(std::string_view text) {
    return text.size() <= kLongestPlain && !text.contains("=?") &&
           std::ranges::all_of(text, [](char c) { return c >= ' ' && c < '\x7f'; });
}

std::string header_text(std::string_view text) {
    return is_plain(text) ? std::string(text) : encoded_words(text);
}

std::string header_address(const MailAddress& address) {
    if (address.name.empty()) return address.email;
    if (!is_plain(address.name))
        return fmt::format("{}\r\n <{}>", encoded_words(address.name), address.email);
    std::string quoted;
    for (const char c : address.name) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return fmt::format("\"{}\" <{}>", quoted, address.email);
}

/// One line of the body, RFC 2045 section 6.7.
void add_quoted_line(std::string& body, std::string_view line) {
    std::size_t width = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        const bool is_blank = c == ' ' || c == '\t';
        const bool is_literal = is_blank ? i + 1 < line.size() : c > ' ' && c < '\x7f' && c != '=';
        const std::size_t wide = is_literal ? 1 : 3;
        if (width + wide > kLongestLine - 1) {
            body += "=\r\n";
            width = 0;
        }
        if (is_literal)
            body += c;
        else
            body += fmt::format("={:02X}", static_cast<unsigned char>(c));
        width += wide;
    }
    body += "\r\n";
}

std::string quoted_printable(std::string_view text) {
    std::string body;
    while (!text.empty()) {
        const auto end = text.find_first_of("\r\n");
        add_quoted_line(body, text.substr(0, end));
        if (end == text.npos) break;
        text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
    }
    return body;
}

Result<void> check(const Mail& mail) {
    if (mail.subject.size() > kLongestSubject || !is_utf8(mail.subject) ||
        std::ranges::any_of(mail.subject, is_control))
        return fail(ErrorCode::invalid,
                    "The subject of a mail is one line of UTF-8 with 500 bytes at most.");
    if (mail.text.size() > kLongestText || !is_utf8(mail.text))
        return fail(ErrorCode::invalid, "The text of a mail is UTF-8 of 256 KiB at most.");
    const auto is_key = [](char c) {
        return c == '-' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    };
    if (mail.key.size() > kLongestKey || !std::ranges::all_of(mail.key, is_key))
        return fail(ErrorCode::invalid, "The key of a mail has letters, digits and '-' only.");
    return {};
}

/// An address that was not read from text could hold anything.
Result<void> check(const MailAddress& address) {
    const auto read = parse_mail_address(fmt::format("{} <{}>", address.name, address.email));
    if (!read) return fail(read.error());
    return {};
}

}  // namespace

Result<std::string> write_mail(const Mail& mail, const MailAddress& from, Timestamp at) {
    for (auto checked : {check(mail), check(mail.to), check(from)})
        if (!checked) return fail(std::move(checked.error()));
    auto message =
        fmt::format("From: {}\r\nTo: {}\r\nSubject: {}\r\nDate: {:%a, %d %b %Y %H:%M:%S} +0000\r\n",
                    header_address(from), header_address(mail.to), header_text(mail.subject),
                    std::chrono::floor<std::chrono::seconds>(at));
    if (!mail.key.empty())
        message += fmt::format("Message-ID: <{}@{}>\r\n", mail.key,
                               from.email.substr(from.email.find('@') + 1));
    message +=
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n"
        "Auto-Submitted: auto-generated\r\n\r\n";
    return message + quoted_printable(mail.text);
}

}  // namespace calhost::net
