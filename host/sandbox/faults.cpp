#include "sandbox/faults.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json.h"

namespace calhost::sandbox {
namespace {

constexpr std::array<std::pair<std::string_view, Fault::Kind>, 7> kKinds{{
    {"status", Fault::Kind::status},
    {"delay", Fault::Kind::delay},
    {"stall", Fault::Kind::stall},
    {"truncate", Fault::Kind::truncate},
    {"reset", Fault::Kind::reset},
    {"html", Fault::Kind::html},
    {"lost_reply", Fault::Kind::lost_reply},
}};

bool is_match(std::string_view pattern, std::string_view text) {
    const auto star = pattern.find('*');
    if (star == std::string_view::npos) return pattern == text;
    if (!text.starts_with(pattern.substr(0, star))) return false;
    pattern.remove_prefix(star + 1);
    text.remove_prefix(star);
    for (std::size_t i = 0; i <= text.size(); ++i)
        if (is_match(pattern, text.substr(i))) return true;
    return false;
}

int number_of(const json::value& order, std::string_view name, int otherwise) {
    const auto* value = json::find(order, name);
    return value != nullptr && value->is_int64() ? static_cast<int>(value->as_int64()) : otherwise;
}

std::string retry_after_field(std::string_view wish, Timestamp now) {
    constexpr std::string_view kDate = "date:";
    if (!wish.starts_with(kDate)) return std::string(wish);
    const int seconds = std::atoi(std::string(wish.substr(kDate.size())).c_str());
    const auto when = std::chrono::system_clock::to_time_t(
        std::chrono::time_point_cast<std::chrono::seconds>(now) + std::chrono::seconds(seconds));
    return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(when));
}

}  // namespace

Result<void> Faults::add(const json::value& order) {
    if (!order.is_object()) return fail(ErrorCode::invalid, "a fault is a JSON object");
    const auto word = json::text_of(order, "kind");
    const auto kind =
        std::ranges::find(kKinds, word, &std::pair<std::string_view, Fault::Kind>::first);
    if (kind == kKinds.end())
        return fail(
            ErrorCode::invalid,
            fmt::format("kind \"{}\" is none of status, delay, stall, truncate, reset, html, "
                        "lost_reply",
                        word));
    Fault fault;
    fault.kind = kind->second;
    fault.method = json::text_of(order, "method");
    if (const auto path = json::text_of(order, "path"); !path.empty()) fault.path = path;
    fault.skip = number_of(order, "skip", 0);
    if (const int count = number_of(order, "count", 1); count >= 0) fault.left = count;
    fault.status = number_of(order, "status", 503);
    if (fault.status < 400 || fault.status > 599)
        return fail(ErrorCode::invalid, "status is a number from 400 to 599");
    fault.reason = json::text_of(order, "reason");
    fault.retry_after = json::text_of(order, "retry_after");
    if (const int seconds = number_of(order, "retry_after", -1); seconds >= 0)
        fault.retry_after = std::to_string(seconds);
    fault.body = json::text_of(order, "body");
    fault.delay = milliseconds(number_of(order, "delay_ms", 0));
    faults_.push_back(std::move(fault));
    return {};
}

std::optional<Fault> Faults::take(std::string_view method, std::string_view path) {
    for (auto it = faults_.begin(); it != faults_.end(); ++it) {
        if (!it->method.empty() && it->method != method) continue;
        if (!is_match(it->path, path)) continue;
        if (it->skip > 0) {
            --it->skip;
            continue;
        }
        if (!it->left) return *it;
        Fault fault = *it;
        if (--*it->left <= 0) faults_.erase(it);
        return fault;
    }
    return std::nullopt;
}

boost::json::array Faults::to_json() const {
    boost::json::array list;
    for (const auto& fault : faults_) {
        const auto kind = std::ranges::find(kKinds, fault.kind,
                                            &std::pair<std::string_view, Fault::Kind>::second);
        list.push_back(json::object{{"kind", kind->first},
                                    {"method", fault.method},
                                    {"path", fault.path},
                                    {"skip", fault.skip},
                                    {"count", fault.left.value_or(-1)},
                                    {"status", fault.status}});
    }
    return list;
}

void dress(net::Response& response, const Fault& fault, Timestamp now) {
    if (!fault.body.empty()) response.body = fault.body;
    if (!fault.retry_after.empty())
        response.headers.set("Retry-After", retry_after_field(fault.retry_after, now));
}

}  // namespace calhost::sandbox
