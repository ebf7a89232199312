#!/usr/bin/env bash
# Runs a command, with everything it starts, on one processor and one gigabyte of memory: a cgroup, of version 2 or 1.
# Needs root. A child that steps out into a cgroup of its own (an instance with limits) is counted there, not here.
#
#   tests/small-machine.sh                      npm run demo
#   tests/small-machine.sh npm run e2e -- …     anything else
#
# Ends as the command does; tells the most memory that was in use, and for how long the processor was withheld.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" -eq 0 ] || { echo "tests/small-machine.sh needs root" >&2; exit 2; }
[ $# -gt 0 ] || set -- npm run demo

name=mainstay-small-$$
gigabyte=$((1000 ** 3))
root=/sys/fs/cgroup
if [ -f $root/cgroup.controllers ]; then
  places=("$root/$name")
  mkdir "${places[0]}"
  echo "100000 100000" >"${places[0]}/cpu.max"
  echo $gigabyte >"${places[0]}/memory.max"
  [ ! -f "${places[0]}/memory.swap.max" ] || echo 0 >"${places[0]}/memory.swap.max"
  peak=${places[0]}/memory.peak
else
  places=("$root/cpu/$name" "$root/memory/$name")
  mkdir "${places[@]}"
  echo 100000 >"${places[0]}/cpu.cfs_period_us"
  echo 100000 >"${places[0]}/cpu.cfs_quota_us"
  echo $gigabyte >"${places[1]}/memory.limit_in_bytes"
  peak=${places[1]}/memory.max_usage_in_bytes
fi

status=0
(
  for place in "${places[@]}"; do echo "$BASHPID" >"$place/cgroup.procs"; done
  exec "$@"
) || status=$?

echo "most memory in use, its cache of files included: $(($(cat "$peak") / 1000 ** 2)) MB"
grep throttled "${places[0]}/cpu.stat"
[ ! -f "${places[-1]}/memory.failcnt" ] || echo "times the limit of memory was met: $(cat "${places[-1]}/memory.failcnt")"
grep -h oom "${places[-1]}"/memory.{events,oom_control} 2>/dev/null || true
rmdir "${places[@]}" 2>/dev/null || echo "something still runs in ${places[*]}" >&2
exit $status
