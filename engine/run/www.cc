#include "engine/run/www.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "engine/http/message.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

struct Type {
    std::string_view extension, type;
};

constexpr std::array kTypes{
    Type{".css", "text/css; charset=utf-8"},
    Type{".csv", "text/csv; charset=utf-8"},
    Type{".gif", "image/gif"},
    Type{".htm", "text/html; charset=utf-8"},
    Type{".html", "text/html; charset=utf-8"},
    Type{".ico", "image/vnd.microsoft.icon"},
    Type{".jpeg", "image/jpeg"},
    Type{".jpg", "image/jpeg"},
    Type{".js", "text/javascript; charset=utf-8"},
    Type{".json", "application/json"},
    Type{".map", "application/json"},
    Type{".md", "text/markdown; charset=utf-8"},
    Type{".mjs", "text/javascript; charset=utf-8"},
    Type{".pdf", "application/pdf"},
    Type{".png", "image/png"},
    Type{".svg", "image/svg+xml"},
    Type{".txt", "text/plain; charset=utf-8"},
    Type{".wasm", "application/wasm"},
    Type{".webp", "image/webp"},
    Type{".woff2", "font/woff2"},
    Type{".xml", "application/xml"},
};

std::string type_of(const fs::path& file) {
    const std::string extension = file.extension().string();
    const auto found = std::find_if(kTypes.begin(), kTypes.end(), [&](const Type& type) {
        return http::equals_ignoring_case(type.extension, extension);
    });
    return std::string(found == kTypes.end() ? "application/octet-stream" : found->type);
}

bool is_hidden(const fs::path& relative) {
    return std::any_of(relative.begin(), relative.end(), [](const fs::path& part) {
        return part.string().starts_with('.') && part != ".well-known";
    });
}

bool lies_under(const fs::path& root, const fs::path& file) {
    return std::mismatch(root.begin(), root.end(), file.begin(), file.end()).first == root.end();
}

Expected<std::string> read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(file), {}};
    if (!file) return fail(fmt::format("--www: {} cannot be read", path.string()));
    return content;
}

// The pages that one file calls for.
void add_pages(std::vector<Page>& pages, const fs::path& relative, std::string content) {
    const std::string path = '/' + relative.generic_string();
    if (relative.filename() == "index.html") {
        const std::string folder = path.substr(0, path.size() - std::string_view("index.html").size());
        pages.push_back(page(folder, type_of(relative), content));
        if (folder != "/") pages.push_back(redirection(folder.substr(0, folder.size() - 1), folder));
    }
    pages.push_back(page(path, type_of(relative), std::move(content)));
}

}  // namespace

Expected<std::vector<Page>> load_pages(const std::string& directory, std::size_t most_file,
                                       std::size_t most) {
    std::error_code error;
    const fs::path root = fs::canonical(directory, error);
    if (error || !fs::is_directory(root, error))
        return fail(fmt::format("--www: {} is not a directory", directory));
    std::vector<Page> pages;
    std::size_t bytes = 0;
    auto at = fs::recursive_directory_iterator(root, fs::directory_options::skip_permission_denied, error);
    for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
        const fs::path relative = at->path().lexically_relative(root);
        if (is_hidden(relative) || !at->is_regular_file(error) ||
            !lies_under(root, fs::canonical(at->path(), error)))
            continue;
        auto content = read_file(at->path());
        if (!content) return tl::unexpected(content.error());
        if (content->size() > most_file)
            return fail(
                fmt::format("--www: {} is longer than {} bytes, as much as is sent at once: raise "
                            "--max-message, or move it",
                            at->path().string(), most_file));
        bytes += content->size();
        if (bytes > most)
            return fail(fmt::format(
                "--www: the files of {} are longer than {} bytes together, which is as much as is "
                "kept in memory",
                directory, most));
        add_pages(pages, relative, std::move(*content));
    }
    if (error) return fail(fmt::format("--www: {}: {}", directory, error.message()));
    if (pages.empty()) return fail(fmt::format("--www: there is no file to serve in {}", directory));
    return pages;
}

}  // namespace millrace
