// Look-up, against what the kernel says of the same path in a real tree.
#include "vfs/core/lookup.h"

#include "tests/unit/workspace_fixture.h"
#include "vfs/core/record.h"

using namespace vfs;
using namespace vfs::test;

namespace {

void fill_links(const fs::path& top) {
  fill_small(top);
  fs::create_symlink("../file", top / "dir/up");
  fs::create_symlink("../dir/../dir/inner", top / "dir/around");
  fs::create_symlink("sub/deep", top / "dir/down");
  fs::create_symlink("..", top / "dir/parent");
  fs::create_symlink(".", top / "self");
  fs::create_symlink("loop_b", top / "loop_a");
  fs::create_symlink("loop_a", top / "loop_b");
  fs::create_symlink("dir/", top / "with_slash");
  fs::create_symlink("file/", top / "file_with_slash");
  fs::create_symlink("link", top / "link_to_link");
  fs::create_symlink("missing/file", top / "far_dangling");
  // 40 links are followed, the 41st is one too many.
  fs::create_symlink("file", top / "chain0");
  for (int i = 1; i <= 42; ++i) {
    fs::create_symlink("chain" + std::to_string(i - 1), top / ("chain" + std::to_string(i)));
  }
}

std::vector<std::string> all_paths() {
  std::vector<std::string> paths = {
      "", ".", "./", "./.", "file", "./file", "file/", "file/.", "file/..", "file/x", "file//",
      "dir", "dir/", "dir//", "dir/.", "dir/./", "dir/sub/..", "dir/sub/../..", "dir/sub/../inner",
      "dir//sub///low", "dir/./sub/./low", "dir/sub/low/", "dir/sub/low/..", "missing", "missing/",
      "missing/.", "missing/..", "missing/x", "dir/missing", "dir/missing/x", "file/../file",
      "link", "link/", "link/.", "link/x", "dir_link", "dir_link/", "dir_link/.", "dir_link/inner",
      "dir_link/..", "dir_link/../file", "dir_link/sub/../../file", "dangling", "dangling/",
      "dangling/x", "dangling/..", "far_dangling", "dir/up", "dir/up/", "dir/around", "dir/down",
      "dir/down/lowest", "dir/down/..", "dir/down/../low", "dir/parent", "dir/parent/file",
      "dir/parent/dir/parent/dir/inner", "self", "self/self/self/file", "self/", "loop_a",
      "loop_a/", "loop_a/x", "loop_b", "with_slash", "with_slash/inner", "file_with_slash",
      "link_to_link", "empty", "empty/", "empty/x", "empty/..", "full/a", "full/../full/b"};
  for (int i = 38; i <= 42; ++i) {
    paths.push_back("chain" + std::to_string(i));
    paths.push_back("chain" + std::to_string(i) + "/");
  }
  const std::string name(NAME_MAX, 'n');
  paths.push_back(name);
  paths.push_back(name + "x");
  paths.push_back("dir/" + name + "x");
  paths.push_back("missing/" + name + "x");
  paths.push_back("file/" + name + "x");
  paths.push_back(name + "x/y");
  return paths;
}

// The same answer from both trees: errno, or type, size and inode relation.
void compare_paths(Bed& bed, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    for (const bool follow : {false, true}) {
      struct stat expected = {};
      struct stat seen = {};
      const int native = bed.native().status(path, follow, expected);
      const int answer = bed.tree().status(path, follow, seen);
      INFO(name_of(bed.kind) << " '" << path << "'" << (follow ? " followed" : ""));
      CHECK(error_name(answer) == error_name(native));
      if (native != 0 || answer != 0) continue;
      CHECK(seen.st_mode == expected.st_mode);
      CHECK(seen.st_nlink == expected.st_nlink);
      if (!S_ISDIR(expected.st_mode)) CHECK(seen.st_size == expected.st_size);
    }
    std::string expected;
    std::string seen;
    const int native = bed.native().target(path, expected);
    INFO(name_of(bed.kind) << " readlink '" << path << "'");
    CHECK(error_name(bed.tree().target(path, seen)) == error_name(native));
    CHECK(seen == expected);
  }
}

}  // namespace

TEST_CASE("every spelling of a path is answered as the kernel does") {
  for_both(fill_links, [](Bed& bed) {
    compare_paths(bed, all_paths());
    // Again, now that directories are known: the answers must not change.
    compare_paths(bed, all_paths());
  });
}

TEST_CASE("the same when everything is in upper") {
  for_both(fill_links, [](Bed& bed) {
    for (const char* path : {"file", "dir/inner", "dir/sub/low", "dir/sub/deep/lowest", "link",
                             "dir_link", "dir/up", "chain7", "self"}) {
      REQUIRE(copy_up(bed.core(), bed.look(path), Content::keep) == 0);
    }
    compare_paths(bed, all_paths());
    bed.reopen();
    compare_paths(bed, all_paths());
  });
}

TEST_CASE("a path is canonical when it was found") {
  for_both(fill_links, [](Bed& bed) {
    const auto canonical = [&](const char* path) {
      const Lookup found = bed.look(path, Follow::yes);
      CHECK(found.hash == path_hash(found.path.text, found.path.length));
      return std::string(found.path.text);
    };
    CHECK(canonical("dir_link/sub/../inner") == "dir/inner");
    CHECK(canonical("dir/down/lowest") == "dir/sub/deep/lowest");
    CHECK(canonical("dir/down/..") == "dir/sub");
    CHECK(canonical("self/self/link_to_link") == "file");
    CHECK(canonical("dir/parent").empty());
    CHECK(canonical("dir//./sub/") == "dir/sub");
    // The last link is kept unless it is followed.
    CHECK(std::string(bed.look("dir_link/up", Follow::no).path.text) == "dir/up");
    CHECK(std::string(bed.look("link/", Follow::name).path.text) == "link");
    // A dangling link leads to the missing name.
    const Lookup missing = bed.look("dangling", Follow::yes);
    CHECK_FALSE(missing.exists());
    CHECK(std::string(missing.path.text) == "nowhere");
  });
}

TEST_CASE("a look-up starts at any directory of the tree") {
  for_both(fill_links, [](Bed& bed) {
    const PathBuffer start = as_path("dir/sub");
    const auto from = [&](const char* path) {
      Lookup found;
      const int result = look_up(bed.core(), start, path, Follow::yes, found);
      if (result != 0) return error_name(result);
      if (!found.inside) return "outside " + std::string(found.path.text);
      return std::string(found.exists() ? "" : "no ") + found.path.text;
    };
    CHECK(from("low") == "dir/sub/low");
    CHECK(from("deep/lowest") == "dir/sub/deep/lowest");
    CHECK(from(".") == "dir/sub");
    CHECK(from("..") == "dir");
    CHECK(from("../..").empty());
    CHECK(from("../up") == "file");
    CHECK(from("none") == "no dir/sub/none");
    CHECK(from("") == "ENOENT");
    CHECK(from("low/x") == "ENOTDIR");
    CHECK(from("../../..") == "outside " + bed.scratch.path().string());
    CHECK(from("../../../native/file") == "outside " + (bed.scratch / "native/file").string());
  });
}

TEST_CASE("paths and links lead out of the workspace and back in") {
  for_both(fill_links, [](Bed& bed) {
    const std::string root = bed.root.string();
    auto& tree = bed.tree();
    REQUIRE(tree.make_link(root + "/dir", "absolute") == 0);
    REQUIRE(tree.make_link("../" + bed.root.filename().string() + "/dir/inner", "out_and_back") == 0);
    REQUIRE(tree.make_link("../native", "out") == 0);
    REQUIRE(tree.make_link("/usr", "abs_out") == 0);
    REQUIRE(tree.make_link("//" + root.substr(1) + "//./dir//sub", "odd") == 0);
    REQUIRE(tree.make_link(root, "top") == 0);
    REQUIRE(tree.make_link("/", "slash") == 0);
    const auto place = [&](const std::string& path) {
      const Lookup found = bed.look(path, Follow::yes);
      return (found.inside ? "in " : "out ") + std::string(found.path.text);
    };
    CHECK(place("absolute") == "in dir");
    CHECK(place("absolute/inner") == "in dir/inner");
    CHECK(place("absolute/../file") == "in file");
    CHECK(place("out_and_back") == "in dir/inner");
    CHECK(place("odd/low") == "in dir/sub/low");
    CHECK(place("top") == "in ");
    CHECK(place("top/dir/inner") == "in dir/inner");
    CHECK(place("out") == "out " + (bed.scratch / "native").string());
    CHECK(place("out/file") == "out " + (bed.scratch / "native/file").string());
    CHECK(place("abs_out/lib") == "out /usr/lib");
    CHECK(place("..") == "out " + bed.scratch.path().string());
    CHECK(place("slash" + root + "/file") == "in file");
    CHECK(place("slash/usr/..") == "out //usr/..");
    CHECK(place("../" + bed.root.filename().string() + "/file") == "in file");
    CHECK(place("dir/../../" + bed.root.filename().string()) == "in ");
  });
}

TEST_CASE("absolute paths enter the workspace by name only where they lead into it") {
  Bed bed(Base::live, fill_small);
  const std::string root = bed.root.string();
  const auto enter = [&](const std::string& path) {
    PathBuffer rest;
    return enter_workspace(bed.core(), path.c_str(), rest) ? std::string(rest.text) : "outside";
  };
  CHECK(enter(root) == ".");
  CHECK(enter(root + "/") == ".");
  CHECK(enter(root + "/a/b") == "a/b");
  CHECK(enter("/" + root + "//a") == "a");
  CHECK(enter("/." + root + "/./a") == "./a");
  CHECK(enter(root + "/../" + bed.root.filename().string() + "/x") ==
        "../" + bed.root.filename().string() + "/x");
  CHECK(enter(bed.scratch.path().string() + "/native/../root/x") == "x");
  CHECK(enter("/usr/.." + root + "/x") == "x");
  CHECK(enter(root + "x/a") == "outside");
  CHECK(enter(root.substr(0, root.size() - 1)) == "outside");
  CHECK(enter("/") == "outside");
  CHECK(enter("/usr") == "outside");
  CHECK(enter("/usr/../..") == "outside");
  CHECK(enter("/no/such/..") == "outside");
  CHECK(enter("/..") == "outside");
}

TEST_CASE("a path of more than PATH_MAX is too long") {
  for_both(fill_small, [](Bed& bed) {
    std::string path;
    while (path.size() < PATH_MAX) path += "dir/../";
    path += "file";
    struct stat status;
    CHECK(bed.tree().status(path, false, status) == -ENAMETOOLONG);
    path.clear();
    while (path.size() + 8 < PATH_MAX) path += "./";
    path += "file";
    REQUIRE(path.size() < PATH_MAX);
    CHECK(bed.tree().status(path, false, status) == 0);
    // Natively the path would be longer by the root: start there instead.
    CHECK(bed.tree().make_link(std::string(PATH_MAX, 'x'), "too_long") == -ENAMETOOLONG);
  });
}

TEST_CASE("reserved names do not exist and cannot be made") {
  for_both(fill_small, [](Bed& bed) {
    auto& tree = bed.tree();
    struct stat status;
    for (const std::string& path : {std::string(kMarkerName), std::string(kDirectoryRecordName),
                                    "dir/" + std::string(kDirectoryRecordName)}) {
      INFO(path);
      CHECK(tree.status(path, false, status) == -ENOENT);
      CHECK(tree.open(path, O_RDONLY) == -ENOENT);
      CHECK(tree.write(path, "x") == -EPERM);
      CHECK(tree.make_directory(path) == -EPERM);
      CHECK(tree.make_node(path, S_IFIFO | 0644) == -EPERM);
      CHECK(tree.make_link("x", path) == -EPERM);
      CHECK(tree.hard_link("file", path) == -EPERM);
      CHECK(tree.rename("file", path) == -EPERM);
      CHECK(tree.rename("dir", path) < 0);
      CHECK(tree.remove_file(path) == -ENOENT);
      CHECK(tree.remove_directory(path) == -ENOENT);
      CHECK(tree.rename(path, "got_it") == -ENOENT);
    }
    // The marker's name is a name like any other further down.
    CHECK(tree.write("dir/" + std::string(kMarkerName), "mine") == 0);
    CHECK(tree.content("dir/" + std::string(kMarkerName)) == "mine");
    bed.native().write("dir/" + std::string(kMarkerName), "mine");
    bed.compare("after the attempts");
  });
}

TEST_CASE("what upper says counts: whiteout, opaque, redirect, record") {
  for_both(fill_small, [](Bed& bed) {
    auto& tree = bed.tree();
    bed.both("unlink", [](Tree& t) { return t.remove_file("dir/inner"); });
    const Lookup gone = bed.look("dir/inner");
    CHECK_FALSE(gone.exists());
    CHECK(gone.whiteout);
    CHECK(base_has(bed.core(), gone));

    bed.both("rename a directory", [](Tree& t) { return t.rename("dir", "moved"); });
    const Lookup low = bed.look("moved/sub/low");
    REQUIRE(low.exists());
    CHECK(low.base_is_elsewhere);
    CHECK(std::string(low.base_path().text) == "dir/sub/low");
    CHECK_FALSE(bed.look("moved/inner").exists());
    CHECK_FALSE(bed.look("dir").exists());

    bed.both("a new directory in the old place", [](Tree& t) { return t.make_directory("dir"); });
    const Lookup opaque = bed.look("dir");
    CHECK(opaque.source == Source::upper);
    CHECK_FALSE(opaque.merged);
    CHECK_FALSE(bed.look("dir/sub").exists());
    CHECK(base_has(bed.core(), opaque));
    bed.both("a file in it", [](Tree& t) { return t.write("dir/sub", "now a file"); });
    bed.compare("opaque and redirect");

    if (bed.kind == Base::snapshot) {
      REQUIRE(tree.mode("other", 0600) == 0);
      REQUIRE(bed.native().mode("other", 0600) == 0);
      CHECK(bed.look("other").source == Source::record);
      bed.compare("a record");
    }
    bed.reopen();
    bed.compare("seen by another process");
  });
}

TEST_CASE("a redirect of an older generation is void") {
  Bed bed(Base::snapshot, fill_small);
  REQUIRE(bed.tree().rename("dir", "moved") == 0);
  CHECK(bed.look("moved/inner").exists());
  bed.core().control->generation.fetch_add(1);
  bed.reopen();
  // The base of the new generation has nothing called "moved".
  CHECK_FALSE(bed.look("moved/inner").exists());
  CHECK(bed.look("moved").is_directory());
}

TEST_CASE("a damaged record in upper hides the path, a damaged directory record the base") {
  for_both(fill_small, [](Bed& bed) {
    ChangeFilter& filter = bed.core().control->filter;
    filter.announce(bed.look("file").hash);
    fs::create_symlink(std::string(kRecordPrefix) + "o nonsense", bed.upper("file"));
    const Lookup hidden = bed.look("file");
    CHECK_FALSE(hidden.exists());
    CHECK(hidden.whiteout);

    REQUIRE(mirror_directory(bed.core(), as_path("full")) == 0);
    CHECK(bed.look("full/a").exists());
    fs::create_symlink(std::string(kRecordPrefix) + "r nonsense",
                       bed.upper("full") / kDirectoryRecordName);
    filter.announce_subtree(bed.look("full").hash);
    CHECK_FALSE(bed.look("full/a").exists());
    std::vector<std::string> names;
    CHECK(bed.tree().names("full", names) == 0);
    CHECK(names.empty());
  });
}

TEST_CASE("links whose target looks like a record are links") {
  for_both(fill_small, [](Bed& bed) {
    for (const char* rest : {"w", "o", "q 1", "r 1 dir", "l", "x"}) {
      const std::string target = std::string(kRecordPrefix) + rest;
      bed.both("symlink " + target, [&](Tree& t) { return t.make_link(target, std::string("odd_") + rest[0]); });
    }
    bed.compare("escaped links");
  });
}
