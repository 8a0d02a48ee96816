// A fixture is words, each one file:
//
//   name          a regular file that holds "content of NAME"; name=text one that holds TEXT
//   name/         a directory                name->target  a symbolic link
//   name|         a FIFO                     name==other   a hard link to OTHER
//   name*         a shell script             name+         a program (a copy of /bin/true)
//   name#bytes    a file of so many bytes    name~         one laid before, for another mode or
//   owner
//
// then, if wanted, :MODE in octal and @, for a file of another user than the one who runs the case.
// {255} in a word stands for 255 times n.
#include <ctype.h>

#include "harness.h"

static void fill(int fd, const char* text) {
  must((int)write(fd, text, strlen(text)));
  close(fd);
}

static int make(const char* name) {
  return must(open(name, O_CREAT | O_EXCL | O_WRONLY, 0644));
}

static void copy_program(const char* name) {
  char buffer[65536];
  const int from = must(open("/bin/true", O_RDONLY));
  const int to = make(name);
  for (ssize_t got; (got = read(from, buffer, sizeof(buffer))) > 0;) {
    must((int)write(to, buffer, (size_t)got));
  }
  close(from);
  close(to);
  must(chmod(name, 0755));
}

static void make_file(const char* name, const char* content) {
  char text[8192];
  snprintf(text, sizeof(text), content != NULL ? "%s" : "content of %s\n",
           content != NULL ? content : name);
  fill(make(name), text);
}

static void make_script(const char* name) {
  fill(make(name), "#!/bin/sh\necho ran \"$@\"\n");
  must(chmod(name, 0755));
}

static void make_sized(const char* name, long size) {
  const int fd = make(name);
  for (long i = 0; i < size; i += 4096) {
    char block[4096];
    memset(block, 'a' + (int)(i / 4096 % 26), sizeof(block));
    must((int)write(fd, block, (size_t)(size - i < 4096 ? size - i : 4096)));
  }
  close(fd);
}

// Splits WORD at MARK: the part before it stays, the one behind it is returned.
static char* split(char* word, const char* mark) {
  char* found = strstr(word, mark);
  if (found == NULL) return NULL;
  *found = '\0';
  return found + strlen(mark);
}

// Cuts a last CHARACTER off.
static int cut(char* word, char character) {
  const size_t length = strlen(word);
  if (length == 0 || word[length - 1] != character) return 0;
  word[length - 1] = '\0';
  return 1;
}

static void lay_word(char* word) {
  const int foreign = cut(word, '@');
  char* mode = NULL;
  char* colon = strrchr(word, ':');
  if (colon != NULL && isdigit((unsigned char)colon[1])) {
    *colon = '\0';
    mode = colon + 1;
  }
  char* other;
  if ((other = split(word, "->")) != NULL)
    must(symlink(other, word));
  else if ((other = split(word, "==")) != NULL)
    must(link(other, word));
  else if ((other = split(word, "=")) != NULL)
    make_file(word, other);
  else if ((other = split(word, "#")) != NULL)
    make_sized(word, atol(other));
  else if (cut(word, '/'))
    must(mkdir(word, 0755));
  else if (cut(word, '|'))
    must(mkfifo(word, 0644));
  else if (cut(word, '*'))
    make_script(word);
  else if (cut(word, '+'))
    copy_program(word);
  else if (cut(word, '~'))
    must(access(word, F_OK));
  else
    make_file(word, NULL);
  const uid_t owner = !foreign ? fixture_owner : fixture_owner == 0 ? 65534 : 0;
  if (geteuid() == 0) must(lchown(word, owner, owner));
  // After the owner: a change of that clears set-user-id.
  if (mode != NULL) must(chmod(word, (mode_t)strtol(mode, NULL, 8)));
}

// Copies the text up to a blank, with {N} spelled out.
static const char* take_word(const char* text, char* out) {
  while (*text != '\0' && *text != ' ') {
    if (*text == '{') {
      long count = strtol(text + 1, (char**)&text, 10);
      while (count-- > 0) *out++ = 'n';
      ++text;
    } else {
      *out++ = *text++;
    }
  }
  *out = '\0';
  return text;
}

void lay_fixture(const char* text) {
  while (*text != '\0') {
    char word[PATH_MAX];
    if (*text == ' ') {
      ++text;
      continue;
    }
    text = take_word(text, word);
    lay_word(word);
  }
}
