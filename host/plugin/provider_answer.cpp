#include <algorithm>

#include "base/log.h"
#include "config/values.h"
#include "plugin/provider_parts.h"

namespace calhost::plugin {
namespace {

using lua::Reader;
using lua::Type;

constexpr std::size_t kLongestZone = 100;

std::string_view word_for(Type type) {
    switch (type) {
        case Type::nil:
            return "nil";
        case Type::boolean:
            return "true or false";
        case Type::number:
            return "a number";
        case Type::string:
            return "a text";
        case Type::table:
            return "a table";
        case Type::function:
            return "a function";
        case Type::other:
            break;
    }
    return "something else";
}

std::string unknown(std::string_view name, std::span<const AnswerMember> known) {
    std::vector<std::string_view> words;
    for (const auto& member : known) words.push_back(member.name);
    return fmt::format("`{}`, which is not known here; {}", name, config::suggestion(name, words));
}

std::string find_fault(const Reader& answer, std::span<const AnswerMember> members, bool is_own) {
    std::string fault;
    answer.each_field([&](std::string_view name, const Reader& value) {
        if (!fault.empty()) return;
        const auto found = std::ranges::find(members, name, &AnswerMember::name);
        if (found == members.end()) {
            if (is_own) fault = unknown(name, members);
        } else if (!value.is_nil() && value.type() != found->type) {
            fault = fmt::format("{} as `{}`; it must be {}", word_for(value.type()), name,
                                word_for(found->type));
        }
    });
    return fault;
}

Result<void> check(const Reader& answer, std::span<const AnswerMember> members, bool is_own) {
    if (const auto fault = find_fault(answer, members, is_own); !fault.empty())
        return wrong_result(fault);
    return {};
}

}  // namespace

Result<void> check_types(const Reader& answer, std::span<const AnswerMember> members) {
    return check(answer, members, false);
}

Result<void> check_members(const Reader& answer, std::span<const AnswerMember> members) {
    return check(answer, members, true);
}

std::string member_fault(const Reader& answer, std::span<const AnswerMember> members) {
    return find_fault(answer, members, true);
}

void warn_of_zone(std::string_view provider, std::string_view zone) {
    if (zone.empty()) return;
    log::warning("unknown time zone, taken for UTC",
                 {{"provider", provider}, {"zone", zone.substr(0, kLongestZone)}});
}

Result<void> read_first(std::string_view function, std::span<const Reader> results,
                        const std::function<Result<void>(const Reader&)>& read) {
    Result<void> done = wrong_result("nothing");
    if (!results.empty()) done = read(results.front());
    if (!done) done.error().message = fmt::format("{}: {}", function, done.error().message);
    return done;
}

}  // namespace calhost::plugin
