#include "net/tls.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <ctime>

namespace calhost::net {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

constexpr std::array<unsigned char, 9> kHttp11{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

int choose_protocol(SSL*, const unsigned char** out, unsigned char* length,
                    const unsigned char* offered, unsigned int size, void*) {
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, length, kHttp11.data(), kHttp11.size(), offered, size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

void set_versions(ssl::context& context) {
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    SSL_CTX_set_options(context.native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
}

std::unexpected<Error> refuse(const char* what, const std::string& file, const error_code& error) {
    return fail(ErrorCode::misconfigured, std::string("The ") + what + " '" + file +
                                              "' cannot be used: " + error.message() +
                                              ". It must be a readable PEM file.");
}

}  // namespace

Result<ssl::context> make_server_tls(const TlsFiles& files) {
    ssl::context context(ssl::context::tls_server);
    set_versions(context);
    SSL_CTX_set_alpn_select_cb(context.native_handle(), choose_protocol, nullptr);
    error_code error;
    context.use_certificate_chain_file(files.certificate, error);
    if (error) return refuse("certificate", files.certificate, error);
    context.use_private_key_file(files.key, ssl::context::pem, error);
    if (error) return refuse("key", files.key, error);
    return context;
}

Result<ServerTls> ServerTls::open(TlsFiles files) {
    const auto read_at = changed_at(files);
    auto context = make_server_tls(files);
    if (!context) return fail(context.error());
    return ServerTls(std::move(files), read_at, std::move(*context));
}

/// A file that is not there has no time, as one that was never read.
ServerTls::Times ServerTls::changed_at(const TlsFiles& files) {
    std::error_code ignored;
    return {std::filesystem::last_write_time(files.certificate, ignored),
            std::filesystem::last_write_time(files.key, ignored)};
}

Result<bool> ServerTls::renew() {
    // Looked at before reading: what changes meanwhile is read the next time.
    const auto changed = changed_at(files_);
    if (changed == read_at_) return false;
    read_at_ = changed;
    auto context = make_server_tls(files_);
    if (!context) return fail(context.error());
    context_ = std::move(*context);
    return true;
}

Result<Timestamp> check_tls(const TlsFiles& files) {
    auto context = make_server_tls(files);
    if (!context) return fail(context.error());
    // The context has the certificate, so it has an end.
    const auto* end = X509_get0_notAfter(SSL_CTX_get0_certificate(context->native_handle()));
    std::tm parts{};
    ASN1_TIME_to_tm(end, &parts);
    return Timestamp{std::chrono::seconds{timegm(&parts)}};
}

Result<ssl::context> make_client_tls(const std::string& ca_file) {
    ssl::context context(ssl::context::tls_client);
    set_versions(context);
    SSL_CTX_set_alpn_protos(context.native_handle(), kHttp11.data(), kHttp11.size());
    context.set_verify_mode(ssl::verify_peer);
    error_code error;
    if (ca_file.empty())
        context.set_default_verify_paths(error);
    else
        context.load_verify_file(ca_file, error);
    if (error) return refuse("certificate store", ca_file, error);
    return context;
}

}  // namespace calhost::net
