#include <array>

#include "base/log.h"
#include "plugin/event_table.h"
#include "plugin/provider.h"
#include "plugin/provider_parts.h"

namespace calhost::plugin {
namespace {

using lua::Reader;
using lua::Type;

constexpr std::array kWritten{AnswerMember{"event", Type::table},
                              AnswerMember{"lossy", Type::table}};

Result<void> read_written(const Reader& table, std::string_view provider, Written& written) {
    if (!table.is_table()) return wrong_result("no table of what it wrote");
    if (auto checked = check_members(table, kWritten); !checked) return checked;
    Result<void> outcome = wrong_result("no `event` after writing");
    table.with_field("event", [&](const Reader& value) {
        if (value.is_nil()) return;
        auto event = read_event(value);
        outcome = event ? Result<void>{} : fail(event.error());
        if (!event) return;
        written.event = std::move(*event);
        warn_of_zone(provider, unknown_zone(value, written.event));
    });
    table.with_field("lossy", [&](const Reader& list) {
        if (!list.is_table()) return;
        list.each_item([&](std::int64_t, const Reader& sentence) {
            if (sentence.type() != Type::string)
                outcome = wrong_result("something else than sentences in `lossy`");
            else if (!sentence.string().empty())
                written.lossy.emplace_back(sentence.string());
        });
    });
    return outcome;
}

Result<void> check_wanted(const calendar::Event& event) {
    if (event.status == "cancelled" && !event.is_override())
        return fail(ErrorCode::invalid,
                    "status is 'cancelled'; an event that does not happen is deleted");
    return calendar::check_event(event);
}

lua::Push push_new(calendar::Event event) {
    return [event = std::move(event)](lua::Writer& writer) { push_wanted(writer, event); };
}

}  // namespace

Task<Result<Written>> Provider::write(std::string function, Access& access,
                                      std::vector<lua::Push> arguments) {
    Written written;
    auto done = co_await call(
        std::move(function), access, std::move(arguments),
        [&](const Reader& table) { return read_written(table, source_.name, written); });
    if (!done) co_return fail(done.error());
    for (const auto& sentence : written.lossy)
        log::info("event written with a loss", {{"provider", source_.name},
                                                {"connection_id", access.connection_id()},
                                                {"event_id", written.event.id},
                                                {"reason", sentence}});
    co_return written;
}

Task<Result<Written>> Provider::create_event(Access& access, std::string calendar_id,
                                             calendar::Event event, std::string key) {
    if (auto checked = check_wanted(event); !checked) co_return fail(checked.error());
    std::vector<lua::Push> arguments{push_calendar(std::move(calendar_id)),
                                     push_new(std::move(event)), push_text(std::move(key))};
    co_return co_await write("create_event", access, std::move(arguments));
}

Task<Result<Written>> Provider::update_event(Access& access, std::string calendar_id,
                                             std::string id, calendar::Event event,
                                             std::string etag) {
    if (auto checked = check_wanted(event); !checked) co_return fail(checked.error());
    event.id = id;
    std::vector<lua::Push> arguments{push_calendar(std::move(calendar_id)),
                                     push_text(std::move(id)), push_new(std::move(event)),
                                     push_text(std::move(etag))};
    co_return co_await write("update_event", access, std::move(arguments));
}

Task<Result<void>> Provider::delete_event(Access& access, std::string calendar_id, std::string id,
                                          std::string etag) {
    std::vector<lua::Push> arguments{push_calendar(std::move(calendar_id)),
                                     push_text(std::move(id)), push_text(std::move(etag))};
    co_return co_await call("delete_event", access, std::move(arguments),
                            [](const Reader& value) -> Result<void> {
                                if (!value.boolean()) return wrong_result("no true after deleting");
                                return {};
                            });
}

}  // namespace calhost::plugin
