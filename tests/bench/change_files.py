"""Gives files of a tree in the current directory other content; runs natively and inside workspaces.

    change_files.py SIZE TURN     so that every turn changes other files, or the same to something else
"""
import sys

import contents

CHANGES = 100


def numbers(size, turn):
    """100 of them, all over the tree."""
    step = max(1, size // CHANGES)
    return sorted({(i * step + turn * 7) % size for i in range(min(CHANGES, size))})


def main():
    size, turn = int(sys.argv[1]), int(sys.argv[2])
    for number in numbers(size, turn):
        with open(contents.path_of(number), "wb") as file:
            file.write(contents.changed_content(number, turn))


if __name__ == "__main__":
    main()
