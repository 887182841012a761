// Lua's patterns: the pattern up to the first NUL, the subject behind it.
#include "lua/patterns.h"

#include "fuzz/check.h"

using namespace calhost;
using namespace calhost::lua;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
    constexpr std::uint64_t kSteps = 100'000;
    const auto text = fuzz::to_text(bytes, size);
    const auto middle = std::min(text.find('\0'), text.size());
    const auto pattern = text.substr(0, middle);
    const auto subject = text.substr(std::min(middle + 1, text.size()));
    patterns::Matcher matcher(subject, pattern, kSteps);
    for (std::size_t start = 0; start <= subject.size(); ++start) {
        const auto end = matcher.match(start);
        if (!end) break;
        fuzz::promise(matcher.steps_used() <= kSteps, "steps are counted");
        if (!*end) continue;
        fuzz::promise(**end >= start && **end <= subject.size(), "a match lies in the subject");
        for (int i = 0; i < matcher.capture_count(); ++i) (void)matcher.capture(i, start, **end);
    }
    return 0;
}
