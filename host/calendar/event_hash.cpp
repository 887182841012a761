#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "calendar/event.h"

namespace calhost::calendar {
namespace {

/// Two 64-bit lanes, each a one-to-one step per word: (state ^ word) * odd, folded.
/// Not against attackers: a person who forges a collision only hides their own change.
class Fingerprint {
  public:
    void add(std::uint64_t word) {
        first_ = fold((first_ ^ word) * 0x9e3779b97f4a7c15U);
        second_ = fold((std::rotl(second_, 23) ^ word) * 0xc2b2ae3d27d4eb4fU);
    }
    void add(std::string_view text) {
        add(text.size());
        for (; text.size() >= 8; text.remove_prefix(8)) add(load(text.substr(0, 8)));
        if (!text.empty()) add(load(text));
    }
    [[nodiscard]] std::string hex() const {
        return fmt::format("{:016x}{:016x}", finish(first_ ^ std::rotl(second_, 17)),
                           finish(second_));
    }

  private:
    static std::uint64_t fold(std::uint64_t x) { return x ^ (x >> 29); }
    /// MurmurHash3's finaliser: every bit of the state reaches every bit of the result.
    static std::uint64_t finish(std::uint64_t x) {
        x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdU;
        x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53U;
        return x ^ (x >> 33);
    }
    /// The same number on every host: the first byte is the lowest.
    static std::uint64_t load(std::string_view bytes) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), bytes.size());
        return std::endian::native == std::endian::little ? word : std::byteswap(word);
    }

    std::uint64_t first_ = 0x243f6a8885a308d3U;
    std::uint64_t second_ = 0x13198a2e03707344U;
};

/// Providers give a moment back in a zone of their choice, so the moment counts; a series' zone
/// counts as well because it decides where the later occurrences lie.
void add_time(Fingerprint& print, const EventTime& time, bool with_zone) {
    print.add(time.is_date ? 1U : 2U);
    print.add(static_cast<std::uint64_t>(to_millis(time.instant)));
    if (with_zone) print.add(time.zone);
}

void add_times(Fingerprint& print, const std::vector<EventTime>& times) {
    print.add(times.size());
    for (const auto& time : times) add_time(print, time, false);
}

}  // namespace

std::string content_hash(const Event& event) {
    Fingerprint print;
    for (const std::string_view text :
         {std::string_view(event.title), std::string_view(event.description),
          std::string_view(event.description_format), std::string_view(event.location),
          std::string_view(event.url), std::string_view(event.busy), std::string_view(event.status),
          std::string_view(event.visibility), std::string_view(event.color),
          std::string_view(event.organizer)})
        print.add(text);
    add_time(print, event.start, event.is_series());
    add_time(print, event.finish, event.is_series());
    print.add(event.categories.size());
    for (const auto& word : event.categories) print.add(word);
    print.add(event.reminders ? event.reminders->size() + 1 : 0);
    if (event.reminders)
        for (const auto& reminder : *event.reminders) {
            print.add(reminder.method);
            print.add(static_cast<std::uint64_t>(reminder.minutes));
        }
    print.add(event.recurrence ? 1U : 0U);
    if (event.recurrence) {
        print.add(event.recurrence->rrule);
        add_times(print, event.recurrence->rdate);
        add_times(print, event.recurrence->exdate);
    }
    print.add(event.recurrence_id ? 1U : 0U);
    if (event.recurrence_id) add_time(print, *event.recurrence_id, false);
    if (event.is_this_and_future) print.add(1U);
    print.add(event.attendees.size());
    for (const auto& person : event.attendees)
        for (const auto* text : {&person.email, &person.name, &person.role, &person.response})
            print.add(*text);
    return print.hex();
}

}  // namespace calhost::calendar
