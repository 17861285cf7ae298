#pragma once
// Certificates made for tests: a CA, and what it signs, as PEM files in a directory that goes with them.

#include <openssl/ssl.h>

#include <string>
#include <vector>

#include "engine/tls/client_context.h"
#include "engine/tls/server_context.h"

namespace millrace::test {

class Certificates {
  public:
    Certificates();
    ~Certificates();

    struct Subject {
        std::string name;                // common name; of the files, too
        std::vector<std::string> hosts;  // "DNS:example.com", "IP:127.0.0.1"
        bool self_signed = false;
        long days = 30;    // negative: it has expired
        bool rsa = false;  // RSA-2048 rather than P-256
    };
    tls::CertificateFiles make(const Subject& subject);
    std::string ca() const { return path("ca.pem"); }
    std::string path(const std::string& name) const { return directory_ + "/" + name; }

  private:
    std::string directory_;
    EVP_PKEY* ca_key_ = nullptr;
    X509* ca_ = nullptr;
};

// One for all tests of a program: keys take milliseconds to make.
Certificates& certificates();

}  // namespace millrace::test
