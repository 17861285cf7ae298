#pragma once
// RFC 7692 as a plain user of zlib has it: the other end of a connection that compresses. It has no more
// window and no longer memory than was agreed, so that an endpoint which oversteps either is not understood.

#include <zlib.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace millrace::conformance {

class ZlibPeer {
  public:
    struct Way {
        int bits = 15;
        bool takeover = true;
    };

    // `out`: of what it sends, `in`: of what it reads.
    ZlibPeer(Way out, Way in) : out_(out), in_(in) {
        // zlib has no encoder of the smallest window; nobody is asked to have one here.
        if (deflateInit2(&deflate_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -out.bits, 8, Z_DEFAULT_STRATEGY) !=
                Z_OK ||
            inflateInit2(&inflate_, -in.bits) != Z_OK)
            throw std::runtime_error("zlib refuses the window");
    }
    ZlibPeer(const ZlibPeer&) = delete;
    ZlibPeer& operator=(const ZlibPeer&) = delete;
    ~ZlibPeer() {
        deflateEnd(&deflate_);
        inflateEnd(&inflate_);
    }

    std::string compress(std::string_view message) {
        if (!out_.takeover) deflateReset(&deflate_);
        const std::string octets = run(deflate_, ::deflate, message);
        return octets.substr(0, octets.size() - 4);  // section 7.2.1: without 00 00 FF FF
    }
    // Throws where the octets are not what was agreed.
    std::string decompress(std::string_view octets) {
        if (!in_.takeover) inflateReset(&inflate_);
        return run(inflate_, ::inflate, std::string(octets) + std::string("\0\0\xff\xff", 4));
    }

  private:
    static std::string run(z_stream& stream, int (*step)(z_stream*, int), std::string_view in) {
        std::string out, room(1 << 16, '\0');
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
        stream.avail_in = static_cast<uInt>(in.size());
        do {
            stream.next_out = reinterpret_cast<Bytef*>(room.data());
            stream.avail_out = static_cast<uInt>(room.size());
            const int result = step(&stream, Z_SYNC_FLUSH);
            if (result != Z_OK && result != Z_BUF_ERROR) throw std::runtime_error("not what was agreed");
            out.append(room, 0, room.size() - stream.avail_out);
        } while (stream.avail_out == 0);
        return out;
    }

    z_stream deflate_{}, inflate_{};
    Way out_, in_;
};

}  // namespace millrace::conformance
