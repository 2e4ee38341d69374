#!/usr/bin/env bash
# Apache with mod_dav.
. "$(dirname "$0")/lib.sh"
debian apache2-bin
modules=$root/usr/lib/apache2/modules
port=$(free_port)
mkdir -p "$dir/tmp"
account=
if [ "$(id -u)" = 0 ]; then
  # It does not serve as root.
  account=$'User nobody\nGroup nogroup'
  chown nobody:nogroup "$dir/files" "$dir/tmp"
fi
{
  for name in mpm_event authn_core authz_core mime dav dav_fs dav_lock; do
    [ ! -e "$modules/mod_$name.so" ] || echo "LoadModule ${name}_module $modules/mod_$name.so"
  done
  cat <<CONFIG
ServerRoot $dir
ServerName localhost
Listen 127.0.0.1:$port
$account
PidFile $dir/tmp/pid
Mutex file:$dir/tmp default
DefaultRuntimeDir $dir/tmp
ErrorLog /dev/stderr
LogLevel warn
TypesConfig /dev/null
DocumentRoot $dir/files
DavLockDB $dir/tmp/locks
<Location />
  Dav On
  Require all granted
</Location>
CONFIG
} >"$dir/httpd.conf"
remote "Apache mod_dav" "dav://127.0.0.1:$port/NAME"
ready
exec env LD_LIBRARY_PATH="$(libraries)" "$root/usr/sbin/apache2" -D FOREGROUND -f "$dir/httpd.conf"
