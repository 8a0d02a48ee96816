#!/bin/bash
# Trees carried around: tar, cp -a, rsync, cpio, zip and back, compared with what went in.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC1090,SC2016
for part in common differential build; do . "$(dirname "$0")/../lib/$part.sh"; done
need tar rsync cp python3 xz find

fixture() {
  mkdir -p tree/a/b/c tree/empty && cd tree
  for i in $(seq 150); do echo "file $i" >"a/f$i"; done
  head -c 300000 /dev/zero | tr '\0' q >a/b/big && truncate -s 5M a/b/holes && echo end >>a/b/holes
  ln -s f1 a/link && ln -s missing a/dangling && ln a/f2 a/b/hard && ln a/f2 a/b/c/harder && mkfifo a/fifo
  chmod 600 a/f3 && chmod 755 a/f4 && chmod 2755 a/b && chmod 444 a/f5 && echo odd >"$(printf 'a/odd \n name')"
  touch -d '2020-02-02 02:02:02.123456789' a/f6 a/b && touch -h -d 2019-01-01 a/link && touch -d 2001-01-01 empty
}
begin work_copies
# Archives and tar's snapshot file hold times of directories that were just made, and inode numbers.
volatile+='|/[a-z]+\.(tar|tar\.xz|zip)|/snar'

# The whole look of a tree, times of links and directories included.
look='look() { (cd "$1" && find . -printf "%y %m %n %s %p %l %U:%G %T@\n" | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum); }; '
step "cp -a" "$look cp -a tree copy && diff <(look tree) <(look copy) && echo same"
step "tar, through a file and through a pipe" "$look mkdir one two && tar --format=posix -cf t.tar tree && tar -xpf t.tar -C one && tar --format=posix -cf - tree | tar -xpf - -C two && diff <(look tree) <(look one/tree) && diff <(look tree) <(look two/tree) && tar -df t.tar && echo same"
step "tar: sparse, compressed, incremental" "$look mkdir three && tar --format=posix -cSJf t.tar.xz -g snar tree && tar -xSf t.tar.xz -C three && diff <(look tree) <(look three/tree) && echo more >tree/a/new && rm tree/a/f9 && tar --format=posix -cf inc.tar -g snar tree && tar -tf inc.tar | grep -c . && tar -xf inc.tar -g /dev/null -C three && ls three/tree/a | wc -l"
commit_here
# By default rsync takes times of one second for the same, and leaves those of directories it just made.
step "rsync: new, again, changed, with deletion" "$look rsync -aH --modify-window=-1 tree/ mirror && diff <(look tree) <(look mirror) && rsync -aHi --modify-window=-1 --delete tree/ mirror && echo changed >tree/a/f10 && rm tree/a/f11 && mv tree/a/f12 tree/a/f13b && rsync -aHi --modify-window=-1 --delete tree/ mirror && diff <(look tree) <(look mirror) && echo same"
step "rsync: in place, append, backup, hard links to a reference" 'echo appended >>tree/a/b/big && rsync -a --inplace --no-whole-file tree/ mirror && cmp tree/a/b/big mirror/a/b/big && echo again >tree/a/f14 && rsync -ab --suffix=.old tree/ mirror && cat mirror/a/f14.old && rsync -a --link-dest="$PWD/mirror" tree/ linked && stat -c %h linked/a/f20 mirror/a/f20'
step "rsync between a workspace and the outside" "$look o=\$(mktemp -d /tmp/outside.XXXXXX) && rsync -aH --modify-window=-1 tree/ \$o/out && diff <(look tree) <(look \$o/out) && rsync -aH --modify-window=-1 \$o/out/ back && diff <(look tree) <(look back) && mv back \$o/moved && mv \$o/moved returned && diff <(look tree) <(look returned) && echo same; rm -rf \$o"
step "cp: reflink, sparse, links, update, backup" 'cp --reflink=auto tree/a/b/big r1 && cp --sparse=always tree/a/b/holes s1 && cmp s1 tree/a/b/holes && cp -al tree linked2 && stat -c %h linked2/a/f30 && cp -as "$PWD/tree/a" symlinked && readlink symlinked/f30 | sed "s|.*/tree/tree|tree|" && cp -u tree/a/f31 linked2/a/f32 && cp --backup=numbered tree/a/f1 r1 && ls r1*'
step "zip, unpacked again" 'python3 -m zipfile -c z.zip copy/a/b && mkdir z && python3 -m zipfile -e z.zip z && diff -r copy/a/b z/b && echo same'
step "remove it all" 'chmod -R u+w . && rm -rf copy one two three mirror linked linked2 symlinked z returned && ls'
build_everywhere
finish
