#!/usr/bin/env bash
# nginx: WebDAV by its extension module, PUT without any listing, and TLS with a login.
. "$(dirname "$0")/lib.sh"
debian nginx libnginx-mod-http-dav-ext
certificates
port=$(free_port) tls=$(free_port)
mkdir -p "$dir/tmp" "$dir/files/dav" "$dir/files/put" "$dir/files/login"
printf 'user:%s\n' "$(openssl passwd -apr1 secret)" >"$dir/users"
account=
[ "$(id -u)" != 0 ] || account="user root;"
cat >"$dir/nginx.conf" <<CONFIG
load_module $root/usr/lib/nginx/modules/ngx_http_dav_ext_module.so;
daemon off;
$account
pid $dir/tmp/pid;
error_log stderr warn;
events {}
http {
  access_log off;
  client_body_temp_path $dir/tmp/body;
  proxy_temp_path $dir/tmp/proxy;
  fastcgi_temp_path $dir/tmp/fastcgi;
  uwsgi_temp_path $dir/tmp/uwsgi;
  scgi_temp_path $dir/tmp/scgi;
  client_max_body_size 0;
  server {
    listen 127.0.0.1:$port;
    listen 127.0.0.1:$tls ssl;
    ssl_certificate $dir/tls/server.crt;
    ssl_certificate_key $dir/tls/server.key;
    root $dir/files;
    location /dav/ { dav_methods PUT DELETE MKCOL COPY MOVE; dav_ext_methods PROPFIND OPTIONS; }
    location /put/ { dav_methods PUT DELETE; create_full_put_path on; }
    location /login/ {
      auth_basic test; auth_basic_user_file $dir/users;
      dav_methods PUT DELETE; create_full_put_path on; autoindex on; autoindex_format json;
    }
  }
}
CONFIG
remote "nginx WebDAV" "dav://127.0.0.1:$port/dav/NAME"
remote "nginx PUT without listing" "http://127.0.0.1:$port/put/NAME"
remote "nginx PUT, TLS and login" "https://user:secret@127.0.0.1:$tls/login/NAME" "--ca-file $dir/tls/ca.crt" "$dir/tls/ca.crt"
ready
exec env LD_LIBRARY_PATH="$(libraries)" "$root/usr/sbin/nginx" -p "$dir" -c "$dir/nginx.conf" -e stderr
