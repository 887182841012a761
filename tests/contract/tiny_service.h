/// The calendar service of the worked example in providers/README.md: one account, one calendar,
/// JSON over HTTP, everything in memory.
#pragma once

#include <charconv>
#include <map>

#include "base/json.h"
#include "net/message.h"

namespace calhost::test {

class TinyService final : public net::Transport {
  public:
    Task<Result<net::ClientResponse>> send(net::ClientRequest request) override {
        co_return serve(request);
    }

  private:
    using Object = boost::json::object;

    struct Stored {
        Object body;
        std::uint64_t position = 0;  ///< of its last change
    };

    net::ClientResponse serve(const net::ClientRequest& request) {
        if (request.headers.get("Authorization") != "Bearer acme-token") return status(401);
        const std::string_view base = "https://api.acme.example/v1";
        const auto mark = request.url.find('?');
        auto path = request.url.substr(base.size(), mark - base.size());
        const std::string alias = "/calendars/primary/";  // of the first calendar
        if (path.starts_with(alias)) path.replace(0, alias.size(), "/calendars/main/");
        const auto query = mark == std::string::npos
                               ? net::Query{}
                               : *net::Query::parse(request.url.substr(mark + 1));
        if (path == "/me") return answer({{"id", "7"}, {"email", "ada@acme.example"}});
        if (path == "/calendars")
            return answer(
                {{"calendars", {{{"id", "main"}, {"name", "Main"}, {"zone", "Europe/Berlin"}}}}});
        const std::string events = "/calendars/main/events";
        if (path == events && request.method == "GET") return list(query);
        if (path == events && request.method == "POST") return create(request);
        if (path.starts_with(events + "/")) return one(request, path.substr(events.size() + 1));
        return status(404);
    }

    static net::ClientResponse status(int code) { return {code, {}, ""}; }
    static net::ClientResponse answer(const Object& body) {
        return {200, {{"Content-Type", "application/json"}}, boost::json::serialize(body)};
    }

    /// Changes after `since`, or everything that is there; a page goes on after a position.
    net::ClientResponse list(const net::Query& query) {
        const auto since = number(query.get("since"));
        if (query.has("since") && (!since || *since > last_)) return status(410);
        const auto after = std::max(since.value_or(0), number(query.get("page")).value_or(0));
        const auto limit = number(query.get("limit")).value_or(100);
        std::map<std::uint64_t, const Object*> items;
        for (const auto& [id, event] : events_)
            if (event.position > after && (query.has("since") || !is_gone(event)))
                items[event.position] = &event.body;
        Object body{{"items", boost::json::array{}}};
        for (const auto& [position, item] : items) {
            if (body["items"].as_array().size() == limit) break;
            body["items"].as_array().push_back(*item);
            body["next_page"] = std::to_string(position);
        }
        if (body["items"].as_array().size() == items.size()) {
            body.erase("next_page");
            body["next_sync"] = std::to_string(last_);
        }
        return answer(body);
    }

    net::ClientResponse create(const net::ClientRequest& request) {
        const std::string key(request.headers.get("Idempotency-Key"));
        if (const auto known = keys_.find(key); !key.empty() && known != keys_.end())
            return answer(events_[known->second].body);
        auto id = "e" + std::to_string(last_ + 1);
        const auto sent = json::parse(request.body)->as_object();
        // A second override of a slot takes the place of the first.
        if (sent.contains("slot"))
            for (const auto& [other, event] : events_)
                if (!is_gone(event) && event.body.contains("slot") &&
                    event.body.at("slot") == sent.at("slot") &&
                    event.body.at("series") == sent.at("series"))
                    id = other;
        keys_[key] = id;
        return write(id, sent);
    }

    net::ClientResponse one(const net::ClientRequest& request, const std::string& id) {
        const auto found = events_.find(id);
        if (found == events_.end()) return status(404);
        auto& event = found->second;
        if (request.method == "GET") return answer(event.body);
        if (request.method == "DELETE" && is_gone(event)) return status(410);
        const auto wanted = request.headers.get("If-Match");
        if (!wanted.empty() && wanted != json::text_of(event.body, "rev")) return status(412);
        if (request.method == "PATCH") return write(id, json::parse(request.body)->as_object());
        write(id, {{"gone", true}});
        for (auto& [other, override_] : events_)
            if (json::text_of(override_.body, "series") == id) write(other, {{"gone", true}});
        return status(204);
    }

    /// Members that are sent replace those that are there; null takes one away.
    net::ClientResponse write(const std::string& id, const Object& sent) {
        auto& event = events_[id];
        event.position = ++last_;
        for (const auto& [name, value] : sent) {
            if (value.is_null())
                event.body.erase(name);
            else if (name == "private" && event.body.contains(name))
                for (const auto& [mark, text] : value.as_object())
                    event.body[name].as_object()[mark] = text;
            else
                event.body[name] = value;
        }
        event.body["id"] = id;
        event.body["rev"] = std::to_string(last_);
        return answer(event.body);
    }

    static bool is_gone(const Stored& event) {
        const auto* gone = event.body.if_contains("gone");
        return gone != nullptr && gone->as_bool();
    }
    static std::optional<std::uint64_t> number(std::string_view text) {
        std::uint64_t value = 0;
        const auto read = std::from_chars(text.begin(), text.end(), value);
        if (text.empty() || read.ec != std::errc{} || read.ptr != text.end()) return std::nullopt;
        return value;
    }

    std::map<std::string, Stored> events_;
    std::map<std::string, std::string> keys_;
    std::uint64_t last_ = 0;
};

}  // namespace calhost::test
