/// A simulated Google with one account, and a client that holds a token for it.
#pragma once

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "base/encoding.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "sandbox/google.h"
#include "support/seeded_random.h"
#include "support/virtual_time.h"

namespace calhost::sandbox {

inline constexpr std::string_view kAda = "ada@example.com";
inline constexpr std::string_view kCalendar = "https://www.googleapis.com/auth/calendar";
inline constexpr std::string_view kVerifier = "0123456789012345678901234567890123456789012";

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

    net::Request make(std::string method, std::string target, std::string body = {},
                      net::Headers headers = {}) const {
        net::Request request;
        request.method = std::move(method);
        request.target = target;
        const auto mark = target.find('?');
        request.path = *percent_decode(target.substr(0, mark));
        if (mark != std::string::npos) request.query = *net::Query::parse(target.substr(mark + 1));
        request.headers = std::move(headers);
        if (!token.empty() && !request.headers.has("Authorization"))
            request.headers.set("Authorization", "Bearer " + token);
        request.body = std::move(body);
        return request;
    }

    net::Response send(std::string method, std::string target, std::string body = {},
                       net::Headers headers = {}) {
        auto request =
            make(std::move(method), std::move(target), std::move(body), std::move(headers));
        return time.wait(google.handle(request));
    }

    Outcome serve(std::string method, std::string target) {
        auto request = make(std::move(method), std::move(target));
        return time.wait(google.serve(request));
    }

    net::Response control(std::string method, std::string target, std::string body = {}) {
        auto request = make(std::move(method), std::move(target), std::move(body));
        return time.wait(google.control(request));
    }

    net::Response post_form(std::string target, const net::Query& form) {
        return send("POST", std::move(target), form.to_string(),
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
        net::Query query;
        query.add("client_id", "sandbox-client");
        query.add("redirect_uri", "http://127.0.0.1:8080/callback");
        query.add("response_type", "code");
        query.add("scope", std::string(scopes));
        query.add("state", "st&te");
        query.add("access_type", "offline");
        query.add("code_challenge", crypto::pkce_challenge(kVerifier));
        query.add("code_challenge_method", "S256");
        return query;
    }

    static net::Query exchange_form(std::string code) {
        net::Query form;
        form.add("grant_type", "authorization_code");
        form.add("code", std::move(code));
        form.add("client_id", "sandbox-client");
        form.add("client_secret", "sandbox-secret");
        form.add("redirect_uri", "http://127.0.0.1:8080/callback");
        form.add("code_verifier", std::string(kVerifier));
        return form;
    }

    static net::Query refresh_form(std::string refresh_token) {
        net::Query form;
        form.add("grant_type", "refresh_token");
        form.add("refresh_token", std::move(refresh_token));
        form.add("client_id", "sandbox-client");
        form.add("client_secret", "sandbox-secret");
        return form;
    }

    /// The parameters of the redirect that the consent ends with.
    static net::Query landing(const net::Response& response) {
        const std::string location(response.headers.get("Location"));
        REQUIRE_MESSAGE(location.find('?') != std::string::npos, response.body);
        return *net::Query::parse(location.substr(location.find('?') + 1));
    }

    std::string code(std::string_view scopes = kCalendar, std::string more = "&auto=allow") {
        return std::string(
            landing(send("GET", "/o/oauth2/v2/auth?" + authorization(scopes).to_string() + more))
                .get("code"));
    }

    /// Consents and exchanges; gives the token answer.
    json::value connect(std::string_view scopes = kCalendar, std::string more = {}) {
        const auto response =
            post_form("/token", exchange_form(code(scopes, "&auto=allow" + std::move(more))));
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
