// Asks for the name of a file and prints that file's last byte.
//
// Nothing but the standard library is used, and nothing here knows of libvfs: with
// LD_PRELOAD=libvfs.so the same program answers for files that no real directory holds.
//
// Exit status: 0 when a byte was printed, 1 when there was none to print; then one line says why.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <system_error>

namespace {

// Why NAME cannot be the name of a file whose bytes can be read; empty if it may be one.
std::string objection_to(const std::string& name) {
  if (name.empty()) return "An empty line names no file.";
  // The system takes a zero byte for the end of a name, and would look for another file.
  if (name.find('\0') != std::string::npos) return "No name has a zero byte in it.";
  std::error_code error;
  switch (std::filesystem::status(name, error).type()) {  // of what a link leads to
    case std::filesystem::file_type::regular:
      return "";
    case std::filesystem::file_type::not_found:
      return "There is no such file.";
    case std::filesystem::file_type::directory:
      return "That is a directory, not a file.";
    case std::filesystem::file_type::none:
      return "That cannot be looked at: " + error.message() + ".";
    // Who opens a pipe, or reads from a terminal, may wait for ever.
    default:
      return "That is not a regular file.";
  }
}

// A byte as the terminal may be shown it: a control byte could change the terminal's state, and one
// above 126 is no character of its own.
std::string shown(char byte) {
  const unsigned value = static_cast<unsigned char>(byte);
  const std::string digits = "0123456789abcdef";
  const std::string hexadecimal = std::string("0x") + digits[value / 16] + digits[value % 16];
  if (value < 32 || value > 126) return hexadecimal;
  return std::string("'") + byte + "' (" + hexadecimal + ")";
}

int give_up(const std::string& reason) {
  std::cerr << reason << std::endl;
  return 1;
}

}  // namespace

int main() {
  std::cout << "Hello! Of which file shall I print the last byte?" << std::endl;
  std::string name;
  if (!std::getline(std::cin, name)) return give_up("The input ended before a line was given.");

  const std::string objection = objection_to(name);
  if (!objection.empty()) return give_up(objection);

  std::ifstream file(name, std::ios::binary);
  if (!file) return give_up("That file cannot be opened for reading.");
  if (file.seekg(0, std::ios::end) && file.tellg() == std::streampos(0))
    return give_up("That file is empty: it has no last byte.");
  char last = 0;
  if (!file.seekg(-1, std::ios::end) || !file.get(last))
    return give_up("That file's last byte cannot be read.");

  std::cout << "Its last byte is " << shown(last) << "." << std::endl;
  return std::cout ? 0 : 1;
}
