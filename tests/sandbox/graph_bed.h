/// A simulated Graph with one account, and a client that holds a token for it.
#pragma once

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "base/json.h"
#include "client.h"
#include "sandbox/graph.h"
#include "support/seeded_random.h"
#include "support/virtual_time.h"

namespace calhost::sandbox::graph_test {

inline constexpr std::string_view kEve = "eve@contoso.example";
inline constexpr std::string_view kScopes =
    "openid profile email offline_access User.Read Calendars.ReadWrite MailboxSettings.Read";
inline constexpr std::string_view kMark =
    "String {66f5a359-0000-4000-8000-000000000001} Name CalHostSource";

struct GraphBed {
    boost::asio::io_context context;
    test::VirtualTime time{context};
    test::SeededRandom random{7};
    Graph graph{Options{.issuer = "http://sandbox.test"}, time, time, random};
    std::string token;
    net::Headers headers;  ///< of every request

    GraphBed() { graph.add_account(std::string(kEve), "Eve", "Europe/Berlin"); }

    /// A bed that has a token for everything.
    static std::unique_ptr<GraphBed> connected(std::string_view scopes = kScopes) {
        auto bed = std::make_unique<GraphBed>();
        bed->connect(scopes);
        return bed;
    }

    net::Request make(std::string method, std::string target, std::string body = {}) const {
        if (target.starts_with("http://sandbox.test")) target = target.substr(19);
        return request_of(std::move(method), target, std::move(body), headers, token);
    }

    net::Response send(std::string method, std::string target, std::string body = {}) {
        auto request = make(std::move(method), std::move(target), std::move(body));
        return time.wait(graph.handle(request));
    }
    json::object ask(std::string method, std::string target, std::string body = {},
                     int status = 200) {
        const auto response = send(std::move(method), std::move(target), std::move(body));
        REQUIRE_MESSAGE(response.status == status, response.body);
        return json::parse(response.body)->as_object();
    }
    /// "409 ErrorDuplicateTransactionId" of an answer that is a refusal.
    std::string refused(std::string method, std::string target, std::string body = {}) {
        return reason_of(send(std::move(method), std::move(target), std::move(body)));
    }
    net::Response control(std::string method, std::string target, std::string body = {}) {
        auto request = make(std::move(method), std::move(target), std::move(body));
        return time.wait(graph.control(request));
    }

    static std::string reason_of(const net::Response& response) {
        const auto body = json::parse(response.body);
        REQUIRE_MESSAGE(body.has_value(), response.body);
        const auto* error = json::find(*body, "error");
        if (error == nullptr) return std::to_string(response.status);
        return std::to_string(response.status) + " " +
               std::string(error->is_string() ? std::string_view(error->as_string())
                                              : json::text_of(*error, "code"));
    }

    static net::Query authorization(std::string_view scopes) {
        return authorization_request(scopes, {{"nonce", "n"}});
    }
    net::Query landing(std::string_view scopes, std::string_view more,
                       std::string_view tenant = "common") {
        return landing_of(send("GET", "/" + std::string(tenant) + "/oauth2/v2.0/authorize?" +
                                          authorization(scopes).to_string() + std::string(more)));
    }
    std::string code(std::string_view scopes = kScopes) {
        return std::string(landing(scopes, "&auto=allow").get("code"));
    }
    net::Response post_token(const net::Query& query) {
        auto request = make("POST", "/common/oauth2/v2.0/token", query.to_string());
        request.headers.set("Content-Type", "application/x-www-form-urlencoded");
        return time.wait(graph.handle(request));
    }
    json::object connect(std::string_view scopes = kScopes) {
        const auto response = post_token(code_form(code(scopes)));
        REQUIRE_MESSAGE(response.status == 200, response.body);
        auto body = json::parse(response.body)->as_object();
        token = json::text_of(body, "access_token");
        return body;
    }

    /// An event of an hour in Berlin's wall clock.
    static std::string event(std::string_view subject, std::string_view day, std::string_view from,
                             std::string_view to, std::string_view more = {}) {
        const auto time_of = [&](std::string_view clock) {
            return R"({"dateTime":")" + std::string(day) + "T" + std::string(clock) +
                   R"(:00","timeZone":"W. Europe Standard Time"})";
        };
        return R"({"subject":")" + std::string(subject) + R"(","start":)" + time_of(from) +
               R"(,"end":)" + time_of(to) + std::string(more) + "}";
    }
    json::object add(std::string_view subject, std::string_view day, std::string_view more = {}) {
        return ask("POST", "/v1.0/me/events", event(subject, day, "10:00", "11:00", more), 201);
    }
    /// Subjects, or for what is gone "-", in order.
    static std::string subjects(const json::object& page) {
        std::string text;
        for (const auto& item : page.at("value").as_array())
            text +=
                (text.empty() ? "" : " ") +
                (json::find(item, "@removed") != nullptr ? std::string("-") : text_or_type(item));
        return text;
    }

  private:
    static std::string text_or_type(const json::value& item) {
        const auto subject = json::text_of(item, "subject");
        return std::string(subject.empty() ? json::text_of(item, "type") : subject);
    }
};

inline std::string text_of(const json::object& body, std::string_view name) {
    return std::string(json::text_of(body, name));
}

/// `,"recurrence":…` of a pattern and a range's members.
inline std::string series(std::string_view pattern, std::string_view range) {
    return R"(,"recurrence":{"pattern":{)" + std::string(pattern) + R"(},"range":{)" +
           std::string(range) + "}}";
}

}  // namespace calhost::sandbox::graph_test
