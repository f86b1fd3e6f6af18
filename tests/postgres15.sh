#!/bin/sh
# Runs the integration tests against a throwaway PostgreSQL 15, as an owner who is no superuser:
# that is what a managed PostgreSQL gives. Arguments go to pytest; POSTGRES_BIN names other binaries.
set -eu
cd "$(dirname "$0")/.."

bin=${POSTGRES_BIN:-/usr/lib/postgresql/15/bin}
if [ ! -x "$bin/initdb" ]; then
    echo "No PostgreSQL in $bin. Debian: apt-get install postgresql-15; elsewhere set POSTGRES_BIN." >&2
    exit 1
fi

cluster=$(mktemp -d)
# The server refuses to run as root.
as_server() {
    if [ "$(id -u)" -eq 0 ]; then (cd "$cluster" && runuser -u "$server_user" -- "$@"); else "$@"; fi
}
stop() {
    as_server "$bin/pg_ctl" stop --silent --pgdata "$cluster/data" --mode immediate || true
    rm -rf "$cluster"
}
trap 'rm -rf "$cluster"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

server_user=$(id -un postgres 2>/dev/null || echo nobody)
if [ "$(id -u)" -eq 0 ]; then chown "$server_user" "$cluster"; fi

random() { .venv/bin/python -c 'import secrets; print(secrets.token_hex(16))'; }
free_port() {
    .venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
password=$(random)
port=$(free_port)

random | as_server tee "$cluster/pwfile" >/dev/null
as_server "$bin/initdb" --pgdata "$cluster/data" --username postgres --pwfile "$cluster/pwfile" \
    --auth scram-sha-256 --encoding UTF8 --locale C.UTF-8 --no-sync >/dev/null
as_server "$bin/postgres" --single -c log_checkpoints=off -D "$cluster/data" postgres >/dev/null <<SQL
CREATE ROLE muster LOGIN CREATEDB CREATEROLE PASSWORD '$password'
CREATE DATABASE muster OWNER muster
SQL

trap stop EXIT
as_server "$bin/pg_ctl" start --silent --wait --pgdata "$cluster/data" --log "$cluster/log" --options \
    "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$cluster -c fsync=off" ||
    { cat "$cluster/log" >&2; exit 1; }

DATABASE_URL="postgresql://muster:$password@127.0.0.1:$port/muster"
export DATABASE_URL
.venv/bin/python -m pytest tests/integration "$@"
