# shellcheck shell=bash
# For the scripts beside it. Each is called as `NAME.sh DIR`: it writes what reaches the server into DIR/remotes, a line
# "LABEL|URL|OPTIONS OF remote add|CA FILE" for each kind of access (NAME in a URL stands for a folder), what logs in
# into DIR/home, and then becomes the server. It ends with 77 and a word where the server cannot be had.
#
# Nothing is installed: programs of the system are used, else Debian packages are unpacked and Python packages put
# into an environment of their own below the cache.

set -euo pipefail
export LC_ALL=C
dir=$(mkdir -p "$1" && cd "$1" && pwd)
# Servers that root starts become somebody else, who cannot reach root's home.
home_cache=${XDG_CACHE_HOME:-$HOME/.cache}
[ "$(id -u)" != 0 ] || home_cache=/var/cache
cache=${DSYNC_TEST_CACHE:-$home_cache/dsync-test-servers}
mkdir -p "$cache" "$dir/home" "$dir/files"

skip() {
  echo "$*" >&2
  exit 77
}

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}

# debian PACKAGE...: sets `root` to a folder with the files of the packages and of what they need beyond the system
debian() {
  root=$cache/debian/$1
  [ ! -e "$root/.done" ] || return 0
  command -v apt-get >/dev/null || skip "no apt-get to fetch $* with"
  local work=$cache/debian/$1.new names
  rm -rf "$work" && mkdir -p "$work/root"
  names=$(apt-get -s install --no-install-recommends "$@" 2>/dev/null | awk '/^Inst/ && $3 !~ /^\[/ {print $2}')
  # shellcheck disable=SC2086
  (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download $(printf '%s\n' "$@" $names | sort -u)) >"$work/log" 2>&1 ||
    skip "the packages $* cannot be fetched"
  local package
  for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/root"; done
  touch "$work/root/.done"
  rm -rf "$root" && mv "$work/root" "$root"
  rm -rf "$work"
}

# libraries: where those of `root` lie
libraries() { printf '%s:' "$root"/usr/lib/*-linux-* "$root"/lib/*-linux-*; }

# python NAME REQUIREMENT...: sets `root` to an environment with the packages
python() {
  root=$cache/python/$1
  shift
  [ ! -e "$root/.done" ] || return 0
  rm -rf "$root"
  { python3 -m venv "$root" && "$root/bin/pip" install -q "$@"; } >"$dir/pip.log" 2>&1 ||
    { rm -rf "$root"; skip "the Python packages $* cannot be fetched"; }
  touch "$root/.done"
}

# certificates: an authority and a certificate for 127.0.0.1 in DIR/tls
certificates() {
  command -v openssl >/dev/null || skip "no openssl to make certificates with"
  mkdir -p "$dir/tls" && cd "$dir/tls"
  {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj '/CN=test authority' \
      -keyout ca.key -out ca.crt -addext 'basicConstraints=critical,CA:TRUE'
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '/CN=127.0.0.1' -keyout server.key -out server.csr
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out server.crt \
      -extfile <(echo 'subjectAltName=IP:127.0.0.1')
  } >log 2>&1 || skip "openssl makes no certificates"
  cd "$dir"
}

remote() { printf '%s|%s|%s|%s\n' "$1" "$2" "${3-}" "${4-}" >>"$dir/remotes.new"; }
# ready: call it last, before `exec`
ready() { mv "$dir/remotes.new" "$dir/remotes"; }
