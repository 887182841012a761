#include "api/booking_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "accounts/registration.h"
#include "api/moment.h"
#include "calendar/zone.h"

namespace calhost::api {
namespace {

using storage::BookingPerson;

constexpr std::size_t kIdBytes = 1024;
constexpr std::size_t kTextBytes = 1024;
constexpr std::size_t kDataBytes = std::size_t{16} * 1024;
constexpr std::array<std::string_view, 4> kStatuses{"pending", "confirmed", "cancelled",
                                                    "completed"};

bool has_control(std::string_view text) {
    return std::ranges::any_of(
        text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void check_id(Body& body, const std::string& id) {
    if (id.empty() || id.size() > kIdBytes || has_control(id))
        body.complain("id", fmt::format("id must be 1 to {} bytes of text", kIdBytes));
}

/// A number is as people read it: 40 or 40.5.
std::string read_price(Body& body) {
    const auto* price = body.find("price");
    if (price != nullptr && price->is_number()) return json::serialize(*price);
    return body.text("price", kTextBytes);
}

std::string read_data(Body& body) {
    const auto* data = body.find("data");
    if (data == nullptr) return "{}";
    auto text = json::serialize(*data);
    if (!data->is_object() || text.size() > kDataBytes)
        body.complain("data", fmt::format("data must be an object of up to {} bytes", kDataBytes));
    return text;
}

Timestamp read_time(Body& body, const std::string& zone, std::string_view field,
                    std::vector<std::string>& warnings) {
    const auto text = body.required_text(field);
    if (text.empty()) return {};
    const auto moment = read_moment(text, zone);
    if (!moment) {
        body.complain(field, fmt::format("{} must be a time before the year 9999, such as "
                                         "2026-11-21T09:00:00Z, or a local time with time_zone",
                                         field));
        return {};
    }
    if (!moment->doubt.empty()) warnings.push_back(fmt::format("{}: {}", field, moment->doubt));
    return moment->when;
}

void check_naming(Body& member, const BookingPerson& person) {
    const int ways = int{person.user_id.has_value()} + int{!person.email.empty()} +
                     int{!person.issuer.empty() || !person.subject.empty()};
    if (ways != 1)
        member.complain("user_id",
                        "a person is named by user_id, by issuer with subject, or by email");
    else if (person.issuer.empty() != person.subject.empty())
        member.complain("subject", "issuer and subject go together");
    if (!person.email.empty() && !accounts::is_email_address(person.email))
        member.complain("email", "email is not a mail address");
}

BookingPerson read_person(Body& body, std::string role) {
    auto member = body.object(role);
    BookingPerson person{.role = std::move(role),
                         .user_id = std::nullopt,
                         .issuer = member.text("issuer"),
                         .subject = member.text("subject"),
                         .email = member.text("email"),
                         .name = member.text("name", kTextBytes),
                         .language = member.text("language", 35)};
    if (auto id = member.text("user_id"); !id.empty()) person.user_id = std::move(id);
    check_naming(member, person);
    body.take_errors(member);
    return person;
}

bool is_one_person(const BookingPerson& a, const BookingPerson& b) {
    return a.user_id == b.user_id && a.issuer == b.issuer && a.subject == b.subject &&
           std::ranges::equal(a.email, b.email, [](char x, char y) {
               return std::tolower(static_cast<unsigned char>(x)) ==
                      std::tolower(static_cast<unsigned char>(y));
           });
}

}  // namespace

ReadBooking read_booking(Body& body, std::string id, std::string status) {
    ReadBooking read;
    auto& booking = read.booking;
    check_id(body, id);
    booking.id = std::move(id);
    booking.version = body.integer("version", 1, std::int64_t{1} << 53).value_or(0);
    booking.title = body.text("title", kTextBytes);
    booking.status = std::move(status);
    if (!booking.status.empty() && std::ranges::find(kStatuses, booking.status) == kStatuses.end())
        body.complain("status",
                      fmt::format("status must be one of {}", fmt::join(kStatuses, ", ")));
    booking.time_zone = body.text("time_zone", 64);
    if (!booking.time_zone.empty() && !calendar::is_zone(booking.time_zone))
        body.complain("time_zone", "time_zone is not a known zone, such as Europe/Berlin");
    const bool was_fine = body.errors().empty();
    booking.starts_at = read_time(body, booking.time_zone, "start_time", read.warnings);
    booking.ends_at = read_time(body, booking.time_zone, "end_time", read.warnings);
    if (was_fine && body.errors().empty() && booking.ends_at <= booking.starts_at)
        body.complain("end_time", "end_time must be after start_time");
    booking.location = body.text("location", kTextBytes);
    booking.price = read_price(body);
    booking.data = read_data(body);
    booking.people = {read_person(body, "client"), read_person(body, "tutor")};
    if (body.errors().empty() && is_one_person(booking.people[0], booking.people[1]))
        body.complain("tutor", "client and tutor are the same person");
    return read;
}

}  // namespace calhost::api
