# Holds the sources to what the build and docs/architecture.md say about layers. Called by check_layers.sh, with the files
# in this order: CMakeLists.txt of src/, of the layers and of tools/effdet; docs/architecture.md; headers and sources.
#
#   1. DEPENDS lists the layers that a layer's sources include, all of them and no others; TEST_DEPENDS what its tests
#      include besides. A layer stands on those before it in src/CMakeLists.txt.
#   2. A header of include/effdet/ belongs to the layer whose PUBLIC_HEADERS name it. Including it is including that layer.
#   3. Headers of other libraries are included where CMakeLists.txt finds their package, and nowhere else.
#   4. The public headers include the standard library and each other; tools/effdet includes the public headers.
#   5. The headers of a layer declare in effdet::<layer> alone; in effdet itself stand base, and what public classes leave
#      to the library: struct Runner::Impl, and their friends.
#   6. What src/kernels/cpu/isa includes, directly or not, has no standard library but <cstdint> and <cstddef>.
#   7. The table of layers says the same.
#
# A mistake is a line on standard output that says what to change; the exit code is 1 then. With -v table=1 it prints the
# table that docs/architecture.md should have.

BEGIN {
  # Packages as find_package, pkg_check_modules or effdet_find_lazy name them, as the table names them, and what their headers begin with.
  add_package("fmt", "fmt", "fmt/")
  add_package("Threads", "threads", "")
  add_package("JPEG", "libjpeg", "jpeglib.h jerror.h")
  add_package("ZLIB", "zlib", "zlib.h")
  add_package("nlohmann_json", "nlohmann-json", "nlohmann/")
  add_package("ONNX", "libonnx", "onnx/")
  add_package("Protobuf", "protobuf", "google/protobuf/")
  add_package("CURL", "libcurl", "curl/")
  add_package("OpenSSL", "libcrypto", "openssl/")
  add_package("FlatBuffers", "FlatBuffers", "flatbuffers/")
  add_package("xxhash", "xxHash", "xxh")
  add_package("EXPAT", "expat", "expat.h")
  add_package("LIBYAML", "libyaml", "yaml.h")
  add_package("WEBP", "libwebp", "webp/")
  add_package("TIFF", "libtiff", "tiff")
  add_package("AVIF", "libavif", "avif/")
  add_package("FREETYPE", "FreeType", "ft2build.h")
  add_package("FONTCONFIG", "fontconfig", "fontconfig/")
  add_package("FFMPEG", "FFmpeg", "libavcodec/ libavformat/ libavutil/ libswscale/")
  add_package("AVDEVICE", "libavdevice", "libavdevice/")
  add_package("HEIF", "libheif", "libheif/")
  add_package("GRPC", "gRPC", "grpc/ grpcpp/")
  add_package("Boost", "Boost", "boost/")
  add_package("CLI11", "CLI11", "CLI/")
  pages = "docs/architecture.md"
}

function add_package(name, title, headers,    parts, n, i) {
  package_title[name] = title
  n = split(headers, parts, " ")
  for (i = 1; i <= n; ++i) package_of_header[parts[i]] = name
}

function complain(text) { print text; mistakes = 1 }

# --- what CMakeLists.txt say

# The words of one CMakeLists.txt, gathered; what is only there with EFFDET_TESTS is left out.
function read_words(line,    parts, n, i) {
  sub(/#.*/, "", line)
  gsub(/[()]/, " & ", line)
  n = split(line, parts, " ")
  for (i = 1; i <= n; ++i) words[++word_count] = parts[i]
}

function end_of_cmake(owner, file,    i, word, role, skipped) {
  cmake_of[owner] = file
  for (i = 1; i <= word_count; ++i) {
    word = words[i]
    if (word == "if") skipped = skipped ? skipped + 1 : (words[i + 2] == "EFFDET_TESTS" && words[i + 3] == ")")
    if (word == "endif" && skipped) --skipped
    if (skipped) continue
    if (word == "foreach" && owner == "src") {
      for (i += 3; words[i] != ")"; ++i) if (words[i] != "IN" && words[i] != "ITEMS") rank[words[i]] = ++layer_count
      continue
    }
    if (word == "find_package" && words[i + 2] != "PkgConfig") add_library(owner, words[i + 2])
    if (word == "effdet_find_lazy") add_library(owner, words[i + 2])
    if (word == "pkg_check_modules") add_library(owner, words[i + 2])
    if (word == "effdet_layer") { role = "SOURCES"; i += 2; if (words[i] != owner) complain(file ": the layer of this folder is " owner ", not " words[i]); is_layer[owner] = 1; continue }
    if (word == ")") role = ""
    if (role != "" && word ~ /^(SOURCES|DEPENDS|PRIVATE|PUBLIC_HEADERS|TESTS|TEST_DEPENDS)$/) { role = word; continue }
    if (role == "DEPENDS" && word ~ /^[a-z]+$/) { depends[owner, word] = "DEPENDS"; depend_list[owner] = listed(depend_list[owner], word) }
    if (role == "TEST_DEPENDS" && word ~ /^[a-z]+$/) {
      if ((owner, word) in depends) complain(file ": TEST_DEPENDS repeats " word " of DEPENDS: take it out")
      test_depends[owner, word] = 1
    }
    if (role == "PUBLIC_HEADERS") {
      if (word in owner_of_public) complain(file ": PUBLIC_HEADERS: " word " already belongs to " owner_of_public[word])
      owner_of_public[word] = owner
      public_list[owner] = listed(public_list[owner], word)
    }
  }
  word_count = 0
}

function listed(list, item) { return list == "" ? item : list ", " item }

function add_library(owner, name) {
  if (!(name in package_title)) { complain(cmake_of[owner] ": package " name ": add it to the list in tests/structure/check_layers.awk"); return }
  finds[owner, name] = 1
  library_list[owner] = listed(library_list[owner], package_title[name])
}

# --- what docs/architecture.md says

function trimmed(text) { gsub(/^[ `]+|[ `]+$/, "", text); return text }

function read_table(line,    cells, name) {
  if (line !~ /^\|/) { in_table = 0; return }
  split(line, cells, "|")
  name = trimmed(cells[2])
  if (name == "layer") in_table = 1
  if (!in_table || name == "layer" || name ~ /^-/) return
  sub(/ .*/, "", name)
  row[name] = line
  row_place[name] = FILENAME ":" FNR
  rows[++row_count] = name
}

# A remark may follow the libraries, after a colon.
function check_row(name, expected,    given) {
  if (!(name in row)) { complain(pages ": the table of layers lacks the row: " expected); return }
  given = row[name]
  sub(/:[^|]*\|/, " |", given)
  gsub(/ +/, " ", given)
  if (given != expected) complain(row_place[name] ": the row should be: " expected)
}

function row_of(name) {
  return "| " (name == "api" ? "api (libeffdet)" : name == "server" ? "server (libeffdet_server)" : name) " | " cell(depend_list[name]) cell(library_list[name]) cell(public_list[name])
}

function cell(text) { return text == "" ? "| " : text " | " }

function check_table(    name, i, expected, last) {
  for (name in rank) by_rank[rank[name]] = name
  for (i = 1; i <= layer_count; ++i) {
    name = by_rank[i]
    if (!is_layer[name]) { complain("src/CMakeLists.txt: src/" name "/CMakeLists.txt has no effdet_layer(" name " ...)"); continue }
    expected = row_of(name)
    sub(/ $/, "", expected)
    if (table) print expected
    else check_row(name, expected)
  }
  expected = "| tools/effdet | libeffdet's public headers | " cell(library_list["tools"]) "|"
  if (table) print expected
  else check_row("tools/effdet", expected)
  for (i = 1; i <= row_count; ++i) {
    name = rows[i]
    if (name == "tools/effdet") continue
    if (!(name in rank)) complain(row_place[name] ": there is no layer " name)
    else if (rank[name] < last) complain(row_place[name] ": " name " stands before it in src/CMakeLists.txt: the table has the same order")
    else last = rank[name]
  }
}

# --- what sources say

# Where a file stands: the layer's name, "public", "tools" or "".
function owner_of_file(file,    parts) {
  if (file ~ /^include\/effdet\//) return "public"
  if (file ~ /^tools\/effdet\//) return "tools"
  if (file ~ /^src\//) { split(file, parts, "/"); return parts[2] }
  return ""
}

function begin_source() {
  owner = owner_of_file(FILENAME)
  name = FILENAME
  sub(/.*\//, "", name)
  is_test = name ~ /(^|_)test[_.]/
  is_header = name ~ /\.h$/
  depth = 0
}

function read_include(line,    target, place, first, layer) {
  place = FILENAME ":" FNR
  if (line ~ /^#include "/) {
    target = line; sub(/^#include "/, "", target); sub(/".*/, "", target)
    included[FILENAME] = included[FILENAME] " " (target ~ /^effdet\// ? "include/" : "src/") target
    first = target; sub(/\/.*/, "", first)
    if (owner == "public") return read_public_include(place, target)
    if (owner == "tools") {
      if (first != "effdet" && first in rank) complain(place ": includes \"" target "\": tools/effdet includes nothing of src/")
      return
    }
    layer = first
    if (first == "effdet") {
      sub(/^effdet\//, "", target)
      if (target in owner_of_public) layer = owner_of_public[target]
      else { complain(place ": includes \"effdet/" target "\", which is in no layer's PUBLIC_HEADERS"); return }
      target = "effdet/" target
    }
    if (target !~ /\//) { complain(place ": includes \"" target "\": give the path from src/"); return }
    if (layer == "support") { if (!is_test) complain(place ": includes \"" target "\": only tests do"); return }
    if (!(layer in rank)) { complain(place ": includes \"" target "\": there is no layer " layer); return }
    use_layer(place, target, layer)
    if (target ~ /om_generated\.h$/) use_package(place, "flatbuffers/")
    return
  }
  target = line; sub(/^#include </, "", target); sub(/>.*/, "", target)
  system_includes[FILENAME] = system_includes[FILENAME] " " target
  if (owner == "public" && target !~ /^([a-z_]+|std[a-z]+\.h)$/) complain(place ": includes <" target ">: public headers include the standard library alone")
  use_package(place, target)
}

function use_layer(place, target, layer) {
  if (layer == owner) return
  if (is_test) {
    if ((owner, layer) in used_by_tests) return
    used_by_tests[owner, layer] = 1
    if ((owner, layer) in depends || (owner, layer) in test_depends) return
    complain(place ": includes \"" target "\": add " layer " to TEST_DEPENDS of " cmake_of[owner])
    return
  }
  if ((owner, layer) in used) return
  used[owner, layer] = 1
  if ((owner, layer) in depends) return
  if (rank[layer] > rank[owner]) complain(place ": includes \"" target "\", but " layer " is above " owner " in src/CMakeLists.txt: move what is needed down")
  else complain(place ": includes \"" target "\": add " layer " to DEPENDS of " cmake_of[owner] " and to the row of " owner " in " pages ", or do without")
}

function use_package(place, target,    header, name) {
  for (header in package_of_header) if (index(target, header) == 1) {
    name = package_of_header[header]
    uses_package[owner, name] = 1
    if (is_test || owner == "" || owner == "public" || (owner, name) in finds || ("base", name) in finds && owner != "tools") return
    complain(place ": includes <" target ">: add find_package(" name ") and its target to " cmake_of[owner])
  }
}

# A public header may include those of its own layer and of layers that its layer depends on.
function read_public_include(place, target,    from, to) {
  from = FILENAME; sub(/.*\//, "", from)
  to = target; sub(/^effdet\//, "", to)
  if (target !~ /^effdet\//) { complain(place ": includes \"" target "\": public headers include \"effdet/...\" alone"); return }
  public_place[from, to] = place
  used[owner_of_public[from], owner_of_public[to]] = 1
}

function check_public_headers(    key, parts, from, to) {
  for (key in public_place) {
    split(key, parts, SUBSEP)
    from = owner_of_public[parts[1]]; to = owner_of_public[parts[2]]
    if (from == to || (from, to) in depends || parts[1] == "effdet.h") continue
    complain(public_place[key] ": " parts[1] " is implemented by " from ", which does not depend on " to " with its " parts[2])
  }
}

# A layer's headers declare in its own namespace.
function read_namespace(line,    space, wanted) {
  if (line ~ /^}  \/\/ namespace/) { if (depth) --depth; return }
  space = line; sub(/^(inline )?namespace /, "", space); sub(/ *[{=].*/, "", space)
  if (line ~ /=/) { if (depth == 0) complain(FILENAME ":" FNR ": namespace " space ": an alias in a header is everyone's: put it inside effdet::" owner); return }
  if (depth == 0) {
    wanted = owner == "base" ? "effdet" : "effdet::" owner
    in_public = space == "effdet" && owner != "base"
    if (!in_public && space != wanted && index(space, wanted "::") != 1)
      complain(FILENAME ":" FNR ": namespace " space ": headers of src/" owner " declare in " wanted)
  }
  if (depth == 1 && in_public && space != owner)
    complain(FILENAME ":" FNR ": namespace " space ": headers of src/" owner " declare in effdet::" owner)
  if (line !~ /}/) ++depth
}

function read_public_declaration() {
  if (/^namespace/ || /^(struct|class) [A-Za-z]+::/ || /^(struct|class)/ && $2 in is_friend) return
  complain(FILENAME ":" FNR ": headers of src/" owner " declare in effdet::" owner)
}

# Code for one instruction set must bring no inline function that another file may share (docs/architecture.md).
function check_instruction_sets(    file, todo, n, i, k, parts, count, seen) {
  for (file in is_source) if (file ~ /^src\/kernels\/cpu\/isa\//) { todo[++n] = file; seen[file] = 1 }
  for (i = 1; i <= n; ++i) {
    file = todo[i]
    count = split(system_includes[file], parts, " ")
    for (k = 1; k <= count; ++k)
      if (parts[k] !~ /^(cstdint|cstddef|immintrin\.h|cpuid\.h)$/)
        complain(file ": includes <" parts[k] ">: code of src/kernels/cpu/isa, which includes it, may not (ODR rule in " pages ")")
    count = split(included[file], parts, " ")
    for (k = 1; k <= count; ++k) if (!(parts[k] in seen)) { seen[parts[k]] = 1; todo[++n] = parts[k] }
  }
}

function check_use(    key, parts) {
  for (key in depends) {
    split(key, parts, SUBSEP)
    if (!(parts[2] in rank)) complain(cmake_of[parts[1]] ": DEPENDS: there is no layer " parts[2])
    else if (rank[parts[2]] >= rank[parts[1]]) complain(cmake_of[parts[1]] ": DEPENDS: " parts[2] " is above " parts[1] " in src/CMakeLists.txt")
    if (!(key in used)) complain(cmake_of[parts[1]] ": DEPENDS lists " parts[2] ", of which no source of src/" parts[1] " includes a header: take it out")
  }
  for (key in test_depends) {
    split(key, parts, SUBSEP)
    if (!(key in used_by_tests)) complain(cmake_of[parts[1]] ": TEST_DEPENDS lists " parts[2] ", of which no test of src/" parts[1] " includes a header: take it out")
  }
  for (key in finds) {
    split(key, parts, SUBSEP)
    if (!(key in uses_package) && parts[2] != "Threads") complain(cmake_of[parts[1]] ": finds " parts[2] ", of which nothing there includes a header: take it out")
  }
}

FNR == 1 {
  if (previous ~ /CMakeLists\.txt$/) end_of_cmake(previous_owner, previous)
  previous = FILENAME
  previous_owner = owner_of_file(FILENAME)
  if (FILENAME == "src/CMakeLists.txt") previous_owner = "src"
  if (FILENAME ~ /CMakeLists\.txt$/) cmake_of[previous_owner] = FILENAME
  kind = FILENAME ~ /CMakeLists\.txt$/ ? "cmake" : FILENAME ~ /\.md$/ ? "table" : "source"
  if (kind == "source") { is_source[FILENAME] = 1; begin_source() }
  if (FILENAME ~ /^include\/effdet\//) {
    name = FILENAME; sub(/.*\//, "", name)
    if (!(name in owner_of_public)) complain(FILENAME ": name it in PUBLIC_HEADERS of the layer that implements it")
  }
}
kind == "cmake" { read_words($0); next }
kind == "table" { read_table($0); next }
/^#include/ { read_include($0) }
owner == "public" && /^ *friend (struct|class) / { sub(/;.*/, "", $3); is_friend[$3] = 1 }
is_header && in_public && depth == 1 && /^[a-z\[]/ { read_public_declaration() }
is_header && owner in rank && /^(namespace|inline namespace|}  \/\/ namespace)/ { read_namespace($0) }

END {
  check_table()
  if (table) exit 0
  check_use()
  check_public_headers()
  check_instruction_sets()
  exit mistakes
}
