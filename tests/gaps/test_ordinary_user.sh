#!/bin/bash
# The permission rules, as they hold for a user who is not root: read-only directories and files in
# the base, modes that shut out even the owner. Started by root, it runs itself as another user.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
if [ "$(id -u)" -eq 0 ]; then
  here=$(cd "$(dirname "$0")/../.." && pwd -P)
  from=$(cd "${VFS_BUILD:-$here/build}" && pwd -P) || exit 1
  away=$(mktemp -d) || exit 1
  mkdir -p "$away/build/vfs" "$away/build/shim" "$away/tmp" "$away/tests/gaps"
  cp "$from/vfs/vfs" "$away/build/vfs/" && cp "$from/shim/libvfs.so" "$away/build/shim/"
  cp "$0" "$away/tests/gaps/" && cp -r "$here/tests/lib" "$away/tests/"
  chmod -R a+rX "$away" && chown 65534:65534 "$away/tmp"
  env HOME="$away/tmp" TMPDIR="$away/tmp" VFS_BUILD="$away/build" \
    setpriv --reuid=65534 --regid=65534 --clear-groups bash "$away/tests/gaps/$(basename "$0")"
  code=$?
  rm -rf "$away"
  exit "$code"
fi
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need setpriv install find

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
mv d e; ls e; touch -d '2020-01-01' e; stat -c '%a %y' e; rm -rf e; ls e; chmod -R u+w e; mv e/x e/deep/y open; rm -r e; ls open
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

finish
