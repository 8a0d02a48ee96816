// vfs-headers: what C headers declare, by libclang, one line a function or constant, for `vfs call`. A program of its
// own: libclang takes as long to load as a thousand calls, and headers of any kind must not crash the command.
//
//   vfs-headers [-I DIR]... [HEADER]...     no HEADER: the standard ones
//
// Prints lines of fields separated by tabs, as the cache has them (fact_file.h):
//   file    PATH                   everything that was read: if none of these changes, neither does the answer
//   func    NAME  TYPE  HEADER     "open", "int(const char *, int, ...)", "fcntl.h"
//   const   NAME  VALUE            an integer; a floating number has a point, an exponent or a name
//   error   TEXT
//   took    NANOSECONDS  NANOSECONDS    libclang's parsing, and everything else here
// Exit status 1 if a HEADER that was named cannot be read.
#include <clang-c/Index.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "vfs/call/type.h"

namespace vfs::call {
namespace {

std::string taken(CXString string) {
  const char* text = clang_getCString(string);
  std::string copy = text != nullptr ? text : "";
  clang_disposeString(string);
  return copy;
}

long now() {
  timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

constexpr const char* kStandard[] = {
#define VFS_HEADER(name) name,
#include "vfs/call/standard_headers.def"
#undef VFS_HEADER
};

// A few hundred types and files come back some ten thousand times.
struct Memory {
  std::unordered_map<void*, std::string> types;
  std::unordered_map<void*, std::string> headers;
};
Memory memory;

struct Output {
  std::string text;
  std::unordered_set<std::string> functions;
  std::vector<std::string> macros;  // sorted
  std::string enumerators;           // behind the others, which so come in their order
  std::map<std::string, std::string> headers;  // by path: as a program includes it
};

// --- Types --------------------------------------------------------------------------------------

std::string type_text(CXType type);

// A parameter is shown as it was written if our own reader takes that for the same; else as what it stands for.
bool is_understood(const std::string& text, CXType type) {
  try {
    const Type parsed = parse_type(text);
    const CXType canonical = clang_getCanonicalType(type);
    const bool is_array = canonical.kind == CXType_ConstantArray || canonical.kind == CXType_IncompleteArray;
    if (canonical.kind == CXType_Pointer || is_array) {
      // A pointer to a name of a number ("Bytef *") says less than one to the number.
      const CXType target = is_array ? clang_getArrayElementType(canonical) : clang_getPointeeType(canonical);
      const bool is_number = target.kind >= CXType_Bool && target.kind <= CXType_LongDouble;
      return parsed.is_pointer() && !(is_number && parsed.target == Kind::structure);
    }
    const long long size = clang_Type_getSizeOf(type);
    return parsed.kind != Kind::structure && size >= 0 && size_of(parsed.kind) == static_cast<size_t>(size);
  } catch (const std::invalid_argument&) {
    return false;
  }
}

std::string pointer_text(CXType canonical) {
  const CXType target = clang_getPointeeType(canonical);
  if (target.kind == CXType_FunctionProto || target.kind == CXType_FunctionNoProto) return "void (*)()";
  const std::string text = type_text(target);
  return text + (text.ends_with('*') ? "*" : " *");
}

// A union that is passed as its first member is: how sys/socket.h declares the addresses of bind and connect.
std::string union_text(CXType type) {
  std::string text;
  clang_Type_visitFields(type, [](CXCursor field, CXClientData data) {
    const CXType inner = clang_getCursorType(field);
    const bool is_pointer = clang_getCanonicalType(inner).kind == CXType_Pointer;
    if (is_pointer) *static_cast<std::string*>(data) = type_text(inner);
    return CXVisit_Break;
  }, &text);
  return text;
}

std::string make_type_text(CXType type) {
  const CXType canonical = clang_getCanonicalType(type);
  std::string written = taken(clang_getTypeSpelling(type));
  for (const std::string_view word : {"restrict", "__restrict", "volatile", "_Nonnull"}) {
    for (size_t at; (at = written.find(word)) != std::string::npos;) written.erase(at, word.size());
  }
  if (canonical.kind == CXType_Record && written.find("SOCKADDR_ARG") != std::string::npos) {
    if (std::string member = union_text(canonical); !member.empty()) return member;
  }
  if (written.starts_with("__")) written.erase(0, 2);  // "__off_t": an off_t, if it is one of the same size
  if (written.find("(*") == std::string::npos && is_understood(written, type)) return parse_type(written).text;
  switch (canonical.kind) {
    case CXType_Pointer: return pointer_text(canonical);
    case CXType_FunctionProto: case CXType_FunctionNoProto: return "void (*)()";  // a parameter that is one
    case CXType_ConstantArray: case CXType_IncompleteArray: case CXType_VariableArray:
      return parse_type(type_text(clang_getArrayElementType(canonical)) + " *").text;
    case CXType_Enum: return type_text(clang_getEnumDeclIntegerType(clang_getTypeDeclaration(canonical)));
    default: return taken(clang_getTypeSpelling(canonical));
  }
}

std::string type_text(CXType type) {
  const auto [found, is_new] = memory.types.try_emplace(type.data[0]);
  if (!is_new) return found->second;
  const std::string text = make_type_text(type);
  return memory.types[type.data[0]] = text;  // `found` may have moved
}

void add_function(CXCursor cursor, const std::string& header, Output& output) {
  const std::string name = taken(clang_getCursorSpelling(cursor));
  if (!output.functions.insert(name).second) return;
  const CXType type = clang_getCursorType(cursor);
  std::string text = type_text(clang_getResultType(type)) + "(";
  const int count = clang_getNumArgTypes(type);
  for (int i = 0; i < count; ++i) {
    text += (i == 0 ? "" : ", ") + type_text(clang_getArgType(type, static_cast<unsigned>(i)));
  }
  if (clang_isFunctionTypeVariadic(type) != 0 && type.kind == CXType_FunctionProto) text += count == 0 ? "..." : ", ...";
  output.text += "func\t" + name + "\t" + text + ")\t" + header + "\n";
}

// --- Constants ----------------------------------------------------------------------------------

// Constants are macros, and macros are texts: each is given to the compiler once more, as the value of a variable,
// and what is none is an error there that nobody minds.
constexpr std::string_view kPrefix = "vfs_constant_";

bool may_be_constant(CXCursor macro, const std::string& name) {
  // What begins with two underscores is the compiler's or glibc's own, but for the numbers of system calls.
  if (name.starts_with("__") && !name.starts_with("__NR_")) return false;
  return clang_Cursor_isMacroFunctionLike(macro) == 0;
}

std::vector<std::string> macros_of(CXTranslationUnit unit) {
  std::vector<std::string> names;
  clang_visitChildren(clang_getTranslationUnitCursor(unit), [](CXCursor cursor, CXCursor, CXClientData data) {
    if (clang_getCursorKind(cursor) == CXCursor_MacroDefinition) {
      std::string name = taken(clang_getCursorSpelling(cursor));
      if (may_be_constant(cursor, name)) static_cast<std::vector<std::string>*>(data)->push_back(std::move(name));
    }
    return CXChildVisit_Continue;
  }, &names);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string questions(const std::vector<std::string>& macros) {
  std::string text = "#define VFS_TYPE(x) __typeof__(_Generic((x), float: 0.0, double: 0.0, long double: 0.0, default: 0L))\n"
                     "#define VFS_VALUE(x) const VFS_TYPE(x) vfs_constant_##x = (VFS_TYPE(x))(x);\n";
  for (const std::string& name : macros) text.append("VFS_VALUE(").append(name).append(")\n");
  return text;
}

void add_value(CXCursor cursor, const std::string& name, Output& output) {
  const CXEvalResult result = clang_Cursor_Evaluate(cursor);
  if (result == nullptr) return;
  char value[64];
  char* end = value;
  if (clang_EvalResult_getKind(result) == CXEval_Int) {
    end = std::to_chars(value, std::end(value), clang_EvalResult_getAsLongLong(result)).ptr;
  } else if (clang_EvalResult_getKind(result) == CXEval_Float) {
    // A point, an exponent or a name tells it from an integer.
    end = std::to_chars(value, std::end(value), clang_EvalResult_getAsDouble(result)).ptr;
    if (std::string_view(value, static_cast<size_t>(end - value)).find_first_of(".en") == std::string_view::npos) {
      *end++ = '.';
      *end++ = '0';
    }
  }
  clang_EvalResult_dispose(result);
  if (end == value) return;
  output.text.append("const\t").append(name).append("\t").append(value, end).append("\n");
}

// Many an enumerator is a macro of its own name as well.
void add_enumerator(CXCursor cursor, Output& output) {
  const std::string name = taken(clang_getCursorSpelling(cursor));
  if (std::binary_search(output.macros.begin(), output.macros.end(), name)) return;
  output.enumerators += "const\t" + name + "\t" +
                 std::to_string(clang_getEnumConstantDeclValue(cursor)) + "\n";
}

// --- A translation unit -------------------------------------------------------------------------

const std::string& header_of(CXCursor cursor, const Output& output) {
  CXFile file = nullptr;
  clang_getSpellingLocation(clang_getCursorLocation(cursor), &file, nullptr, nullptr, nullptr);
  const auto [found, is_new] = memory.headers.try_emplace(file);
  if (is_new && file != nullptr) {
    const auto header = output.headers.find(taken(clang_getFileName(file)));
    if (header != output.headers.end()) found->second = header->second;
  }
  return found->second;
}

CXChildVisitResult visit(CXCursor cursor, CXCursor, CXClientData data) {
  Output& output = *static_cast<Output*>(data);
  switch (clang_getCursorKind(cursor)) {
    case CXCursor_FunctionDecl: add_function(cursor, header_of(cursor, output), output); break;
    case CXCursor_VarDecl: {
      const std::string name = taken(clang_getCursorSpelling(cursor));
      if (name.starts_with(kPrefix)) add_value(cursor, name.substr(kPrefix.size()), output);
      break;
    }
    case CXCursor_EnumDecl:
      clang_visitChildren(cursor, [](CXCursor inner, CXCursor, CXClientData to) {
        add_enumerator(inner, *static_cast<Output*>(to));
        return CXChildVisit_Continue;
      }, data);
      break;
    default: break;
  }
  return CXChildVisit_Continue;
}

// "bits/fcntl.h" is no header to include: the one that a program names and that brought it is.
void note_inclusion(CXFile file, CXSourceLocation* stack, unsigned depth, CXClientData data) {
  Output& output = *static_cast<Output*>(data);
  const std::string path = taken(clang_getFileName(file));
  if (depth == 0) return;
  output.text += "file\t" + path + "\n";
  unsigned line = 0;
  clang_getSpellingLocation(stack[depth - 1], nullptr, &line, nullptr, nullptr);
  output.headers.emplace(path, std::to_string(line));
}

// A compiler of another version may see other things in the same headers.
void add_compiler(Output& output) {
  Dl_info library = {};
  if (dladdr(reinterpret_cast<void*>(&clang_createIndex), &library) != 0) {
    output.text += std::string("file\t") + library.dli_fname + "\n";
  }
  char self[4096];
  const ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
  if (length > 0) output.text += "file\t" + std::string(self, static_cast<size_t>(length)) + "\n";
}

std::string includes(const std::vector<std::string>& headers, bool may_be_missing) {
  std::string text;
  for (const std::string& header : headers) {
    const std::string line = "#include " + (header.find('/') == 0 ? "\"" + header + "\"" : "<" + header + ">") + "\n";
    // On one line of its own, whose number says which header it was.
    text += may_be_missing ? "#if __has_include(<" + header + ">)\n" + line + "#endif\n" : "\n" + line + "\n";
  }
  return text;
}

constexpr const char* kMain = "vfs-headers.c";

CXTranslationUnit parse(CXIndex index, const std::string& text, const std::vector<const char*>& arguments,
                        unsigned options) {
  CXUnsavedFile file = {kMain, text.data(), text.size()};
  CXTranslationUnit unit = nullptr;
  clang_parseTranslationUnit2(index, kMain, arguments.data(), static_cast<int>(arguments.size()), &file, 1, options,
                              &unit);
  return unit;
}

// Whether a header that was asked for is not there, or is wrong: said in lines of their own.
bool complain(CXTranslationUnit unit) {
  bool bad = false;
  const unsigned count = clang_getNumDiagnostics(unit);
  for (unsigned i = 0; i < count && i < 10; ++i) {
    CXDiagnostic one = clang_getDiagnostic(unit, i);
    if (clang_getDiagnosticSeverity(one) >= CXDiagnostic_Error) {
      bad = true;
      printf("error\t%s\n", taken(clang_formatDiagnostic(one, clang_defaultDiagnosticDisplayOptions())).c_str());
    }
    clang_disposeDiagnostic(one);
  }
  return bad;
}

void name_headers(const std::vector<std::string>& headers, Output& output) {
  for (auto& [path, name] : output.headers) {
    const size_t line = std::stoul(name);  // three for each header, the second is the include
    name = line >= 2 && (line - 2) / 3 < headers.size() ? headers[(line - 2) / 3] : "";
  }
}

int read_headers(const std::vector<std::string>& directories, std::vector<std::string> headers) {
  const bool standard = headers.empty();
  if (standard) headers.assign(std::begin(kStandard), std::end(kStandard));
  std::vector<const char*> arguments = {"-xc", "-std=gnu17", "-D_GNU_SOURCE", "-D_LARGEFILE64_SOURCE", "-w",
                                        "-ferror-limit=0"};
  std::vector<std::string> searched;
  for (const std::string& directory : directories) searched.push_back("-I" + directory);
  for (const std::string& one : searched) arguments.push_back(one.c_str());

  const CXIndex index = clang_createIndex(0, 0);
  const std::string text = includes(headers, standard);
  const long start = now();
  const CXTranslationUnit macros_unit = parse(index, text, arguments, CXTranslationUnit_DetailedPreprocessingRecord |
                                                                          CXTranslationUnit_SkipFunctionBodies);
  const long parsed = now();
  if (macros_unit == nullptr) {
    printf("error\tlibclang parses nothing\n");
    return 1;
  }
  if (complain(macros_unit) && !standard) return 1;
  Output output;
  output.macros = macros_of(macros_unit);
  const std::string with_questions = text + questions(output.macros);
  const long asked = now();
  const CXTranslationUnit unit = parse(index, with_questions, arguments, CXTranslationUnit_SkipFunctionBodies);
  const long answered = now();
  if (unit == nullptr) return 1;
  add_compiler(output);
  clang_getInclusions(unit, note_inclusion, &output);
  name_headers(headers, output);
  clang_visitChildren(clang_getTranslationUnitCursor(unit), visit, &output);
  output.text += output.enumerators;
  const long end = now();
  fwrite(output.text.data(), 1, output.text.size(), stdout);
  printf("took\t%ld\t%ld\n", (parsed - start) + (answered - asked), (asked - parsed) + (end - answered));
  return fflush(stdout) == 0 ? 0 : 1;
}

}  // namespace
}  // namespace vfs::call

int main(int argc, char** argv) {
  std::vector<std::string> directories;
  std::vector<std::string> headers;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "-I") == 0 && i + 1 < argc) {
      directories.emplace_back(argv[++i]);
    } else {
      headers.emplace_back(argv[i]);
    }
  }
  return vfs::call::read_headers(directories, headers);
}
