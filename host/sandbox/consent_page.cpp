#include "sandbox/consent_page.h"

#include <fmt/format.h>

#include "base/encoding.h"

namespace calhost::sandbox {
namespace {

std::string frame(std::string_view provider, std::string_view style_path, std::string_view title,
                  std::string_view main) {
    return fmt::format(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"robots\" content=\"noindex\">\n<title>{} – SANDBOX</title>\n"
        "<link rel=\"stylesheet\" href=\"{}\">\n</head>\n<body>\n"
        "<header><p><strong>SANDBOX</strong> This is not {}. Nothing here leaves this "
        "machine.</p></header>\n<main>\n{}</main>\n</body>\n</html>\n",
        title, style_path, provider, main);
}

std::string account_choice(const ConsentPage& page) {
    std::string html = "<fieldset>\n<legend>Account</legend>\n";
    for (const auto& account : page.accounts)
        html += fmt::format(
            "<label><input type=\"radio\" name=\"account\" value=\"{0}\"{1} required> "
            "{2} <span>{0}</span></label>\n",
            html_escape(account.email), account.is_chosen ? " checked" : "",
            html_escape(account.name));
    return html + "</fieldset>\n";
}

std::string scope_choice(const ConsentPage& page) {
    std::string html = "<fieldset>\n<legend>What it may do</legend>\n";
    for (const auto& scope : page.scopes)
        html += fmt::format(
            "<label><input type=\"checkbox\" name=\"scope\" value=\"{0}\" checked{1}> {2} "
            "<span>{0}</span></label>\n",
            html_escape(scope.scope), scope.is_fixed ? " disabled" : "", html_escape(scope.words));
    return html + "</fieldset>\n";
}

}  // namespace

std::string render_consent(const ConsentPage& page) {
    return frame(
        page.provider, page.style, "Give access",
        fmt::format("<h1>Give access to your calendar</h1>\n"
                    "<p><b>{}</b> wants to use a simulated {} account.</p>\n"
                    "<form method=\"post\" action=\"{}\">\n"
                    "<input type=\"hidden\" name=\"ticket\" value=\"{}\">\n{}{}"
                    "<div class=\"buttons\">\n"
                    "<button name=\"decision\" value=\"deny\">Deny</button>\n"
                    "<button name=\"decision\" value=\"allow\" class=\"main\">Allow</button>\n"
                    "</div>\n</form>\n",
                    html_escape(page.client_id), page.provider, page.action,
                    html_escape(page.ticket), account_choice(page), scope_choice(page)));
}

std::string render_error(std::string_view provider, std::string_view code,
                         std::string_view sentence, std::string_view style) {
    return frame(
        provider, style, "Access blocked",
        fmt::format("<h1>Access blocked</h1>\n<p>{}</p>\n<p><code>Error 400: {}</code></p>\n",
                    html_escape(sentence), html_escape(code)));
}

net::Response style_sheet() {
    net::Response response;
    response.headers.set("Content-Type", "text/css; charset=utf-8");
    response.body = R"(:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; background: #f4f5f7; color: #1b1f24; }
header { background: #7a3e00; color: #fff; padding: .5rem 1rem; text-align: center; }
header p { margin: 0; }
main { box-sizing: border-box; width: calc(100% - 2rem); max-width: 38rem; margin: 2rem auto;
  padding: 1.5rem 2rem; background: #fff; border: 1px solid #c9ced6; border-radius: .75rem; }
h1 { font-size: 1.4rem; margin-top: 0; }
fieldset { border: 1px solid #c9ced6; border-radius: .5rem; margin: 0 0 1rem; }
legend { font-weight: 600; padding: 0 .4rem; }
label { display: block; padding: .3rem 0 .3rem 1.7rem; text-indent: -1.7rem; }
label span { display: block; text-indent: 0; color: #535b66; font-size: .85rem;
  overflow-wrap: anywhere; }
.buttons { display: flex; gap: .75rem; justify-content: flex-end; }
button { font: inherit; padding: .5rem 1.25rem; border-radius: .5rem; border: 1px solid #5c6570;
  background: #fff; color: #1b1f24; cursor: pointer; }
button.main { background: #0b57d0; border-color: #0b57d0; color: #fff; }
:focus-visible { outline: 3px solid #0b57d0; outline-offset: 2px; }
@media (prefers-color-scheme: dark) {
  body { background: #15181c; color: #e6e8eb; }
  main { background: #1f2328; border-color: #4a525c; }
  fieldset { border-color: #4a525c; }
  label span { color: #b0b8c2; }
  button { background: #2b3036; color: #e6e8eb; border-color: #8b949e; }
  button.main { background: #a8c7fa; border-color: #a8c7fa; color: #062e6f; }
  :focus-visible { outline-color: #a8c7fa; }
}
)";
    return response;
}

}  // namespace calhost::sandbox
