#!/bin/bash
# Sockets with a path: made in the layer, reached by name, and named to the program as it named them.
# shellcheck source-path=SCRIPTDIR/../lib disable=SC2317
. "$(dirname "$0")/../lib/common.sh"
. "$lib_dir/differential.sh"
need python3

fixture() {
  deep=$(printf 'd%.0s' $(seq 60))
  mkdir -p sub "deep/$deep" gone && echo text >file && ln -s sub link && : >gone/removed && ln -s nowhere dangling
  cat >sockets.py <<'EOF'
from calls import *
import socket
DEEP = "deep/" + "d" * 60

def attempt(label, call, *arguments):
    try:
        result = call(*arguments)
        print(label, result if result is not None else "done", flush=True)
        return result
    except OSError as error:
        print(label, errno.errorcode.get(error.errno, error.args[0]), flush=True)

def listen(path):
    server = socket.socket(socket.AF_UNIX)
    attempt(f"bind {path[-12:]}", server.bind, path)
    attempt("listen", server.listen)
    return server

def talk(server, path):
    client = socket.socket(socket.AF_UNIX)
    attempt(f"connect {path[-12:]}", client.connect, path)
    peer, name = server.accept()
    client.sendall(b"hello")
    # What a peer sees of a relative name is an absolute one in a workspace.
    bound = server.getsockname()
    print(peer.recv(9), repr(name), client.getpeername() == bound if os.path.isabs(bound) else "", bound[-12:], repr(client.getsockname()))
EOF
}
begin shim_sockets
export PYTHONPATH=$PYTHONPATH:.

same "bind, listen, connect, by every kind of path" <<'SCRIPT'
python3 - <<'EOF'
from sockets import *
import stat
here = os.getcwd()
for path in "one", "sub/two", "./sub/../three", here + "/four", "link/five", "gone/removed", here + "/sub/six":
    if path == "gone/removed":
        os.unlink(path)
    server = listen(path)
    s = os.stat(path)
    print(stat.S_ISSOCK(s.st_mode), oct(s.st_mode), s.st_size, s.st_nlink, os.access(path, os.W_OK))
    talk(server, path)
    server.close()
    attempt("refused", socket.socket(socket.AF_UNIX).connect, path)
    attempt("in use", socket.socket(socket.AF_UNIX).bind, path)
print(sorted(os.listdir(".")), sorted(os.listdir("sub")))
os.chdir("sub")
server = listen("inner")
talk(server, "inner"); talk(server, "../sub/inner"); talk(server, here + "/link/inner")
os.rename("inner", "../renamed"); talk(server, "../renamed"); os.unlink("../renamed")
attempt("gone", socket.socket(socket.AF_UNIX).connect, "../renamed")
for name in "one", "three", "four", "gone/removed", "sub/two", "sub/five", "sub/six":
    os.unlink(here + "/" + name)
EOF
find . -type s
SCRIPT

same "errors" <<'SCRIPT'
python3 - <<'EOF'
from sockets import *
for path in "none", "none/x", "file", "file/x", "sub", "dangling", "", "x" * 107, "x" * 108, "link", "link/", "sub/new/":
    s = socket.socket(socket.AF_UNIX)
    attempt("connect " + path[:9], s.connect, path)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    attempt("sendto " + path[:9], s.sendto, b"x", path)
for path in "file", "file/x", "sub", "none/x", "dangling", "link", "link/", "new/", ".", "/", "..":
    s = socket.socket(socket.AF_UNIX)
    attempt("bind " + path, s.bind, path)
s = socket.socket(socket.AF_UNIX)
s.bind("twice")
attempt("bound already", s.bind, "thrice")
print(os.path.exists("thrice"))
os.unlink("twice")
abstract = socket.socket(socket.AF_UNIX)
abstract.bind("\0vfs-test-%d" % os.getpid())
print(len(abstract.getsockname()) > 5, socket.socket(socket.AF_UNIX).getsockname() == "")
EOF
SCRIPT

same "datagrams: the sender's name comes back" <<'SCRIPT'
python3 - <<'EOF'
from sockets import *
here = os.getcwd()
a, b = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
a.bind(here + "/a.sock"); b.bind(here + "/sub/b.sock")
print(a.sendto(b"one", here + "/sub/b.sock"), a.sendto(b"two", "link/b.sock"))
data, name = b.recvfrom(99); print(data, name == here + "/a.sock")
data, ancillary, flags, name = b.recvmsg(99); print(data, name == here + "/a.sock")
print(b.sendmsg([b"th", b"ree"], [], 0, "a.sock"))
data, name = a.recvfrom(99); print(data, name == here + "/sub/b.sock")
a.connect(here + "/sub/b.sock"); print(a.getpeername() == here + "/sub/b.sock", a.send(b"x"), a.getsockname() == here + "/a.sock")
os.unlink("a.sock"); os.unlink("sub/b.sock")
EOF
SCRIPT

same "a path that is short, though the real one is not" <<'SCRIPT'
python3 - <<'EOF'
from sockets import *
os.chdir(DEEP)
for path in "s", "x" * 90, "../" + "d" * 60 + "/third":
    server = listen(path)
    talk(server, path)
    print(server.getsockname() == path)
    os.unlink(path)
EOF
SCRIPT

same "between processes, over exec and after the server has moved on" <<'SCRIPT'
python3 - <<'EOF'
from sockets import *
server = listen("served")
if os.fork() == 0:
    os.chdir("sub")
    code = "import socket; s = socket.socket(socket.AF_UNIX); s.connect('../served'); s.sendall(b'from afar'); print(s.recv(9), flush=True)"
    os.execvp("python3", ["python3", "-c", code])
peer, _ = server.accept()
print(peer.recv(20), flush=True); peer.sendall(b"answer"); os.wait()
os.unlink("served")
EOF
SCRIPT

# A socket that a live base already has is the one that is reached.
existing() {
  [ "$1" = live ] || return
  VFS_DISABLE=1 python3 -c '
import os, socket, sys
os.chdir(sys.argv[1] + "/sub")
server = socket.socket(socket.AF_UNIX); server.bind("old"); server.listen(); server.settimeout(30)
open(sys.argv[2], "w").close(); peer, _ = server.accept(); peer.sendall(b"old"); os.unlink("old")' "$place" "$T/out/ready" &
  for _ in $(seq 100); do [ -e "$T/out/ready" ] && break; sleep 0.05; done
  [ "$(inside bare python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.connect("sub/old"); print(s.recv(9).decode())')" = old ] ||
    echo "not reached; "
  wait
  touch -r "$T/fixture/sub" "$place/sub"
}
touches_nothing() { existing "$1"; real_tree >"$T/out/real.before"; }
check "a socket of the live base" touches_nothing

check_base_unchanged
finish
