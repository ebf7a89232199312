#!/usr/bin/env bash
# The stranger's test: a clean clone of HEAD in an empty directory, an old Node first on PATH, and the two commands of
# the README. As root below a directory that only root may enter, and as an ordinary user. Needs root; takes minutes.
#
#   tests/stranger.sh                      all cases
#   tests/stranger.sh user-test user-demo  only these of: root-test root-demo user-test user-demo
#
# The last line is `N passed, N failed`. An account that it made, its files and its processes are gone afterwards.
set -uo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
stranger=mainstay-stranger
# What a stranger's machine has; the project has to find its own Node by itself.
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
case_limit=600s
passed=0
failed=0

usage() {
  sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

cases=("$@")
[ ${#cases[@]} -gt 0 ] || cases=(root-test root-demo user-test user-demo)
for each in "${cases[@]}"; do
  case $each in root-test | root-demo | user-test | user-demo) ;; *) usage ;; esac
done
[ "$(id -u)" -eq 0 ] || { echo "tests/stranger.sh needs root: one of its strangers is root" >&2; exit 2; }
PATH=$path node --version >/dev/null 2>&1 || { echo "there is no node on $path" >&2; exit 2; }

base=$(mktemp -d)
trap finish EXIT
trap 'exit 130' INT TERM

finish() {
  for pid in $(processes_below "$base"); do kill -KILL "$pid" 2>/dev/null; done
  if id "$stranger" >/dev/null 2>&1; then userdel "$stranger"; fi
  rm -rf "$base"
}

# processes_below <directory>: the ids of all that work in it, run from it or name it.
processes_below() {
  local directory=$1 process
  for process in /proc/[0-9]*; do
    [ "${process#/proc/}" -ne $$ ] || continue
    if [[ $(readlink "$process/cwd" 2>/dev/null) == "$directory"* ]] ||
      tr '\0' ' ' 2>/dev/null <"$process/cmdline" | grep -qF -- "$directory"; then
      printf '%s\n' "${process#/proc/}"
    fi
  done
}

# as <account> <directory> <command line>: runs it with a stranger's environment. The machine's way out stays.
as() {
  local account=$1 directory=$2 line=$3 kept=() name
  for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY NODE_EXTRA_CA_CERTS npm_config_registry; do
    [ -z "${!name:-}" ] || kept+=("$name=${!name}")
  done
  local become=()
  [ "$account" = root ] || become=(setpriv --reuid "$account" --regid "$account" --init-groups)
  (cd "$directory" && timeout --kill-after=30s "$case_limit" "${become[@]}" env -i \
    "PATH=$path" "HOME=$base/$account-home" "USER=$account" "LANG=C.UTF-8" "${kept[@]}" bash -c "$line" </dev/null)
}

# run <case>: a clone of its own, the command, and nothing left running.
run() {
  local name=$1 account=root place line started=$SECONDS status=0 left
  [[ $name == root-* ]] || account=$stranger
  [[ $name == *-test ]] && line='npm ci && npm test' || line='npm ci && npm run demo'
  place=$base/$account
  mkdir -p "$place" "$base/$account-home"
  # Objects are copied, not linked: what is given to another account must not be the repository's own.
  git clone --quiet --no-hardlinks "$repository" "$place/$name" || return 1
  chown -R "$account:" "$place" "$base/$account-home"
  printf '=== %s: %s as %s with Node %s\n' "$name" "$line" "$account" "$(PATH=$path node --version)"
  as "$account" "$place/$name" "$line" >"$base/$name.log" 2>&1 || status=$?
  left=$(processes_below "$place/$name")
  if [ "$status" -ne 0 ]; then tail -n 80 "$base/$name.log"; fi
  if [ -n "$left" ]; then
    printf 'left running:\n'
    ps -o pid,user,args -p "$(tr '\n' ',' <<<"$left" | sed 's/,$//')"
    status=1
  fi
  printf '=== %s: exit %s after %s s: %s\n' "$name" "$status" "$((SECONDS - started))" "$(tail -n 1 "$base/$name.log")"
  rm -rf "${place:?}/$name"
  return "$status"
}

chmod 0711 "$base"
# Only root may pass this one.
mkdir -m 0700 "$base/root"
useradd --system --user-group --no-create-home --home-dir "$base/$stranger-home" --shell /bin/bash "$stranger" || exit 1

for each in "${cases[@]}"; do
  if run "$each"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
