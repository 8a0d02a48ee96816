#include "vfs/call/evaluate.h"

#include <dlfcn.h>
#include <string.h>

#include <algorithm>

namespace vfs::call {
namespace {

using Form = Argument::Form;

[[noreturn]] void refuse(const std::string& what, const std::string& why) {
  constexpr size_t kMost = 60;
  throw ScriptError("'" + (what.size() > kMost ? what.substr(0, kMost) + "..." : what) + "': " + why);
}

std::string name_of(Kind kind) {
  constexpr const char* kNames[] = {"void", "bool", "char", "signed char", "unsigned char", "short",
                                    "unsigned short", "int", "unsigned int", "long", "unsigned long", "long long",
                                    "unsigned long long", "float", "double", "long double", "pointer", "struct"};
  return kNames[static_cast<size_t>(kind)];
}

// What "@name:TYPE" makes one of.
Place described(const std::string& type) {
  Place place;
  if (type.empty()) {
    place.kind = Kind::unsigned_char;
    place.is_text = true;
    return place;
  }
  if (find_layout(type) != nullptr) {
    place.kind = Kind::structure;
    place.structure = type;
    return place;
  }
  const Type parsed = parse_type(type == "pointer" ? "void *" : type);
  if (parsed.kind == Kind::structure || parsed.kind == Kind::none) {
    throw ScriptError("the fields of '" + type + "' are not known: give a size in bytes, as in @name:128");
  }
  place.kind = parsed.kind;
  return place;
}

bool may_stand_for(const std::string& given, const Type& parameter) {
  const std::string& wanted = parameter.structure;
  if (parameter.target != Kind::structure || wanted.empty() || given.empty() || given == wanted) return true;
  const bool both_known = find_layout(given) != nullptr && find_layout(wanted) != nullptr;
  return !both_known || given + "64" == wanted || wanted + "64" == given;
}

bool is_address(std::string_view text) { return text.starts_with("0x") || text.starts_with("0X"); }

void set_integer(Kind kind, const Integer& integer, const std::string& text, Slot& slot) {
  if (!fits(integer, kind)) refuse(text, "does not fit " + name_of(kind));
  slot = {};
  slot.integer = integer.bits;
}

void set_floating(Kind kind, long double value, Slot& slot) {
  slot = {};
  if (kind == Kind::single_float) slot.single_float = static_cast<float>(value);
  if (kind == Kind::double_float) slot.double_float = static_cast<double>(value);
  if (kind == Kind::long_double) slot.long_double = value;
}

long double floating_in(const Slot& slot, Kind kind) {
  if (kind == Kind::single_float) return slot.single_float;
  return kind == Kind::double_float ? slot.double_float : slot.long_double;
}

bool is_floating(Kind kind) { return kind >= Kind::single_float && kind <= Kind::long_double; }
bool is_integer(Kind kind) { return kind >= Kind::boolean && kind <= Kind::unsigned_long_long; }

}  // namespace

std::string suggestion(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "; nearly so: " : ", ") + name;
  return text;
}

Variable& Evaluator::variable(const std::string& name) {
  const auto found = variables_.find(name);
  if (found != variables_.end()) return found->second;
  std::vector<std::string_view> known;
  for (const auto& [one, value] : variables_) known.push_back(one);
  throw ScriptError("@" + name + ": no result and no buffer before has this name" +
                    suggestion(near_names(name, known)));
}

Place Evaluator::step_into(Place place, const PathStep& step, const std::string& name) const {
  char* const at = static_cast<char*>(place.address);
  if (step.field.empty()) {
    if (step.index >= place.count) refuse("@" + name, "has only " + std::to_string(place.count) + " elements");
    const size_t size = element_size(place);
    if (size == 0) refuse("@" + name, "the fields of " + place.structure + " are not known");
    if (at != nullptr) place.address = at + step.index * size;
    place.count = 1;
    place.is_text = false;
    place.is_element = true;
    return place;
  }
  const Layout* layout = place.kind == Kind::structure ? find_layout(place.structure) : nullptr;
  if (layout == nullptr) refuse("@" + name, "is no structure whose fields are known");
  std::vector<std::string_view> names;
  for (const Field& field : layout->fields) {
    names.push_back(field.name);
    if (field.name != step.field) continue;
    Place inner;
    inner.address = at != nullptr ? at + field.offset : nullptr;
    inner.kind = field.kind;
    inner.structure = field.structure;
    inner.count = field.count;
    inner.is_text = field.is_text;
    inner.is_element = field.count == 1;
    return inner;
  }
  refuse("@" + name, "struct " + layout->name + " has no field " + step.field +
                         suggestion(near_names(step.field, names)));
}

Place Evaluator::place(const Argument& reference) {
  if (reference.form != Form::reference) refuse(reference.text, "a buffer or a result is wanted: @name");
  Variable& found = variable(reference.name);
  Place place = found.place;
  if (!found.is_buffer && (reference.path.empty() || !found.type.is_pointer())) {
    place = {};
    place.address = &found.value;
    place.kind = found.type.kind;
    place.is_string = found.type.is_text();
    place.is_element = true;
  } else if (!found.is_buffer) {
    place.address = found.value.pointer;
    place.kind = found.type.target;
    place.structure = found.type.structure;
    if (phase_ == Phase::run && place.address == nullptr) refuse("@" + reference.name, "is NULL: it has no fields");
  }
  for (const PathStep& step : reference.path) place = step_into(place, step, reference.name);
  return place;
}

Integer Evaluator::referenced(std::string_view text) {
  Argument argument = parse_argument(text);
  const Place where = place(argument);
  Integer integer;
  if (!is_integer(where.kind) || !where.is_element) refuse(std::string(text), "is no integer");
  Slot slot;
  if (where.address != nullptr) {
    load(where.address, where.kind, slot);
    integer.bits = slot.integer;
  }
  integer.is_negative = is_signed(where.kind) && static_cast<int64_t>(integer.bits) < 0;
  return integer;
}

void Evaluator::reference(const Argument& argument, const Type* parameter, Kind kind, Slot& slot) {
  const Place where = place(argument);
  const bool is_value = where.is_element && where.kind != Kind::structure;
  if (!is_value) {  // a buffer, a structure: its address
    if (kind != Kind::pointer) refuse(argument.text, "is a buffer: " + name_of(kind) + " needs a value");
    if (parameter != nullptr && !may_stand_for(where.structure, *parameter)) {
      refuse(argument.text, "is a struct " + where.structure + ", and not a " + parameter->text);
    }
    slot = {};
    slot.pointer = where.address;
    return;
  }
  Slot value = {};
  if (where.address != nullptr) load(where.address, where.kind, value);
  if (kind == Kind::pointer || where.kind == Kind::pointer) {
    // A pointer may have been kept in an integer, and the other way round.
    if (is_floating(kind) || is_floating(where.kind)) refuse(argument.text, "is a " + name_of(where.kind));
    if (kind != Kind::pointer && size_of(kind) < sizeof(void*)) refuse(argument.text, "is a pointer: it does not fit " + name_of(kind));
    slot = value;
    return;
  }
  if (is_floating(where.kind)) {
    if (!is_floating(kind)) refuse(argument.text, "is a " + name_of(where.kind) + ": " + name_of(kind) + " is wanted");
    set_floating(kind, floating_in(value, where.kind), slot);
    return;
  }
  Integer integer;
  integer.bits = value.integer;
  integer.is_negative = is_signed(where.kind) && static_cast<int64_t>(integer.bits) < 0;
  if (is_floating(kind)) {
    set_floating(kind, integer.is_negative ? static_cast<long double>(static_cast<int64_t>(integer.bits))
                                           : static_cast<long double>(integer.bits), slot);
    return;
  }
  set_integer(kind, integer, argument.text, slot);
}

void Evaluator::integer(const Argument& argument, Kind kind, Slot& slot) {
  if (argument.form == Form::reference) return reference(argument, nullptr, kind, slot);
  std::optional<Integer> found;
  if (argument.form == Form::word) {
    found = integer_of(argument.text, knowledge_, [this](std::string_view text) { return referenced(text); });
  }
  if (!found) {
    refuse(argument.text, "is no number and no constant, and the parameter is " + name_of(kind) +
                              (is_name(argument.text) ? suggestion(knowledge_.near_constants(argument.text)) : ""));
  }
  set_integer(kind, *found, argument.text, slot);
}

void Evaluator::floating(const Argument& argument, Kind kind, Slot& slot) {
  if (argument.form == Form::reference) return reference(argument, nullptr, kind, slot);
  std::optional<long double> found;
  if (argument.form == Form::word) found = floating_of(argument.text, knowledge_);
  if (!found) refuse(argument.text, "is no number, and the parameter is " + name_of(kind));
  set_floating(kind, *found, slot);
}

void* Evaluator::copy_text(const std::string& text) { return arena_.copy(text.c_str(), text.size() + 1); }

void* Evaluator::address_of(const std::string& symbol) const {
  void* const found = dlsym(RTLD_DEFAULT, symbol.c_str());
  if (found == nullptr) refuse("&" + symbol, "no library that is loaded exports it; -l loads one");
  return found;
}

void* Evaluator::word_as_pointer(const Argument& argument, const Type& type) {
  if (argument.text == "NULL") return nullptr;
  const bool takes_text = type.is_text() || (type.target == Kind::none && !is_address(argument.text));
  if (takes_text && !type.text.ends_with("(*)()")) return copy_text(argument.text);
  const auto found = integer_of(argument.text, knowledge_, [this](std::string_view text) { return referenced(text); });
  if (found) return reinterpret_cast<void*>(found->bits);
  std::string how = "@name:SIZE, {...}, NULL or a number";
  if (type.text.ends_with("(*)()")) how = "&function, NULL or a number";
  if (find_layout(type.structure) != nullptr) how = "@name:" + type.structure + ", {field=value,...}, NULL or a number";
  refuse(argument.text, "the parameter is a " + type.text + ": " + how);
}

// {a,b}: pointers to texts, and a null behind the last.
void* Evaluator::strings(const Argument& argument) {
  std::vector<void*> all;
  for (const Element& element : argument.elements) {
    const Form form = element.value.form;
    if (!element.field.empty() || form == Form::word) {  // "HOME=/root" is no field
      all.push_back(element.raw == "NULL" ? nullptr : copy_text(element.raw));
    } else {
      Slot slot;
      pointer(element.value, parse_type("const char *"), slot);
      all.push_back(slot.pointer);
    }
  }
  all.push_back(nullptr);
  return arena_.copy(all.data(), all.size() * sizeof(void*));
}

void Evaluator::fill_structure(char* at, const Layout& layout, const Argument& argument) {
  if (argument.form != Form::list) refuse(argument.text, "struct " + layout.name + " is written {field=value,...}");
  size_t next = 0;
  for (const Element& element : argument.elements) {
    const Field* field = next < layout.fields.size() ? &layout.fields[next] : nullptr;
    if (!element.field.empty()) {
      Place whole;
      whole.kind = Kind::structure;
      whole.structure = layout.name;
      step_into(whole, {element.field, 0}, element.field);  // says which fields there are
      for (next = 0; layout.fields[next].name != element.field;) ++next;
      field = &layout.fields[next];
    }
    if (field == nullptr) refuse(argument.text, "struct " + layout.name + " has fewer fields");
    ++next;
    Place place;
    place.address = at + field->offset;
    place.kind = field->kind;
    place.structure = field->structure;
    place.count = field->count;
    place.is_text = field->is_text;
    assign(place, element.value);
  }
}

// One thing into its place, or elements of a list into elements of an array.
void Evaluator::assign(const Place& place, const Argument& value) {
  char* const at = static_cast<char*>(place.address);
  if (place.count > 1 && place.is_text && (value.form == Form::word || value.form == Form::text)) {
    if (value.text.size() > place.count) refuse(value.text, "is longer than " + std::to_string(place.count) + " bytes");
    memset(at, 0, place.count);
    memcpy(at, value.text.data(), value.text.size());
    return;
  }
  if (place.count > 1) return fill(place, value);
  if (place.kind == Kind::structure) {
    const Layout* layout = find_layout(place.structure);
    if (layout == nullptr) refuse(value.text, "the fields of " + place.structure + " are not known");
    return fill_structure(at, *layout, value);
  }
  Slot slot;
  Type type = integer_type(place.kind);
  if (place.kind == Kind::pointer) type = parse_type("void *");
  pass(value, type, slot);
  store(at, place.kind, slot);
}

void Evaluator::fill(const Place& place, const Argument& argument) {
  if (argument.form != Form::list) refuse(argument.text, "an array is written {a,b,...}");
  if (argument.elements.size() > place.count) refuse(argument.text, "has more than " + std::to_string(place.count) + " elements");
  Place one = place;
  one.count = 1;
  one.is_text = false;
  for (size_t i = 0; i < argument.elements.size(); ++i) {
    one.address = static_cast<char*>(place.address) + i * element_size(place);
    if (!argument.elements[i].field.empty()) refuse(argument.text, "elements of an array have no names");
    assign(one, argument.elements[i].value);
  }
}

// {...} or TYPE{...}: one structure, or an array of what the parameter points to.
void* Evaluator::list(const Argument& argument, const Type& type) {
  if (argument.type.empty() && type.target == Kind::pointer) return strings(argument);
  Place place;
  if (!argument.type.empty()) {
    place = described(argument.type);
    if (!may_stand_for(place.structure, type)) refuse(argument.text, "the parameter is a " + type.text);
  } else {
    place.kind = type.target;
    place.structure = type.structure;
  }
  const size_t size = element_size(place);
  if (size == 0) refuse(argument.text, "the parameter is a " + type.text + ", whose fields are not known; TYPE{...} says which");
  const bool is_array = place.kind != Kind::structure ||
                        (!argument.elements.empty() && argument.elements[0].field.empty() &&
                         argument.elements[0].value.form == Form::list);
  place.count = is_array ? std::max<size_t>(argument.elements.size(), 1) : 1;
  place.address = arena_.take(place.count * size);
  if (is_array) {
    fill(place, argument);
  } else {
    assign(place, argument);
  }
  return place.address;
}

void* Evaluator::declare(const Argument& argument, const Type& parameter) {
  Variable made;
  made.is_buffer = true;
  made.place = described(argument.type);
  if (!may_stand_for(made.place.structure, parameter)) refuse(argument.text, "the parameter is a " + parameter.text);
  const size_t size = element_size(made.place);
  if (argument.count > kLargestBuffer / size) refuse(argument.text, "is larger than 1 GiB");
  made.place.count = argument.count;
  made.place.address = arena_.take(argument.count * size);
  if (argument.is_filled) {
    if (argument.type.empty()) {
      memcpy(made.place.address, argument.text.data(), argument.text.size());
    } else if (argument.count > 1 || made.place.kind != Kind::structure) {
      fill(made.place, [&] { Argument list = argument; list.form = Form::list; return list; }());
    } else {
      assign(made.place, [&] { Argument list = argument; list.form = Form::list; return list; }());
    }
  }
  variables_[argument.name] = made;
  return made.place.address;
}

void Evaluator::pointer(const Argument& argument, const Type& type, Slot& slot) {
  slot = {};
  switch (argument.form) {
    case Form::text: slot.pointer = copy_text(argument.text); return;
    case Form::buffer: slot.pointer = declare(argument, type); return;
    case Form::reference: return reference(argument, &type, Kind::pointer, slot);
    case Form::word: slot.pointer = word_as_pointer(argument, type); return;
    case Form::address:
      slot.pointer = type.is_text() ? copy_text(argument.text) : address_of(argument.name);
      return;
    case Form::list:
      slot.pointer = type.is_text() && argument.type.empty() ? copy_text(argument.text) : list(argument, type);
      return;
  }
}

void Evaluator::pass(const Argument& argument, const Type& parameter, Slot& slot) {
  if (parameter.is_integer()) return integer(argument, parameter.kind, slot);
  if (parameter.is_floating()) return floating(argument, parameter.kind, slot);
  pointer(argument, parameter, slot);
}

Kind Evaluator::pass_variadic(const Argument& argument, Slot& slot) {
  slot = {};
  if (argument.form == Form::reference) {
    const Place where = place(argument);
    const bool is_value = where.is_element && where.kind != Kind::structure;
    const Kind kind = !is_value || where.kind == Kind::pointer ? Kind::pointer
                      : is_floating(where.kind)                ? Kind::double_float
                      : is_signed(where.kind)                  ? Kind::signed_long
                                                               : Kind::unsigned_long;
    reference(argument, nullptr, kind, slot);
    return kind;
  }
  if (argument.form != Form::word) {
    pointer(argument, parse_type("void *"), slot);
    return Kind::pointer;
  }
  if (argument.text == "NULL") return Kind::pointer;
  if (const auto found = integer_of(argument.text, knowledge_, [this](std::string_view text) { return referenced(text); })) {
    slot.integer = found->bits;
    return Kind::signed_long;
  }
  if (const auto found = floating_of(argument.text, knowledge_)) {
    slot.double_float = static_cast<double>(*found);
    return Kind::double_float;
  }
  // A misspelt constant must not become the address of its own name.
  if (is_name(argument.text)) {
    refuse(argument.text, "is no constant" + suggestion(knowledge_.near_constants(argument.text)) +
                              "; a text behind \"...\" needs quotes: '\"" + argument.text + "\"'");
  }
  slot.pointer = copy_text(argument.text);
  return Kind::pointer;
}

uint64_t Evaluator::number(const Argument& argument, Kind kind) {
  Slot slot;
  integer(argument, kind, slot);
  return slot.integer;
}

}  // namespace vfs::call
