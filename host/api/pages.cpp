#include "api/pages.h"

#include <fmt/format.h>

#include "api/problem.h"
#include "base/encoding.h"
#include "crypto/crypto.h"

namespace calhost::api {
namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --line: #d0d7de; --accent: #0b57d0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --line: #30363d; --accent: #8ab4f8; } }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
main { box-sizing: border-box; width: calc(100% - 2rem); max-width: 38rem; margin: 12vh auto 0; padding: 2rem;
  border: 1px solid var(--line); border-radius: .75rem; }
main > :last-child { margin-bottom: 0; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; }
a { color: var(--accent); }
strong { overflow-wrap: anywhere; }
button { font: inherit; margin: .25rem .25rem .25rem 0; padding: .5rem 1.25rem; border-radius: .5rem; border: 1px solid var(--accent); cursor: pointer; }
button[value="yes"] { background: var(--accent); color: var(--paper); }
button[value="no"] { background: transparent; color: var(--accent); }
)";

/// The page may load nothing and run nothing; its own style is named by its hash.
std::string policy(std::string_view form_targets) {
    return fmt::format(
        "default-src 'none'; style-src 'sha256-{}'; form-action {}; base-uri 'none'; "
        "frame-ancestors 'none'",
        base64_encode(crypto::sha256(kStyle)), form_targets);
}

net::Response page(int status, std::string_view title, std::string_view main,
                   std::string_view form_targets = "'none'") {
    auto response = net::Response::html(
        status,
        fmt::format(
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{0}</title>"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
            "<style>{1}</style></head>\n<body><main><h1>{0}</h1>\n{2}\n</main></body>\n</html>\n",
            html_escape(title), kStyle, main));
    response.headers.set("Content-Security-Policy", policy(form_targets));
    return response;
}

/// "https://app.example.org/x" → "https://app.example.org"
std::string_view origin_of(std::string_view url) {
    const auto scheme = url.find("://");
    return scheme == std::string_view::npos ? url : url.substr(0, url.find('/', scheme + 3));
}

}  // namespace

net::Response landing_page(const net::Request& request) {
    if (request.query.get("connected") == "success")
        return page(200, "Calendar connected",
                    "<p>Your calendar is connected. You can close this page.</p>");
    const auto error = request.query.get("error");
    if (!error.empty())
        return page(200, "Calendar not connected",
                    fmt::format("<p>Connecting did not work (<strong>{}</strong>). Please go back "
                                "to the application and "
                                "try again.</p>",
                                html_escape(error.substr(0, 64))));
    return page(200, "calhost",
                "<p>This is a calendar host. Applications talk to it over HTTP; its contract is at "
                "<a href=\"/openapi.json\">/openapi.json</a>.</p>");
}

net::Response plain_page(std::string_view title, std::string_view main) {
    return page(200, title, main);
}

net::Response problem_page(int status, std::string_view title, std::string_view detail) {
    auto response = page(status, title, fmt::format("<p>{}</p>", html_escape(detail)));
    if (status == 503) response.headers.set("Retry-After", std::string(kRetryLater));
    return response;
}

net::Response confirmation_page(const ApiOptions& options,
                                const connect::NeedsConfirmation& question,
                                std::string_view user_email) {
    const auto main = fmt::format(
        "<p>The {0} account <strong>{1}</strong> will be connected to the calendar account of "
        "<strong>{2}</strong>.</p>"
        "<p>Only go on if you began this yourself and both are yours. Otherwise someone else could "
        "read your calendar.</p>"
        "<form method=\"post\" action=\"/api/calendar/connect/confirm\">"
        "<input type=\"hidden\" name=\"token\" value=\"{3}\">"
        "<p><button name=\"answer\" value=\"yes\">Yes, connect them</button> "
        "<button name=\"answer\" value=\"no\">No, give the permission back</button></p></form>",
        html_escape(question.provider_title), html_escape(question.account_email),
        html_escape(user_email), question.token);
    return page(200, "Connect these accounts?", main,
                fmt::format("'self' {}", origin_of(options.frontend_url)));
}

}  // namespace calhost::api
