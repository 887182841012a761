/// A simulated Google with one account, and a client that holds a token for it.
#pragma once

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "base/json.h"
#include "client.h"
#include "sandbox/google.h"
#include "support/seeded_random.h"
#include "support/virtual_time.h"

namespace calhost::sandbox {

inline constexpr std::string_view kAda = "ada@example.com";
inline constexpr std::string_view kCalendar = "https://www.googleapis.com/auth/calendar";

struct Bed {
    boost::asio::io_context context;
    test::VirtualTime time{context};
    test::SeededRandom random{7};
    Google google{GoogleOptions{}, time, time, random};
    std::string token;

    Bed() { google.add_account(std::string(kAda), "Ada", "Europe/Berlin"); }

    /// A bed that has a token for everything.
    static std::unique_ptr<Bed> connected(std::string_view scopes = kCalendar) {
        auto bed = std::make_unique<Bed>();
        bed->connect(scopes);
        return bed;
    }

    net::Request make(std::string method, const std::string& target, std::string body = {},
                      net::Headers headers = {}) const {
        return request_of(std::move(method), target, std::move(body), std::move(headers), token);
    }

    net::Response send(std::string method, const std::string& target, std::string body = {},
                       net::Headers headers = {}) {
        auto request = make(std::move(method), target, std::move(body), std::move(headers));
        return time.wait(google.handle(request));
    }

    Outcome serve(std::string method, const std::string& target) {
        auto request = make(std::move(method), target);
        return time.wait(google.serve(request));
    }

    net::Response control(std::string method, const std::string& target, std::string body = {}) {
        auto request = make(std::move(method), target, std::move(body));
        return time.wait(google.control(request));
    }

    net::Response post_form(const std::string& target, const net::Query& form) {
        return send("POST", target, form.to_string(),
                    {{"Content-Type", "application/x-www-form-urlencoded"}});
    }

    /// An event of an hour in the primary calendar; gives its id.
    std::string add(std::string summary, std::string start, std::string more = {}) {
        const auto end = format_rfc3339(*parse_rfc3339(start) + std::chrono::hours{1});
        const auto response =
            send("POST", "/calendar/v3/calendars/primary/events",
                 R"({"summary":")" + summary + R"(","start":{"dateTime":")" + start +
                     R"(","timeZone":"Europe/Berlin"},"end":{"dateTime":")" + end +
                     R"(","timeZone":"Europe/Berlin"})" + more + "}");
        REQUIRE_MESSAGE(response.status == 200, response.body);
        return std::string(json::text_of(*json::parse(response.body), "id"));
    }

    static net::Query authorization(std::string_view scopes) {
        return authorization_request(scopes, {{"access_type", "offline"}});
    }

    std::string code(std::string_view scopes = kCalendar, std::string more = "&auto=allow") {
        return std::string(
            landing_of(send("GET", "/o/oauth2/v2/auth?" + authorization(scopes).to_string() + more))
                .get("code"));
    }

    /// Consents and exchanges; gives the token answer.
    json::value connect(std::string_view scopes = kCalendar, std::string more = {}) {
        const auto response =
            post_form("/token", code_form(code(scopes, "&auto=allow" + std::move(more))));
        REQUIRE_MESSAGE(response.status == 200, response.body);
        auto body = *json::parse(response.body);
        token = json::text_of(body, "access_token");
        return body;
    }
};

inline json::value body_of(const net::Response& response) {
    const auto body = json::parse(response.body);
    REQUIRE_MESSAGE(body.has_value(), response.body);
    return *body;
}

inline std::string text_of(const json::value& body, std::string_view name) {
    return std::string(json::text_of(body, name));
}

/// "410 fullSyncRequired" of an error answer.
inline std::string reason_of(const net::Response& response) {
    const auto body = body_of(response);
    const auto* error = json::find(body, "error");
    REQUIRE_MESSAGE(error != nullptr, response.body);
    if (error->is_string())
        return std::to_string(response.status) + " " + error->as_string().c_str();
    return std::to_string(response.status) + " " +
           text_of(error->at("errors").as_array().at(0), "reason");
}

/// The summaries, or for a cancelled item "-id", in order and joined by blanks.
inline std::string items_of(const net::Response& response) {
    std::string text;
    const auto body = body_of(response);
    REQUIRE_MESSAGE(json::find(body, "items") != nullptr, response.body);
    for (const auto& item : body.at("items").as_array())
        text += (text.empty() ? "" : " ") + (text_of(item, "status") == "cancelled"
                                                 ? "-" + text_of(item, "id")
                                                 : text_of(item, "summary"));
    return text;
}

}  // namespace calhost::sandbox
