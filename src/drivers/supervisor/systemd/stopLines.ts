import type { InstanceSpec } from '../supervisor.ts'

/** Names without SIG, as `kill -s` of every shell takes them. */
const bare = (signal: string): string => signal.replace(/^SIG/, '')

/**
 * How systemd stops a unit, with an agent or without: the stop signal to the main process alone; when that has ended, SIGTERM to
 * each process that is left; when `stop.within` is over since the first signal, SIGKILL to all. ExecStop= does the first two and
 * TimeoutStopSec= counts for it whole; by TimeoutStopFailureMode=kill it does not begin once more for KillSignal=. A main process
 * that ends by itself with a failure has no ExecStop=: what is left gets KillSignal= and has the same time.
 */
export function stopLines({ stop }: Pick<InstanceSpec, 'stop'>): string[] {
  return [
    `# stop: ${stop.signal} to the main process, then SIGTERM to what it left; SIGKILL to all after the time.`,
    'KillMode=control-group',
    'KillSignal=SIGTERM',
    // A time of 0 would mean: wait for ever.
    `TimeoutStopSec=${Math.max(1, stop.withinMs)}ms`,
    'TimeoutStopFailureMode=kill',
    // As the service's user, in its jail: its environment may hold LD_PRELOAD.
    `ExecStop=:-/bin/sh -c '${stopScript(stop.signal).join(' \\\n  ')}'`,
  ]
}

/** One shell command in many lines; the unit's cgroup is looked for in v2 whole, v2 beside v1, v1. */
const stopScript = (signal: string): string[] => [
  'exec 2>/dev/null; PATH=/usr/bin:/bin;',
  `if [ -n "$MAINPID" ] && kill -s ${bare(signal)} "$MAINPID"; then tail -f -s 0.02 --pid="$MAINPID" /dev/null; fi;`,
  'while IFS=: read -r n c p; do case $n$c in 0|*name=systemd) for t in "" /unified /systemd; do',
  '[ ! -r /sys/fs/cgroup$t$p/cgroup.procs ] || g=/sys/fs/cgroup$t$p/cgroup.procs; done;; esac; done </proc/self/cgroup;',
  'while [ -n "$g" ]; do left=; while read -r p; do [ "$p" != $$ ] || continue; left=1;',
  'case " $told " in *" $p "*) continue;; esac; if kill -s TERM "$p"; then told="$told $p";',
  // Of another user: systemd tells them.
  'else case " $refused " in *" $p "*) exit;; esac; refused="$refused $p"; fi;',
  'done <"$g"; [ -n "$left" ] && sleep 0.02 || exit; done',
]
