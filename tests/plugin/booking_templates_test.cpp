// The plugin booking-templates as it stands in the repository.
#include "base/log.h"
#include "plugin/plugin_bench.h"

using namespace calhost;
using namespace calhost::test;

namespace {

struct Templates : PluginBench {
    explicit Templates(json::object values = {}) {
        settings.paths.plugins = std::filesystem::path(CALHOST_SOURCE_DIR) / "plugins";
        name_section("booking-templates", {.values = std::move(values)});
        CHECK(complaints() == "");
        REQUIRE(load() == "ok");
    }
    json::object text() {
        auto texts = plugins->render("booking", {booking, person, other});
        REQUIRE_MESSAGE(texts.has_value(), outcome_of(texts));
        REQUIRE(texts->has_value());
        return **texts;
    }
    std::string title() { return std::string(json::text_of(text(), "title")); }
    std::string description() { return std::string(json::text_of(text(), "description")); }

    json::object booking{
        {"title", "Chess"},
        {"location", "Room 4"},
        {"price", {{"amount", 40}, {"currency", "EUR"}}},
        {"data", {{"link", "https://meet.example/1"}, {"notes", "Bring a board"}}}};
    json::object person{{"role", "client"},
                        {"name", "Ann"},
                        {"language", "en"},
                        {"time_zone", "Europe/Berlin"},
                        {"start", "2026-11-20T09:00:00"},
                        {"finish", "2026-11-20T10:30:00"}};
    json::object other{{"role", "tutor"}, {"name", "Bo"}};
};

json::object client_title(std::string_view title) {
    return {{"client", json::object{{"title", title}}}};
}

TEST_CASE("booking-templates: title and description name the other person, time, place and price") {
    Templates templates;
    CHECK(templates.title() == "Chess with Bo");
    CHECK(templates.description() ==
          "Chess with Bo\n20 November 2026, 09:00–10:30 (Europe/Berlin)\nWhere: Room 4\n"
          "Link: https://meet.example/1\nPrice: 40 EUR\n\nBring a board\n");
    CHECK(templates.text().at("location") == "Room 4");
}

TEST_CASE(
    "booking-templates: each person reads his own language, and English where there is none") {
    struct Case {
        std::string_view role, language, title, when;
    };
    for (const auto& [role, language, title, when] :
         std::vector<Case>{{"client", "en", "Chess with Bo", "20 November 2026, 09:00–10:30"},
                           {"tutor", "en", "Chess for Bo", "20 November 2026, 09:00–10:30"},
                           {"client", "de", "Chess mit Bo", "20. November 2026, 09:00–10:30"},
                           {"tutor", "de-AT", "Chess für Bo", "20. November 2026, 09:00–10:30"},
                           {"tutor", "DE", "Chess für Bo", "20. November 2026, 09:00–10:30"},
                           {"client", "fr", "Chess with Bo", "20 November 2026, 09:00–10:30"},
                           {"client", "", "Chess with Bo", "20 November 2026, 09:00–10:30"}}) {
        CAPTURE(role);
        CAPTURE(language);
        Templates templates;
        templates.person["role"] = role;
        templates.person["language"] = language;
        CHECK(templates.title() == title);
        CHECK(templates.description().contains(when));
    }
}

TEST_CASE("booking-templates: what a booking leaves open leaves no line") {
    Templates templates;
    templates.booking = {
        {"title", "Chess"}, {"location", ""}, {"price", nullptr}, {"data", nullptr}};
    CHECK(templates.description() ==
          "Chess with Bo\n20 November 2026, 09:00–10:30 (Europe/Berlin)\n");
    CHECK_FALSE(templates.text().contains("location"));
    templates.booking = {};
    templates.other = {{"name", ""}};
    CHECK(templates.title() == "Lesson with somebody");
    templates.person["language"] = "de";
    CHECK(templates.title() == "Termin mit jemandem");
}

TEST_CASE("booking-templates: a booking over midnight names both days") {
    Templates templates;
    templates.person["finish"] = "2026-11-21T00:30:00";
    CHECK(templates.description().contains("20 November 2026, 09:00 – 21 November 2026, 00:30"));
}

TEST_CASE("booking-templates: the operator's texts replace ours, and only where they stand") {
    Templates templates({{"texts",
                          {{"en", client_title("{{booking.data.room}}: {{subject}}")},
                           {"fr", client_title("{{subject}} avec {{other.name}}, {{when}}")}}}});
    templates.booking["data"] = {{"room", "4b"}};
    CHECK(templates.title() == "4b: Chess");
    CHECK(templates.description().starts_with("Chess with Bo\n"));
    templates.person["language"] = "fr";
    CHECK(templates.title() == "Chess avec Bo, 2026-11-20, 09:00–10:30");
    templates.person["role"] = "tutor";
    CHECK(templates.title() == "Chess for Bo");
}

TEST_CASE("booking-templates: a text with a mistake is told with its place") {
    Templates templates({{"texts", json::object{{"en", client_title("{{subject")}}}});
    const auto result = templates.plugins->render(
        "booking", {templates.booking, templates.person, templates.other});
    CHECK(outcome_of(result).contains("texts.en.client.title: line 1: "));
}

TEST_CASE("booking-templates: what people write is text and no template") {
    Templates templates;
    templates.other["name"] = "{{person.email}}";
    CHECK(templates.title() == "Chess with {{person.email}}");
}

}  // namespace
