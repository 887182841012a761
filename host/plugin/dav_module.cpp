#include "plugin/dav.h"
#include "plugin/modules.h"
#include "plugin/xml_table.h"

namespace calhost::plugin {
namespace {

using lua::Call;
using lua::Writer;

constexpr int kMostNames = 100;

/// Names and links are the provider's own: what cannot be written is its mistake.
void give_body(Call& call, const Element& body) {
    auto text = write_xml(body, dav::namespaces());
    if (!text) call.refuse(1, text.error().message);
    give_text(call, std::move(*text));
}

/// dav.propfind("D:getetag", …)
void dav_propfind(Call& call) {
    if (call.argument_count() > kMostNames) call.refuse(kMostNames, "these are too many names");
    std::vector<std::string> names;
    for (int i = 1; i <= call.argument_count(); ++i) names.emplace_back(text_argument(call, i));
    give_body(call, dav::propfind(names));
}

/// dav.sync_collection(token)
void dav_sync_collection(Call& call) {
    give_body(call, dav::sync_collection(text_argument(call, 1)));
}

/// dav.multiget({href, …})
void dav_multiget(Call& call) {
    std::vector<std::string> hrefs;
    const auto list = call.argument(1);
    if (!list.is_table()) call.refuse(1, "a list of links is expected");
    list.each_item(
        [&](std::int64_t, const lua::Reader& href) { hrefs.emplace_back(href.string()); });
    give_body(call, dav::multiget(hrefs));
}

/// dav.query({ start?, finish? } or { property, text? })
void dav_query(Call& call) {
    const auto filter = call.argument(1);
    if (!filter.is_table()) call.refuse(1, "a filter is expected");
    give_body(call, dav::query({.start = std::string(filter.string_field("start")),
                                .finish = std::string(filter.string_field("finish")),
                                .property = std::string(filter.string_field("property")),
                                .text = std::string(filter.string_field("text"))}));
}

void push_response(Writer& writer, const dav::Response& response) {
    writer.begin_table(0, 3);
    writer.field("href", response.href);
    if (response.status) writer.field("status", *response.status);
    if (!response.found) return;
    push_element(writer, *response.found);
    writer.set_field("found");
}

/// dav.multistatus(text, at, home): `{ {href, status?, found?}, …, token? }`
void dav_multistatus(Call& call) {
    const auto all = dav::read_multistatus(
        text_argument(call, 1), {.url = text_argument(call, 2), .home = text_argument(call, 3)});
    if (!all) return call.give_error(all.error());
    call.give([&](Writer& writer) {
        writer.begin_table(static_cast<int>(all->responses.size()), 1);
        if (!all->token.empty()) writer.field("token", all->token);
        std::int64_t index = 0;
        for (const auto& response : all->responses) {
            push_response(writer, response);
            writer.set_item(++index);
        }
    });
}

/// dav.resolve(href, at, home)
void dav_resolve(Call& call) {
    give_text(call, dav::resolve(text_argument(call, 1),
                                 {.url = text_argument(call, 2), .home = text_argument(call, 3)}));
}

/// dav.failure(answer): `nil, {code, message, retry_after?, status}`
void dav_failure(Call& call) {
    const auto answer = call.argument(1);
    const auto status = answer.is_table() ? answer.integer_field("status") : std::nullopt;
    if (!status) call.refuse(1, "an answer is expected");
    const auto error = dav::failure(static_cast<int>(*status), answer.string_field("body"));
    call.give([](Writer& writer) { writer.nil(); });
    call.give([&](Writer& writer) {
        writer.begin_table(0, 4);
        writer.field("code", to_string(error.code));
        writer.field("message", error.message);
        writer.field("status", *status);
        if (const auto wait = answer.integer_field("retry_after"))
            writer.field("retry_after", *wait);
    });
}

}  // namespace

void fill_dav(lua::Table& table) {
    table.function("propfind", dav_propfind);
    table.function("sync_collection", dav_sync_collection);
    table.function("multiget", dav_multiget);
    table.function("query", dav_query);
    table.function("multistatus", dav_multistatus);
    table.function("resolve", dav_resolve);
    table.function("failure", dav_failure);
}

}  // namespace calhost::plugin
