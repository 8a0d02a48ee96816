"""What the figures were taken with."""
import datetime
import json
import os
import platform
import subprocess

from .laboratory import REPOSITORY


def said_by(*words):
    done = subprocess.run(words, cwd=REPOSITORY, check=False, capture_output=True, text=True, timeout=60)
    return done.stdout.strip() if done.returncode == 0 else ""


def build_type(build):
    """Of the meson build directory: buildtype, optimization, b_sanitize, ..."""
    path = build / "meson-info/intro-buildoptions.json"
    options = {option["name"]: option["value"] for option in json.loads(path.read_text())}
    return {name: str(options.get(name, "")) for name in ("buildtype", "optimization", "debug", "b_lto", "b_sanitize")}


def compiler(build):
    found = json.loads((build / "meson-info/intro-compilers.json").read_text()) \
        if (build / "meson-info/intro-compilers.json").exists() else {}
    for language in found.get("host", {}).values():
        if language.get("full_version"):
            return language["full_version"]
    return said_by("c++", "--version").split("\n")[0]


def processor():
    for line in said_by("lscpu").splitlines():
        if line.startswith("Model name:"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def file_system(directory):
    """Its type and the options it is mounted with."""
    said = said_by("findmnt", "-n", "-o", "SOURCE,FSTYPE,OPTIONS", "-T", str(directory)).split()
    image = " in a file (--image)" if said and said[0].startswith("/dev/loop") else ""
    return " ".join(said[1:]) + image


def describe(laboratory, built):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    changed = "" if not said_by("git", "status", "--porcelain") else ", with changes"
    return {
        "processor": processor(), "cores": os.cpu_count(), "memory": f"{memory / 2**30:.0f} GiB",
        "kernel": platform.release(), "libc": " ".join(platform.libc_ver()),
        "system": said_by("sh", "-c", ". /etc/os-release && echo $PRETTY_NAME"),
        "file system": file_system(laboratory.work),
        "user": "root" if os.geteuid() == 0 else "ordinary",
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": (said_by("git", "rev-parse", "--short=12", "HEAD") or "unknown") + changed,
        "compiler": compiler(laboratory.build),
        "build": f"{built['buildtype']} (optimization {built['optimization']}, lto {built['b_lto']})",
        "load": f"{os.getloadavg()[2]:.1f} (15 minutes' average at the end)",
    }
