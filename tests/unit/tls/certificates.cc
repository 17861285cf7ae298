#include "tests/unit/tls/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace millrace::test {
namespace {

EVP_PKEY* make_key(bool rsa) {
    return rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
}

void name(X509_NAME* subject, const std::string& text) {
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
}

void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
    if (!extension) throw std::runtime_error("no extension " + value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

X509* make_certificate(EVP_PKEY* key, const std::string& subject, long from_days, long days) {
    static long serial = 0;
    X509* certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), from_days * 86400);
    X509_gmtime_adj(X509_getm_notAfter(certificate), days * 86400);
    X509_set_pubkey(certificate, key);
    name(X509_get_subject_name(certificate), subject);
    return certificate;
}

template <class Write>
void write_pem(const std::string& path, Write write) {
    std::FILE* file = std::fopen(path.c_str(), "w");
    if (!file || write(file) != 1) throw std::runtime_error("cannot write " + path);
    std::fclose(file);
}

}  // namespace

Certificates::Certificates() {
    std::string place = (std::filesystem::temp_directory_path() / "millrace-tls-XXXXXX").string();
    if (!::mkdtemp(place.data())) throw std::runtime_error("no temporary directory");
    directory_ = place;
    ca_key_ = make_key(false);
    ca_ = make_certificate(ca_key_, "Millrace test CA", -10, 30);
    X509_set_issuer_name(ca_, X509_get_subject_name(ca_));
    extend(ca_, ca_, NID_basic_constraints, "critical,CA:TRUE");
    extend(ca_, ca_, NID_subject_key_identifier, "hash");
    X509_sign(ca_, ca_key_, EVP_sha256());
    write_pem(ca(), [&](std::FILE* file) { return PEM_write_X509(file, ca_); });
}

Certificates::~Certificates() {
    std::filesystem::remove_all(directory_);
    X509_free(ca_);
    EVP_PKEY_free(ca_key_);
}

tls::CertificateFiles Certificates::make(const Subject& subject) {
    EVP_PKEY* key = make_key(subject.rsa);
    X509* certificate = make_certificate(key, subject.name, -10, subject.days);
    X509* issuer = subject.self_signed ? certificate : ca_;
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    std::string names;
    for (const std::string& host : subject.hosts)
        names += (names.empty() ? "" : ",") + host;
    if (!names.empty()) extend(certificate, issuer, NID_subject_alt_name, names);
    X509_sign(certificate, subject.self_signed ? key : ca_key_, EVP_sha256());
    tls::CertificateFiles files{path(subject.name + ".pem"), path(subject.name + ".key")};
    write_pem(files.certificate, [&](std::FILE* file) { return PEM_write_X509(file, certificate); });
    write_pem(files.key, [&](std::FILE* file) {
        return PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    });
    X509_free(certificate);
    EVP_PKEY_free(key);
    return files;
}

Certificates& certificates() {
    static Certificates all;
    return all;
}

}  // namespace millrace::test
