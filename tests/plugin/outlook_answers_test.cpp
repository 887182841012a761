// Refusals, busy times, channels and notifications of Outlook.
#include "plugin/outlook_box.h"

using namespace calhost;
using namespace calhost::test;
using namespace std::chrono_literals;

namespace {

TEST_CASE("outlook: errors by Graph's code, then by status") {
    struct Row {
        std::string fault, code;
    };
    for (const auto& row : std::vector<Row>{
             {R"("status":403)", "forbidden: Outlook answered 403 ErrorAccessDenied"},
             {R"("status":404)", "not_found: Outlook answered 404 ErrorItemNotFound"},
             {R"("status":404,"reason":"MailboxNotEnabledForRESTAPI")",
              "forbidden: Outlook answered 404 MailboxNotEnabledForRESTAPI"},
             {R"("status":400,"reason":"syncStateNotFound")",
              "cursor_expired: Outlook answered 400 syncStateNotFound"},
             {R"("status":412)", "conflict: Outlook answered 412 ErrorIrresolvableConflict"},
             {R"("status":429,"retry_after":60)",
              "rate_limited: Outlook answered 429 ApplicationThrottled"},
             {R"("status":503)", "unavailable: Outlook answered 503 ServiceUnavailable"},
             {R"("status":503,"retry_after":60)",
              "rate_limited: Outlook answered 503 ServiceUnavailable"},
             {R"("status":509,"retry_after":60)",
              "rate_limited: Outlook answered 509 ServiceUnavailable"}}) {
        CAPTURE(row.fault);
        Mailbox box;
        box.bed->control("POST", "/faults", R"({"kind":"status","count":-1,)" + row.fault + "}");
        CHECK(box.refused(box.provider->get_event(box.access, "primary", "AAkAeA==")) == row.code);
    }
    Mailbox box;
    box.bed->control("POST", "/faults", R"({"kind":"html"})");
    CHECK(box.refused(box.provider->get_event(box.access, "primary", "AAkAeA=="))
              .starts_with("invalid_response"));
}

TEST_CASE("outlook: Microsoft's numbers say what a refused token means, OAuth's words the rest") {
    struct Row {
        std::string body, code;
    };
    Mailbox box;
    for (const auto& row : std::vector<Row>{
             {R"({"error":"invalid_client","error_codes":[7000222]})", "misconfigured"},
             {R"({"error":"unauthorized_client","error_codes":[700016]})", "misconfigured"},
             {R"({"error":"invalid_request","error_codes":[90002]})", "misconfigured"},
             {R"({"error":"invalid_grant","error_codes":[65001]})", "needs_reauth"},
             {R"({"error":"interaction_required","error_codes":[50076]})", "needs_reauth"},
             {R"({"error":"invalid_grant","error_codes":[90033]})", "unavailable"},
             {R"({"error":"temporarily_unavailable"})", "unavailable"},
             {R"({"error":"server_error","error_codes":[]})", "unavailable"},
             {R"({"error":"invalid_grant","error_codes":[1]})", ""},
             {R"({"error":"invalid_grant","error_codes":7})", ""},
             {R"(["error"])", ""},
             {"<html>", ""}}) {
        CAPTURE(row.body);
        const auto code = box.provider->classify_token_error({400, {}, row.body});
        CHECK((code ? to_string(*code) : "") == row.code);
    }
}

TEST_CASE("outlook: busy times by getSchedule, and by events where that is refused") {
    for (const bool is_personal : {false, true}) {
        CAPTURE(is_personal);
        Mailbox box;
        if (is_personal)
            box.bed->control("POST", "/accounts/" + std::string(kEve) + "/personal", "{}");
        box.bed->add("Busy", "2026-12-01");
        box.bed->add("Free", "2026-12-02", R"(,"showAs":"free")");
        box.bed->add("Perhaps", "2026-12-03", R"(,"showAs":"tentative")");
        for (const std::string change : {R"("isCancelled":true)", R"("response":"declined")"}) {
            const auto made = box.bed->add("Gone", "2026-12-04");
            box.bed->control(
                "POST", "/accounts/" + std::string(kEve) + "/stage",
                R"({"event":")" + std::string(json::text_of(made, "id")) + "\"," + change + "}");
        }
        box.graph("POST", "/events",
                  R"({"subject":"Fair","isAllDay":true,
                      "start":{"dateTime":"2026-12-05T00:00:00","timeZone":"UTC"},
                      "end":{"dateTime":"2026-12-06T00:00:00","timeZone":"UTC"}})",
                  201);
        const calendar::Window days{*parse_rfc3339("2026-12-01T00:00:00Z"),
                                    *parse_rfc3339("2026-12-10T00:00:00Z")};
        const auto times = box.wait(box.provider->busy(box.access, {"primary"}, days));
        std::string text;
        for (const auto& time : times)
            text += format_rfc3339(time.start) + "/" + format_rfc3339(time.finish) + " ";
        CHECK(text ==
              "2026-12-01T09:00:00Z/2026-12-01T10:00:00Z "
              "2026-12-03T09:00:00Z/2026-12-03T10:00:00Z "
              "2026-12-04T23:00:00Z/2026-12-05T23:00:00Z ");
        CHECK(box.count("GET", "calendarView") == (is_personal ? 1 : 0));
    }
}

TEST_CASE("outlook: a channel is opened, renewed, told of, and closed") {
    Mailbox box;
    const plugin::ChannelRequest request{
        .id = "ch1", .secret = Secret("s3cret"), .url = "https://host.example/hook/outlook"};
    const auto channel = box.wait(box.provider->open_channel(box.access, "primary", request));
    CHECK(channel.id == "ch1");
    CHECK(channel.expires_at > box.bed->time.now() + 6 * 24h);
    const auto notice = box.bed->control("POST", "/accounts/" + std::string(kEve) + "/lifecycle",
                                         R"({"event":"missed"})");
    CHECK(json::parse(notice.body)->at("sent") == true);
    auto wide = request;
    wide.secret = Secret(std::string(128, 's'));
    CHECK(box.refused(box.provider->open_channel(box.access, "primary", wide))
              .starts_with("invalid"));
    box.bed->time.advance(30min);
    const auto renewed =
        box.wait(box.provider->renew_channel(box.access, "primary", request, channel));
    CHECK(renewed.resource == channel.resource);
    CHECK(renewed.expires_at == channel.expires_at + 30min);
    CHECK(box.refused(box.provider->close_channel(box.access, "primary", renewed)) == "ok");
    CHECK(box.refused(box.provider->close_channel(box.access, "primary", renewed)) == "ok");
    CHECK(box.refused(box.provider->renew_channel(box.access, "primary", request, channel))
              .starts_with("not_found"));
}

TEST_CASE("outlook: notifications: the handshake, news, and notices about the channel itself") {
    Mailbox box;
    net::Request request;
    request.method = "POST";
    request.path = "/hook/outlook";
    request.query.add("validationToken", "Validation: Testing & <b>");
    const auto handshake = box.provider->read_notification(request);
    REQUIRE(handshake.has_value());
    REQUIRE(handshake->reply.has_value());
    CHECK(handshake->reply->status == 200);
    CHECK(handshake->reply->body == "Validation: Testing & <b>");
    CHECK(handshake->reply->headers.get("Content-Type") == "text/plain");
    CHECK(handshake->notices.empty());

    net::Request news;
    news.method = "POST";
    news.path = request.path;
    news.body = R"({"value":[
        {"clientState":"ch1.s3cret","changeType":"updated"},
        {"clientState":"ch2.other.part","lifecycleEvent":"missed"},
        {"clientState":"ch3.x","lifecycleEvent":"subscriptionRemoved"},
        {"clientState":"ch4.x","lifecycleEvent":"reauthorizationRequired"},
        {"clientState":null,"changeType":"updated"}]})";
    const auto read = box.provider->read_notification(news);
    REQUIRE(read.has_value());
    CHECK_FALSE(read->reply.has_value());
    REQUIRE(read->notices.size() == 4);
    CHECK(read->notices[0].id == "ch1");
    CHECK(read->notices[0].secret.expose() == "s3cret");
    CHECK(read->notices[0].what == plugin::News::changed);
    CHECK(read->notices[1].secret.expose() == "other.part");
    CHECK(read->notices[1].what == plugin::News::missed);
    CHECK(read->notices[2].what == plugin::News::lost);
    CHECK(read->notices[3].what == plugin::News::expires);
    news.body = "<html>";
    CHECK(outcome_of(box.provider->read_notification(news)).starts_with("invalid"));
    request.query = {};
    request.query.add("validationToken", "a\nb");
    CHECK(outcome_of(box.provider->read_notification(request)).starts_with("invalid"));
}

}  // namespace
