#include "sandbox/receiver.h"

#include <boost/url.hpp>

namespace calhost::sandbox {

bool is_receiver(std::string_view address) {
    const auto url = boost::urls::parse_uri(address);
    if (!url || url->encoded_host().empty()) return false;
    const auto host = url->encoded_host();
    return url->scheme() == "https" ||
           (url->scheme() == "http" &&
            (host == "127.0.0.1" || host == "localhost" || host == "[::1]"));
}

}  // namespace calhost::sandbox
