#include "engine/run/www.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace millrace {
namespace {

namespace fs = std::filesystem;

class WwwTest : public ::testing::Test {
  protected:
    WwwTest() { fs::create_directories(root); }
    ~WwwTest() override { fs::remove_all(base); }

    void write(const fs::path& name, const std::string& content) {
        fs::create_directories((root / name).parent_path());
        std::ofstream(root / name, std::ios::binary) << content;
    }
    const Page* find(const std::vector<Page>& pages, std::string_view path) {
        const auto found =
            std::find_if(pages.begin(), pages.end(), [&](const Page& page) { return page.path == path; });
        return found == pages.end() ? nullptr : &*found;
    }

    const fs::path base = fs::temp_directory_path() / ("millrace-www-" + std::to_string(::getpid()));
    const fs::path root = base / "root";
};

TEST_F(WwwTest, EachFileIsAPage) {
    write("index.html", "top");
    write("a b.TXT", "text");
    write("sub/deep/index.html", "deep");
    write("sub/data.bin", std::string("\0\xff", 2));
    const auto pages = load_pages(root.string(), 1000, 1000);
    ASSERT_TRUE(pages) << pages.error().message;
    for (const char* path : {"/", "/index.html"}) {
        ASSERT_NE(find(*pages, path), nullptr) << path;
        EXPECT_EQ(*find(*pages, path)->body, "top");
        EXPECT_EQ(find(*pages, path)->content_type, "text/html; charset=utf-8");
    }
    EXPECT_EQ(find(*pages, "/a b.TXT")->content_type, "text/plain; charset=utf-8");
    EXPECT_EQ(find(*pages, "/sub/deep")->location, "/sub/deep/");
    EXPECT_EQ(*find(*pages, "/sub/deep/")->body, "deep");
    EXPECT_EQ(find(*pages, "/sub/data.bin")->content_type, "application/octet-stream");
    EXPECT_EQ(find(*pages, "/sub"), nullptr);
    EXPECT_NE(find(*pages, "/")->etag, find(*pages, "/sub/deep/")->etag);
}

TEST_F(WwwTest, WhatIsHiddenOrElsewhereIsNotServed) {
    write("a", "a");
    write(".hidden", "x");
    write(".git/config", "x");
    write(".well-known/security.txt", "seen");
    std::ofstream(base / "outside") << "x";
    fs::create_symlink(base / "outside", root / "out");
    fs::create_symlink(root / "a", root / "in");
    fs::create_directory_symlink(base, root / "up");
    const auto pages = load_pages(root.string(), 1000, 1000);
    ASSERT_TRUE(pages) << pages.error().message;
    std::vector<std::string> paths;
    for (const Page& page : *pages)
        paths.push_back(page.path);
    std::sort(paths.begin(), paths.end());
    EXPECT_EQ(paths, (std::vector<std::string>{"/.well-known/security.txt", "/a", "/in"}));
}

TEST_F(WwwTest, SaysWhatIsWrong) {
    EXPECT_FALSE(load_pages((base / "none").string(), 1000, 1000));
    EXPECT_FALSE(load_pages(root.string(), 1000, 1000));  // empty
    write("a", std::string(600, 'a'));
    EXPECT_TRUE(load_pages(root.string(), 1000, 1000));
    EXPECT_FALSE(load_pages(root.string(), 500, 1000));
    write("b", std::string(600, 'b'));
    EXPECT_FALSE(load_pages(root.string(), 1000, 1000));
}

}  // namespace
}  // namespace millrace
