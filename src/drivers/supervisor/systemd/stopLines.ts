import type { InstanceSpec } from '../supervisor.ts'

/** Signal names without SIG, as `kill -s` of every shell accepts them. */
const bare = (signal: string): string => signal.replace(/^SIG/, '')

/**
 * How systemd stops a unit, with or without an agent: the stop signal to the main process alone; when that has ended,
 * SIGTERM to each process that is left; when `stop.within` since the first signal has passed, SIGKILL to all. ExecStop=
 * does the first two, and TimeoutStopSec= applies to it as a whole; because of TimeoutStopFailureMode=kill the time
 * does not start again for KillSignal=. If a main process ends on its own with a failure, there is no ExecStop=: the
 * processes that are left get KillSignal= and have the same time.
 */
export function stopLines({ stop }: Pick<InstanceSpec, 'stop'>): string[] {
  return [
    `# stop: ${stop.signal} to the main process, then SIGTERM to the processes it left; SIGKILL to all after the timeout.`,
    'KillMode=control-group',
    'KillSignal=SIGTERM',
    // A time of 0 would mean: wait for ever.
    `TimeoutStopSec=${Math.max(1, stop.withinMs)}ms`,
    'TimeoutStopFailureMode=kill',
    // Runs as the user of the service, in its jail: its environment may contain LD_PRELOAD.
    `ExecStop=:-/bin/sh -c '${stopScript(stop.signal).join(' \\\n  ')}'`,
  ]
}

/** One shell command in many lines. It looks for the cgroup of the unit in v2 alone, v2 beside v1, and v1. */
const stopScript = (signal: string): string[] => [
  'exec 2>/dev/null; PATH=/usr/bin:/bin;',
  `if [ -n "$MAINPID" ] && kill -s ${bare(signal)} "$MAINPID"; then tail -f -s 0.02 --pid="$MAINPID" /dev/null; fi;`,
  'while IFS=: read -r n c p; do case $n$c in 0|*name=systemd) for t in "" /unified /systemd; do',
  '[ ! -r /sys/fs/cgroup$t$p/cgroup.procs ] || g=/sys/fs/cgroup$t$p/cgroup.procs; done;; esac; done </proc/self/cgroup;',
  'while [ -n "$g" ]; do left=; while read -r p; do [ "$p" != $$ ] || continue; left=1;',
  'case " $told " in *" $p "*) continue;; esac; if kill -s TERM "$p"; then told="$told $p";',
  // The process belongs to another user: systemd signals it.
  'else case " $refused " in *" $p "*) exit;; esac; refused="$refused $p"; fi;',
  'done <"$g"; [ -n "$left" ] && sleep 0.02 || exit; done',
]
