#include "storage/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>

namespace calhost::storage {
namespace {

std::unexpected<Error> cannot_open(const std::filesystem::path& file, int code) {
    return fail(ErrorCode::unavailable,
                fmt::format("Cannot open {}: {}. Look at the rights of its folder, or name another "
                            "one with --data.",
                            file.string(), std::generic_category().message(code)));
}

/// For people and service managers; the lock itself is what keeps others out.
void write_process_id(int descriptor) {
    const auto text = fmt::format("{}\n", ::getpid());
    if (::ftruncate(descriptor, 0) == 0)
        static_cast<void>(::pwrite(descriptor, text.data(), text.size(), 0) > 0);
}

}  // namespace

Result<FileLock> FileLock::take(const std::filesystem::path& file) {
    const std::string path = file.string() + ".lock";
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return cannot_open(path, errno);
    FileLock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
        write_process_id(descriptor);
        return lock;
    }
    return fail(ErrorCode::unavailable,
                fmt::format("Another calhost is using {}. Stop that one first, or give this one "
                            "its own folder with --data.",
                            file.string()));
}

FileLock::~FileLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> make_private_file(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return cannot_open(file, errno);
    const int code = ::fchmod(descriptor, 0600) == 0 ? 0 : errno;
    ::close(descriptor);
    if (code != 0) return cannot_open(file, code);
    return {};
}

}  // namespace calhost::storage
