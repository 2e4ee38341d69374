#!/usr/bin/env bash
# OpenSSH, with its SFTP server as it is and without extensions. Accounts of its own by nss_wrapper.
. "$(dirname "$0")/lib.sh"
command -v ssh-keygen >/dev/null || skip "no ssh-keygen"
debian openssh-server libnss-wrapper
port=$(free_port)
wrapper=$(find "$root" -name 'libnss_wrapper.so*' | head -n 1)
mkdir -p "$dir/home/.ssh" "$dir/files/plain"
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$dir/host_key"
ssh-keygen -q -t ed25519 -N '' -f "$dir/home/.ssh/id_ed25519"
cp "$dir/home/.ssh/id_ed25519.pub" "$dir/authorized"
for name in store plain; do echo "$name:x:$(id -u):$(id -g)::$dir/files:/bin/sh"; done >"$dir/passwd"
echo "sshd:x:65533:65533::/:/usr/sbin/nologin" >>"$dir/passwd"
printf 'root:x:0:\nsshd:x:65533:\naccounts:x:%s:\n' "$(id -g)" >"$dir/group"
extensions=posix-rename,hardlink,fsync,statvfs,fstatvfs,lsetstat,limits,expand-path,copy-data,home-directory,users-groups-by-id
cat >"$dir/config" <<CONFIG
Port $port
ListenAddress 127.0.0.1
HostKey $dir/host_key
PidFile none
AuthorizedKeysFile $dir/authorized
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
MaxStartups 200
Subsystem sftp internal-sftp
Match User plain
  ForceCommand internal-sftp -P $extensions
CONFIG
remote "OpenSSH" "sftp://store@127.0.0.1:$port$dir/files/NAME" --accept-new
remote "OpenSSH without extensions" "sftp://plain@127.0.0.1:$port/~/plain/NAME" --accept-new
ready
sshd=$root/usr/sbin/sshd
exec env LD_LIBRARY_PATH="$(libraries)" LD_PRELOAD="$wrapper" NSS_WRAPPER_PASSWD="$dir/passwd" NSS_WRAPPER_GROUP="$dir/group" \
  "$sshd" -D -e -f "$dir/config"
