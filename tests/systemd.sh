#!/usr/bin/env bash
# An installation from beginning to end under a systemd of its own: namespaces, an overlay over what is altered, Debian's
# PostgreSQL with peer authentication. Installs, deploys under load, kills every process, upgrades, goes back, uninstalls.
# Needs root, systemd's and PostgreSQL's programs, overlayfs; alters nothing outside of its namespaces. Takes minutes.
#
#   tests/systemd.sh          all of it
#   tests/systemd.sh shell    a shell in that machine, to look around; the tree is in /srv/mainstay
#
# The last line is `N passed, N failed`.
set -uo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
# What the machine of a test sees of it; /tmp is another one there.
tree=/srv/mainstay
state=$(mktemp -d)
boot=
passed=0
failed=0

[ "$(id -u)" -eq 0 ] || { echo "tests/systemd.sh needs root" >&2; exit 2; }
postgres=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -x /lib/systemd/systemd ] && [ -n "$postgres" ] || { echo "systemd or PostgreSQL is missing" >&2; exit 2; }

trap finish EXIT
trap 'exit 130' INT TERM

# The whole machine of the test is one process namespace: its first process ends, and everything with it.
finish() {
  [ -z "$boot" ] || kill -KILL "$boot" 2>/dev/null
  wait 2>/dev/null
  rm -rf "$state"
}

# boot_machine: what becomes the first process; everything it mounts is in its own namespace.
boot_machine() {
  mount --make-rprivate /
  mount -t tmpfs none "$1"
  local place
  for place in etc opt usr/local var/lib; do
    mkdir -p "$1/$place/upper" "$1/$place/work"
    mount -t overlay overlay -o "lowerdir=/$place,upperdir=$1/$place/upper,workdir=$1/$place/work" "/$place"
  done
  mount -t tmpfs none /srv
  mkdir -p "$tree"
  mount --bind "$repository" "$tree"
  mount -o remount,bind,ro "$tree"
  cp -r "$repository/examples/hello" /srv/hello
  mount -t tmpfs none /run
  mount -t tmpfs none /tmp
  mount -t tmpfs -o mode=755 none /etc/systemd/system
  chmod 1777 /tmp
  write_units
  ip link set lo up
  install -d -o postgres /run/postgresql /run/pg
  runuser -u postgres -- "$postgres/initdb" -D /run/pg/data --auth-local=peer >/run/initdb.log || exit 1
  exec env -i container=test PATH="$PATH" SYSTEMD_UNIT_PATH=/etc/systemd/system:/run/units \
    /lib/systemd/systemd --system --unit=multi-user.target --log-target=null --show-status=false
}

# The few units that every service leans on, and the one of Debian's PostgreSQL.
write_units() {
  local name
  mkdir -p /run/units/service.d
  for name in sysinit basic sockets network multi-user shutdown; do
    printf '[Unit]\nDescription=%s\nDefaultDependencies=no\n' "$name" >"/run/units/$name.target"
  done
  printf 'Wants=basic.target sockets.target\nAllowIsolate=yes\n' >>/run/units/multi-user.target
  printf 'Requires=sysinit.target\nAfter=sysinit.target\n' >>/run/units/basic.target
  # There is no journal here.
  printf '[Service]\nStandardOutput=append:/run/units.log\nStandardError=inherit\n' >/run/units/service.d/log.conf
  cat >/run/units/postgresql.service <<UNIT
[Service]
User=postgres
ExecStart=$postgres/postgres -D /run/pg/data -k /run/postgresql -c listen_addresses=
UNIT
}

# inside <command…>: in the machine of the test.
inside() {
  nsenter -t "$init" -m -p -n -u -i -C -- env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root LANG=C.UTF-8 "$@"
}

# check <sentence> <command…>: one test.
check() {
  local sentence=$1
  shift
  if "$@" >"$state/output" 2>&1; then
    passed=$((passed + 1))
    printf 'ok      %s\n' "$sentence"
  else
    failed=$((failed + 1))
    printf 'FAILED  %s\n' "$sentence"
    sed 's/^/        /' "$state/output" | tail -n 40
  fi
}

# Vitest would remove what an earlier run left, and cannot in the machine of the test.
rm -rf "$repository/node_modules/.vitest-cache"

export -f boot_machine write_units
export repository tree postgres
mkdir "$state/machine"
unshare --mount --pid --fork --kill-child --uts --ipc --cgroup --net --mount-proc \
  bash -c 'boot_machine "$1"' boot "$state/machine" >"$state/boot.log" 2>&1 &
boot=$!
for _ in $(seq 100); do
  init=$(pgrep -P "$boot" | head -n 1)
  [ -n "$init" ] && inside systemctl is-active --quiet multi-user.target 2>/dev/null && break
  sleep 0.2
done
check "a systemd of its own runs" inside systemctl is-active multi-user.target
[ -z "${1:-}" ] || { inside bash; exit; }

node=$tree/node_modules/.bin/node
traffic=http://127.0.0.1:80

# install_from <tree> <arguments…>
install_from() { inside "$node" "$1/cli/bin/mainstay.js" install "${@:2}"; }

# until_true <seconds> <command…>
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || { echo "never true: $*"; return 1; }
    sleep 0.2
  done
}

is_ready() { inside curl -fsS -m 2 http://127.0.0.1:7700/readyz; }
is_served() { inside curl -fsS -m 5 "$traffic/" | grep -q '^Hello'; }
main_pid() { inside systemctl show -p MainPID --value "$1"; }
instances() { inside pgrep -f '^node server.mjs'; }

# under_load <sentence> <command…>: the command, while 200 requests a second come in; none may be lost.
under_load() {
  local sentence=$1 load
  shift
  : >"$state/load"
  inside "$node" "$tree/cli/src/demo/load/load-main.ts" "{\"url\":\"$traffic\",\"mix\":\"hello\",\"rps\":200}" \
    >"$state/load" 2>"$state/load.errors" &
  load=$!
  until_true 20 grep -q '"type":"tick"' "$state/load"
  check "$sentence" "$@"
  sleep 1
  inside pkill -TERM -f load-main.ts
  wait "$load"
  check "$sentence: nothing is lost" lost_nothing
}

lost_nothing() {
  grep '"type":"summary"' "$state/load" | tee "$state/summary" | cut -c -2000
  "$repository/node_modules/.bin/node" -e '
    const { lost, refused, ok } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
    console.log({ lost, refused, ok });
    process.exit(lost === 0 && refused === 0 && ok > 200 ? 0 : 1)' <"$state/summary"
}

# kill_main <unit>: kill -9, and another one has taken its place.
kill_main() {
  local before
  before=$(main_pid "$1")
  inside kill -KILL "$before"
  until_true 30 is_replaced "$1" "$before"
  until_true 30 is_ready
}
is_replaced() { local now; now=$(main_pid "$1"); [ "$now" -gt 0 ] && [ "$now" -ne "$2" ]; }

restart_agent() {
  local before
  before=$(instances)
  inside systemctl restart mainstay-agent.service
  until_true 20 is_served
  sleep 2
  [ "$(instances)" = "$before" ] || { echo "instances were $before, are $(instances)"; return 1; }
}

second_run() {
  local output
  output=$(install_from "$tree" --yes) && ! grep -q 'to do' <<<"$output" || { echo "$output"; return 1; }
}
set_up() {
  inside bash -c "head -c 24 /dev/urandom | base64 | mainstay setup --email root@example.com --name Root" &&
    inside mainstay whoami | grep -q root@example.com
}
deploy_hello() { inside mainstay deploy /srv/hello && is_served; }
# make_version <version> <command line>: /srv/next becomes that version, altered by the command line.
make_version() {
  inside bash -c "cd /srv/next && sed -i 's/\"version\": \".*\"/\"version\": \"$1\"/' package.json server/package.json && $2"
}

next_migration() {
  local all=("$repository"/server/src/core/audit/migrations/*.sql)
  printf '%04d' $((${#all[@]} + 1))
}

# upgrade <version> <arguments…>: with the same instances before and after.
upgrade() {
  local before
  before=$(instances)
  inside mainstay upgrade "${@:2}" || return 1
  [ "$(inside readlink /opt/mainstay/current)" = "$1" ] || { echo "current is not $1"; return 1; }
  [ "$(instances)" = "$before" ] || { echo "instances were $before, are $(instances)"; return 1; }
  inside mainstay --json status | grep -q "\"version\": \"$1\"" && is_served
}

upgrade_in_vain() {
  if inside mainstay upgrade --from /srv/next --yes; then return 1; fi
  is_ready && [ "$(inside readlink /opt/mainstay/current)" = 0.2.0 ] &&
    [ "$(inside readlink /opt/mainstay/previous)" = 0.1.0 ]
}

doctor_on_the_sick() {
  local output status=0
  inside systemctl stop mainstay-server.service
  output=$(inside mainstay doctor) || status=$?
  inside systemctl start mainstay-server.service
  until_true 30 is_ready
  echo "$output"
  [ "$status" -eq 1 ] && grep -q 'error .*mainstay-server.service *inactive' <<<"$output" &&
    grep -q '→ systemctl restart mainstay-server' <<<"$output"
}

uninstall_keeping() {
  inside mainstay uninstall --yes || return 1
  if inside pgrep -u mainstay -a; then return 1; fi
  inside test -d /var/lib/mainstay/releases
}

reinstall() {
  install_from "$tree" --yes && until_true 30 is_served && inside mainstay status | grep -q hello
}

left_nothing() {
  inside getent passwd | sort | diff "$state/accounts" - &&
    list_files | diff "$state/before" - && ! inside test -e /run/mainstay
}
# Every file where an installation could leave something; without the copies that useradd keeps of its own files.
list_files() {
  inside find /etc /etc/systemd/system /opt /usr/local /var/lib -xdev | grep -v '^/etc/.*-$' | sort -u
}

# The promises that every way of running keeps, kept by units.
units_keep_promises() {
  inside env HOME=/tmp PATH="$tree/node_modules/.bin:/usr/bin:/bin" bash -c "cd $tree &&
    vitest run --configLoader runner --project integration agent/src/supervisor/ways.int.test.ts -t 'unit of systemd'"
}

check_only() { install_from "$tree" --check && ! inside test -e /opt/mainstay; }

list_files >"$state/before"
inside getent passwd | sort >"$state/accounts"

check "instances run as units" units_keep_promises
check "--check alters nothing" check_only
check "installs with Debian's PostgreSQL, reached as the account" install_from "$tree" --yes
check "a second run finds everything as it is" second_run
check "the units are what systemd understands" inside systemd-analyze verify /etc/systemd/system/mainstay-{server,agent}.service
check "its first administrator is set up and logged in" set_up
check "a service is deployed and served on port 80" deploy_hello
under_load "the server is killed with kill -9" kill_main mainstay-server.service
under_load "the parent is killed with kill -9" kill_main mainstay-agent.service
under_load "the unit of the agent is restarted" restart_agent
check "the doctor finds nothing" inside mainstay doctor
check "the doctor works while the server is down, and says so" doctor_on_the_sick
inside cp -r /opt/mainstay/0.1.0 /srv/next
make_version 0.2.0 "echo 'create table audit.notes (id integer);' >server/src/core/audit/migrations/$(next_migration)-notes.sql"
under_load "upgrades to a newer version with a migration" upgrade 0.2.0 --from /srv/next --yes
make_version 0.3.0 'echo "process.exit(7)" >server/src/main.ts'
under_load "a version whose server does not start is gone back from" upgrade_in_vain
under_load "goes back to the version before" upgrade 0.1.0 --back --yes
check "the doctor still finds nothing" inside mainstay doctor
check "uninstalls, and keeps the data" uninstall_keeping
check "installs again on the data that was kept" reinstall
check "uninstalls with the data" inside mainstay uninstall --purge --confirm "$(hostname)"
check "and leaves nothing behind" left_nothing
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
