/// providers/caldav with answers that the test writes.
#pragma once

#include <fmt/format.h>

#include "plugin/account_access.h"
#include "plugin/caldav_code.h"

namespace calhost::test {

inline constexpr auto kCalendar = "/dav/ann/work/";

struct CaldavAnswers {
    CaldavAnswers() {
        auto loaded =
            plugin::Provider::load({"caldav", "providers/caldav/provider.lua", caldav_code()},
                                   {transport, time, time, random});
        REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
        provider = std::move(*loaded);
        transport.answers.clear();
    }
    Result<plugin::Changes> changes(std::optional<std::string> cursor,
                                    std::optional<std::string> page = std::nullopt) {
        return time.wait(
            provider->list_changes(access, kCalendar, std::move(cursor), std::move(page), {}));
    }
    void answer(int status, std::string body = "", net::Headers headers = {}) {
        transport.answers.emplace_back(
            net::ClientResponse{status, std::move(headers), std::move(body)});
    }
    void multistatus(const std::string& inner) {
        answer(207, R"(<multistatus xmlns="DAV:" xmlns:cal="urn:ietf:params:xml:ns:caldav">)" +
                        inner + "</multistatus>");
    }
    [[nodiscard]] std::string sent(std::size_t index) const {
        const auto& request = transport.requests.at(index);
        return fmt::format("{} {} {} {}", request.method, request.url, request.headers.get("Depth"),
                           request.body);
    }
    boost::asio::io_context context;
    VirtualTime time{context};
    SeededRandom random{3};
    ListTransport transport;
    AccountAccess access;
    std::unique_ptr<plugin::Provider> provider;
};

inline std::string member(const std::string& name, const std::string& data = "") {
    return fmt::format(
        "<response><href>{}{}</href><propstat><prop><getetag>\"1\"</getetag>"
        "<cal:calendar-data>{}</cal:calendar-data></prop>"
        "<status>HTTP/1.1 200 OK</status></propstat></response>",
        kCalendar, name, data);
}

inline std::string status_of(const std::string& name, const char* status) {
    return fmt::format("<response><href>{}{}</href><status>HTTP/1.1 {}</status></response>",
                       kCalendar, name, status);
}

inline std::string resource(const std::string& uid) {
    return fmt::format(
        "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:{}\nDTSTART:20261123T080000Z\n"
        "DTEND:20261123T090000Z\nEND:VEVENT\nEND:VCALENDAR\n",
        uid);
}

}  // namespace calhost::test
