#pragma once
// The secrets under which session tickets are written and read (RFC 5077 section 4): the same for all shards,
// so that a client resumes whichever shard it comes to, and others every two hours, so that who gets hold of
// one reads no more than the sessions of that time (RFC 9325 section 3.4). Each shard has a copy and turns it
// by the time alone: they agree without a word, and what has been is forgotten, for each secret is a one-way
// function of the one before.

#include <openssl/evp.h>

#include <array>
#include <cstdint>

#include "netstack/base/time.h"

namespace millrace::tls {

class TicketKeys {
  public:
    // Of writing; for as long again what was written is read. OpenSSL's sessions live no longer.
    static constexpr Duration kLifetime = 2h;

    TicketKeys();  // at random
    ~TicketKeys();
    TicketKeys(const TicketKeys&) = default;
    TicketKeys& operator=(const TicketKeys&) = default;

    // Those of `now`, which goes on from call to call.
    void turn(Time now) {
        if (now >= due_) turn_to(now.time_since_epoch() / kLifetime);
    }

    // As SSL_CTX_set_tlsext_ticket_key_evp_cb() calls for it: prepares `cipher` and `mac` to write a ticket,
    // of which it fills in `name` and `iv`, or to read the one that they are of. 1; when reading, 2 for a
    // ticket that should be written anew; 0 for one that nobody here can read; -1 when OpenSSL fails.
    int prepare(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                bool writing) const;

  private:
    struct Keys {
        std::array<unsigned char, 32> name, cipher, mac;  // of the name the first 16 bytes
    };
    void turn_to(std::int64_t period);
    void derive();

    std::array<unsigned char, 32> secret_;
    Keys now_, before_;
    std::int64_t period_ = 0;
    Time due_ = Time(kLifetime);  // when the next period begins
};

}  // namespace millrace::tls
