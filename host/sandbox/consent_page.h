/// The pages of the simulated provider. No script and no inline style, so that any policy fits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/message.h"

namespace calhost::sandbox {

struct ConsentPage {
    struct Choice {
        std::string email;
        std::string name;
        bool is_chosen = false;
    };
    struct Scope {
        std::string scope;
        std::string words;
        bool is_fixed = false;  ///< cannot be unticked
    };
    std::string provider;  ///< "Google"
    std::string style;     ///< the style sheet's address, relative to the page
    std::string action;    ///< where the form goes, relative to the page
    std::string ticket;
    std::string client_id;
    std::vector<Choice> accounts;
    std::vector<Scope> scopes;
};

std::string render_consent(const ConsentPage& page);
/// `style` is the style sheet's address, relative to the page.
std::string render_error(std::string_view provider, std::string_view code,
                         std::string_view sentence, std::string_view style);
net::Response style_sheet();

}  // namespace calhost::sandbox
