#include "engine/tls/server_context.h"

#include <fmt/format.h>
#include <openssl/x509v3.h>

#include <cstring>

#include "engine/http/message.h"
#include "engine/tls/alpn.h"

namespace millrace::tls {
namespace {

// The certificates by the names that they are for, and what all of them write tickets with.
struct Certificates {
    struct Named {
        std::vector<std::string> names;
        ContextPtr context;  // null: the default one
    };
    std::vector<Named> all;
    TicketKeys tickets;
};

void free_certificates(void*, void* certificates, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<Certificates*>(certificates);
}

// Where the default SSL_CTX keeps its Certificates.
int certificates_index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_certificates);
    return index;
}

// Where each finds the tickets' keys: the default one's, which outlives all connections that began with it.
int tickets_index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

int prepare_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                   int writing) {
    const auto* keys =
        static_cast<const TicketKeys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), tickets_index()));
    const int answer = keys->prepare(name, iv, cipher, mac, writing != 0);
    // RFC 8446 appendix C.4: a ticket is for one connection, so that each brings the next.
    return answer == 1 && !writing && SSL_version(ssl) == TLS1_3_VERSION ? 2 : answer;
}

// The DNS names that a certificate is for; its common name where it has none (RFC 6125 section 6.4.4).
std::vector<std::string> names_of(X509* certificate) {
    std::vector<std::string> names;
    const auto add = [&](const ASN1_STRING* text) {
        names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                           static_cast<std::size_t>(ASN1_STRING_length(text)));
    };
    if (auto* alternatives = static_cast<GENERAL_NAMES*>(
            X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))) {
        for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); ++i) {
            const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives, i);
            if (name->type == GEN_DNS) add(name->d.dNSName);
        }
        GENERAL_NAMES_free(alternatives);
    }
    if (!names.empty()) return names;
    X509_NAME* subject = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at >= 0) add(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    return names;
}

// RFC 6066 section 3. An unknown name is answered with the default certificate: the client judges it.
int choose_certificate(SSL* ssl, int*, void*) {
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
    const auto* certificates =
        static_cast<const Certificates*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), certificates_index()));
    for (const auto& [names, context] : certificates->all)
        for (const std::string& pattern : names)
            if (matches_name(pattern, name)) {
                if (context) SSL_set_SSL_CTX(ssl, context.get());
                return SSL_TLSEXT_ERR_OK;
            }
    return SSL_TLSEXT_ERR_NOACK;
}

// RFC 7301 section 3.2: who offers protocols and not ours is refused.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered,
                    unsigned offered_length, void*) {
    for (unsigned at = 0; at < offered_length; at += 1u + offered[at]) {
        if (offered[at] != kHttp11.size() ||
            std::memcmp(offered + at + 1, kHttp11.data(), kHttp11.size()) != 0)
            continue;
        *chosen = offered + at + 1;
        *length = offered[at];
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

Expected<void> ask_for_certificates(SSL_CTX* context, const std::string& ca) {
    if (SSL_CTX_load_verify_file(context, ca.c_str()) != 1)
        return fail(fmt::format("the certificates of --tls-client-ca {} cannot be read ({}): give a PEM file",
                                ca, take_error()));
    if (auto* names = SSL_load_client_CA_file(ca.c_str())) SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return {};
}

Expected<ContextPtr> make_server(const CertificateFiles& files, const ServerConfig& config,
                                 TicketKeys& tickets) {
    auto made = make_context(TLS_server_method());
    if (!made) return made;
    SSL_CTX* const context = made->get();
    if (auto used = use_certificate(context, files.certificate, files.key); !used)
        return tl::unexpected(used.error());
    if (!config.client_ca.empty())
        if (auto asked = ask_for_certificates(context, config.client_ca); !asked)
            return tl::unexpected(asked.error());
    // Sessions are resumed by tickets: nothing is kept here for them.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    static constexpr unsigned char kSessionsOf[] = "millrace";
    SSL_CTX_set_session_id_context(context, kSessionsOf, sizeof kSessionsOf - 1);
    SSL_CTX_set_ex_data(context, tickets_index(), &tickets);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, prepare_ticket);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    return made;
}

}  // namespace

bool matches_name(std::string_view pattern, std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    if (pattern.starts_with("*.")) {
        const std::size_t dot = name.find('.');
        if (dot == 0 || dot == std::string_view::npos) return false;
        return http::equals_ignoring_case(pattern.substr(2), name.substr(dot + 1));
    }
    return http::equals_ignoring_case(pattern, name);
}

Expected<std::unique_ptr<ServerContext>> ServerContext::create(const ServerConfig& config,
                                                               const TicketKeys& tickets) {
    if (config.certificates.empty())
        return fail("a wss:// listener needs a certificate: give --tls-cert and --tls-key");
    auto certificates = std::make_unique<Certificates>(Certificates{{}, tickets});
    ContextPtr first;
    for (const CertificateFiles& files : config.certificates) {
        auto made = make_server(files, config, certificates->tickets);
        if (!made) return tl::unexpected(made.error());
        certificates->all.push_back({names_of(SSL_CTX_get0_certificate(made->get())), nullptr});
        (first ? certificates->all.back().context : first) = std::move(*made);
    }
    if (SSL_CTX_set_ex_data(first.get(), certificates_index(), certificates.get()) != 1)
        return fail(fmt::format("OpenSSL keeps no certificates: {}", take_error()));
    certificates.release();  // the context's now
    SSL_CTX_set_tlsext_servername_callback(first.get(), choose_certificate);
    return std::unique_ptr<ServerContext>(new ServerContext(std::move(first)));
}

TicketKeys& ServerContext::tickets() {
    return static_cast<Certificates*>(SSL_CTX_get_ex_data(default_.get(), certificates_index()))->tickets;
}

SSL* ServerContext::open() const {
    SSL* const ssl = SSL_new(default_.get());
    if (ssl) SSL_set_accept_state(ssl);
    return ssl;
}

}  // namespace millrace::tls
