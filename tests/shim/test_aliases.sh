#!/bin/bash
# Links from outside into the workspace, wherever a program may have put them: what is reached through
# them is the workspace's, and the real file system does not see it.
# shellcheck source-path=SCRIPTDIR/../lib
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need python3

fixture() { mkdir -p dir/inner && echo one >file && echo inner >dir/inner/file && ln -s dir within; }
begin shim_aliases

shared=$(mktemp -d /dev/shm/vfs-aliases.XXXXXX) || exit 1
trap 'rm -rf "$shared"; clean_up' EXIT
export shared

# Below each of these, the same: $T is in the temporary directory.
mkdir "$T/out"/links
for out in "$shared" "$T/out/links"; do
export out
name=${out%/*} name=${name##*/}

same "$name: files" <<'SCRIPT'
rm -rf "$out"/*; echo made >made; ln -s "$PWD/made" "$PWD/file" "$PWD/none" "$out"
cat "$out/made" "$out/file"; cat "$out/none"; echo $?
mv "$out/made" made 2>&1 | sed "s#$out#@#"; cat made
echo more >>"$out/file"; cat file; echo new >"$out/none"; cat none; rm "$out/none"; cat none; ls "$out"
stat -Lc '%s %h' "$out/file" file; [ "$out/file" -ef file ] && echo same
SCRIPT

same "$name: directories" <<'SCRIPT'
rm -rf "$out"/*; mkdir -p new/below; echo new >new/below/file
ln -s "$PWD" "$out/root"; ln -s "$PWD/dir" "$out/dir"; ln -s "$PWD/new" "$out/new"; ln -s "$PWD/within/" "$out/within"; ln -s root/dir "$out/chain"
for path in root root/ root/. root/dir/ dir dir/ dir//inner/ new new/ new/below/.. within within/inner chain chain/ chain/inner root/within root/../tree; do
  ls "$out/$path"
done
cat "$out"/{root/file,dir/inner/file,new/below/file,within/inner/file,chain/inner/file,root/within/inner/file}
for path in root dir new chain; do echo "$path" >"$out/$path/made"; done; find . -name made | sort; cat made dir/made new/made
rm "$out/new/made"; rmdir "$out/new/" 2>&1 | sed "s#$out#@#"; mkdir "$out/root/fresh"; mv "$out/root/made" "$out/dir/moved"; ls . dir
(cd "$out/chain/" && pwd -P | sed 's#.*/##' && cat inner/file && echo here >from-here); cat dir/from-here
(cd "$out" && cat root/file dir/inner/file && echo there >chain/relative); cat dir/relative
SCRIPT

same "$name: a directory becomes a link" <<'SCRIPT'
rm -rf "$out"/*
python3 - <<'END'
import os, subprocess
out = os.environ["out"]
os.mkdir(out + "/d"); os.mkdir("new")
open(out + "/d/f", "w").close()
print(os.path.getsize(out + "/d/f"), os.path.exists("new/f"))
subprocess.run(["rm", "-r", out + "/d"], check=True)
subprocess.run(["ln", "-s", os.getcwd() + "/new", out + "/d"], check=True)
with open(out + "/d/f", "w") as file:
    file.write("through")
print(open("new/f").read(), os.listdir(out + "/d/"), os.lstat(out + "/d").st_mode, os.lstat(out + "/d/f").st_size)
os.unlink(out + "/d"); os.symlink("/usr", out + "/d")
print(os.path.exists(out + "/d/f"), os.path.exists(out + "/d/bin/env"))
END
SCRIPT
done

same "loops, long chains" <<'SCRIPT'
rm -rf "$out"/*; ln -s "$PWD/file" "$out/0"; for i in $(seq 60); do ln -s "$((i - 1))" "$out/$i"; done
for i in 1 9 30 39 40 60; do cat "$out/$i" 2>&1 | sed "s#$out#@#"; done
ln -s loop "$out/loop"; cat "$out/loop" 2>&1 | sed "s#$out#@#"; ln -s "$PWD/back" "$out/back"; ln -s "$out/back" back; cat back; ls "$out/back/" 2>&1 | sed "s#$out#@#"
echo through >"$out/39" ; cat file
SCRIPT

same "through /proc and /dev/fd" <<'SCRIPT'
rm -rf "$out"/*; echo new >new; mkdir made; echo in >made/file
cat /proc/self/cwd/new /proc/self/root"$PWD/new" /proc/self/root/proc/self/cwd/made/file "/usr/..$PWD/new" /dev/shm/../.."$PWD/new" "/lib/../$PWD/new"
ln -s /proc/self/cwd/new "$out/cwd"; cat "$out/cwd"; ln -s /proc/self/cwd "$out/here"; cat "$out/here/made/file"; ls "$out/here/made"
exec 7<made 8<new 9<file; cat /dev/fd/8 /proc/self/fd/7/file; ls /dev/fd/7/ /proc/self/fd/7; stat -c '%F %s' /proc/self/fd/7/file
ln -s /dev/fd/8 "$out/eight"; ln -s /dev/fd/9 "$out/nine"; cat "$out/eight"; echo other >"$out/nine"; cat file; exec 7<"$out"; ln -s "$PWD/new" "$out/link"; cat /dev/fd/7/link
stat -c %F /proc/self/cwd/within /proc/self/root"$PWD/within"
SCRIPT

same "a directory outside that another process turns into a link" <<'SCRIPT'
rm -rf "$out"/*; mkdir "$out/place"; echo outside >"$out/place/file"
python3 - "$out" <<'END'
import os, subprocess, sys, time
out = sys.argv[1]
for _ in range(1000):
    os.stat(out + "/place/file")
subprocess.run(["sh", "-c", 'mv "$1/place" "$1/old" && ln -s "$PWD" "$1/place"', "-", out], check=True)
with open(out + "/place/made", "w") as made:
    made.write("inside")
print(open("made").read(), os.path.exists(out + "/old/made"))
time.sleep(0.1)
print(open(out + "/place/file").read(), sorted(os.listdir(out + "/place")))
END
SCRIPT

check_base_unchanged
finish
