"""What the files of a tree are called, and what is in them."""
FILES_IN_DIRECTORY = 50


def path_of(number):
    """50 files in a directory, 50 directories in the one above."""
    directory = number // FILES_IN_DIRECTORY
    return f"part{directory // 50:03d}/module{directory % 50:02d}/file{number:07d}.c"


def content_of(number):
    """About 800 bytes, no two alike."""
    line = f"int function_{number}(int argument) {{ return argument + {number}; }}\n"
    return f"/* {number:08d} */\n".encode() + line.encode() * (4 + number % 16)


def changed_content(number, turn):
    return content_of(number) + f"int changed_{number}_{turn};\n".encode()
