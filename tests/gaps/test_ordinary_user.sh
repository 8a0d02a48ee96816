#!/bin/bash
# The permission rules, as they hold for a user who is not root: read-only directories and files in
# the base, modes that shut out even the owner. Started by root, it runs itself as another user.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/ordinary.sh"
[ "$(id -u)" -ne 0 ] || { as_ordinary_user "$0"; exit; }
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need setpriv install find python3

fixture() {
  echo one >a && echo read >ro && chmod 444 ro
  mkdir -p d/deep open && echo x >d/x && echo y >d/deep/y && echo z >open/z
  printf '#!/bin/sh\necho ran\n' >tool && chmod 555 tool && chmod 555 d/deep d
}
begin ordinary_user

same "read-only files: refused, replaced, removed" <<'EOF'
echo x >ro; echo x >>ro; truncate -s 0 ro; cat ro; cp a ro; cp -f a ro; cat ro; stat -c %a ro; rm -f ro; ls; ./tool; echo x >tool; mv tool moved; ./moved
EOF

same "a read-only directory: looked at, entered, refused" <<'EOF'
ls -l | cut -c1-10; ls d; (cd d && cat x && ls deep); echo n >d/new; rm -f d/x; mkdir d/m; mv d/x .; ln -s t d/l; chmod 600 d/x; stat -c '%n %a' d/x; echo in place >d/x; cat d/x
EOF

same "a read-only directory: made writable, then used" <<'EOF'
chmod 755 d; echo n >d/new; rm d/x; mkdir d/m; ls d; chmod 555 d; echo n >d/other; ls d; stat -c '%n %a' d d/deep
--- after
ls d; chmod 700 d; rm d/new; rmdir d/m; ls d
EOF

same "a read-only directory: renamed, touched, removed" <<'EOF'
mv d e; ls e; touch -d '2020-01-01' e; stat -c '%a %y' e; rm -rf e 2>&1 | sort; ls e; chmod -R u+w e; mv e/x e/deep/y open; rm -r e; ls open
--- after
ls; ls open; cat open/x
EOF

same "modes that shut out their owner" <<'EOF'
chmod 200 a; cat a; echo more >>a; chmod 400 a; cat a; chmod 0 a; mv a b; touch -d '2020-01-01' b; stat -c '%a %y' b
chmod 0 open; ls open; cat open/z; chmod 311 open; ls open; cat open/z; chmod 755 open; mkdir -m 0 zero; ls zero; mkdir zero/y; (umask 777; echo x >none); cat none; chmod u+rwx zero
--- after
cat b; chmod 600 b; cat b; stat -c '%n %a' none zero; chmod 600 none; cat none
EOF

same "owners: what is allowed and what is not" <<'EOF'
chown 0 a; chown "$(id -u)" a; chgrp "$(id -g)" a; install -m 4711 tool own; install -o 0 tool root; stat -c '%a' own; chmod 2755 open; stat -c %a open
EOF

same "directories on the way need search permission" <<'EOF'
mkdir -p o/p && echo q >o/p/q && chmod 600 o open; cat o/p/q; cat open/z; ls open; stat open/z; echo n >open/n; cd open; (cd d/deep && chmod 0 .. && cat ../x; cat y; cat ../../a); cat d/x; cat d/deep/y
ln -s open/z through; cat through; cat open/../a; ls o/p; chmod 100 o open d; cat o/p/q open/z d/x; ls o; rmdir o; test -x open; echo $?; test -r open; echo $?; test -w open; echo $?
chmod 700 o; chmod 755 open d; cat o/p/q open/z d/x d/deep/y
--- after
ls -l o open d | cut -c1-10; chmod 0 d; cat d/x; chmod 755 d; cat d/x
EOF

same "a directory that is searched but not written: names stay" <<'EOF'
mkdir own && echo f >own/f && mkdir own/sub full && touch full/x && chmod 555 own; rm -f own/f; rmdir own/sub; mv own/f f; mv own/sub own/sup; ln a own/l; mkfifo own/fifo; touch own/n; echo more >>own/f; cat own/f; mv a own; ln -s a own/s
mv full d; rmdir full; mkdir -m 755 own/d; cp a own/f; cat own/f; touch own; chmod 444 full; ls full; cat full/x; chmod 500 full; mv full own2; mkdir in; mv own2 in; mv d in/; ls in; chmod 755 own2; mv own2 in; ls in
--- after
ls own in d; stat -c '%a %n' own in/* d/deep; rm -f own/f; chmod u+w own; rm own/f; ls own
EOF

same "by descriptor, new directories, the mask" <<'EOF'
python3 - <<'PY'
from calls import *
for name in ("open", "d"):
    fd = os.open(name, os.O_RDONLY); show("fchmod", os.fchmod, fd, 0o500); print(oct(os.fstat(fd).st_mode), oct(os.stat(name).st_mode))
    show("make", os.mkdir, name + "/m"); show("at", os.open, "n", os.O_CREAT | os.O_WRONLY, dir_fd=fd); show("unlink", os.unlink, name + "/x")
    show("fchmod", os.fchmod, fd, 0); show("list", os.listdir, name); show("stat", os.stat, name + "/x"); show("fchmod", os.fchmod, fd, 0o700); print(sorted(os.listdir(name)))
os.umask(0o777); show("masked", os.mkdir, "masked"); print(oct(os.stat("masked").st_mode)); show("in it", os.mkdir, "masked/m"); show("file", os.open, "masked/f", os.O_CREAT | os.O_WRONLY)
os.umask(0o277); show("read-only", os.mkdir, "r"); print(oct(os.stat("r").st_mode)); show("in it", os.mkdir, "r/m"); show("list", os.listdir, "r"); show("rmdir", os.rmdir, "r")
os.umask(0o22); show("again", os.mkdir, "r", 0o300); show("list", os.listdir, "r"); show("in it", os.mkdir, "r/m"); os.chmod("r", 0o755); print(os.listdir("r"))
show("access", os.access, "masked", os.R_OK); show("access", os.access, "ro", os.W_OK); show("access", os.access, "tool", os.X_OK); show("access", os.access, "a", os.X_OK); os.chmod("masked", 0o755)
show("noatime", os.open, "a", os.O_RDONLY | os.O_NOATIME); show("trunc", os.truncate, "ro", 0); show("rd trunc", os.open, "ro", os.O_RDONLY | os.O_TRUNC); show("rdwr", os.open, "ro", os.O_RDWR)
show("creat", os.open, "ro", os.O_RDONLY | os.O_CREAT); show("tmp", os.open, "d/deep", os.O_WRONLY | os.O_TMPFILE); print(open("ro").read())
PY
stat -c '%a %n' open d masked r
--- after
stat -c '%a %n' open d masked r; touch open/new d/new; ls open d
EOF

same "sticky and set-group-id directories" <<'EOF'
mkdir t && chmod 1777 t && touch t/f && rm t/f && chmod 1755 open && mv open/z open/y && rm open/y; chmod 2755 d; chmod 2775 open; stat -c '%a %n' t open d; chmod u+w d; rm d/x; echo x >d/x; mkdir open/s; stat -c '%a %G %n' d/* open/*; chmod 1555 t; touch t/n
--- after
stat -c '%a %n' t open d open/s
EOF

finish
