import type { Finding } from '../protocol/checkup.ts'
import { unchecked, wrong } from './findings.ts'
import type { Disk, Limits } from './machineFacts.ts'

/** Below both limits a disk counts as full: the next release, or a week of logs, fills it. */
const leastFreeShare = 0.1
const leastFreeBytes = 2 * 1024 ** 3
const leastFreeInodeShare = 0.05
/** Above this share, one busy minute can use up the rest. */
const mostUsedShare = 0.8

export function judgeDisks(disks: Disk[]): Finding[] {
  return disks.flatMap(({ path, holds, freeBytes, totalBytes, freeInodes, totalInodes }) => {
    const found: Finding[] = []
    if (freeBytes < leastFreeBytes && freeBytes < totalBytes * leastFreeShare) {
      const next = `du -xh --max-depth=3 ${mountOf(path)} | sort -h | tail${bounds[holds]}`
      found.push(wrong('disk', `${path}: ${sizeOf(freeBytes)} of ${sizeOf(totalBytes)} left`, next))
    }
    if (totalInodes > 0 && freeInodes < totalInodes * leastFreeInodeShare) {
      const next = `du -x --inodes --max-depth=3 ${mountOf(path)} | sort -n | tail`
      found.push(
        wrong(
          'disk',
          `${path}: ${freeInodes} of ${totalInodes} inodes left: without inodes no file can be created`,
          next,
        ),
      )
    }
    return found
  })
}

/** The whole file system: a file beside this folder may have filled it. */
const mountOf = (path: string): string => `$(stat -c %m ${path})`

/** Commands that limit the growth. */
const bounds: Record<Disk['holds'], string> = {
  cache: '; tandem agent run --cache-cap limits the size of releases',
  store: '; tandem controller run --store-cap limits the size of releases',
  journal: '; journalctl --vacuum-size=1G removes the oldest lines',
  other: '',
}

export function judgeLimits({ ephemeral, instances, files, processes, overflows }: Limits): Finding[] {
  const found: Finding[] = []
  const ports = ephemeral.last - ephemeral.first + 1
  if (ephemeral.used > ports * mostUsedShare) {
    const next =
      "ss -tan | awk '{print $5}' | sort | uniq -c | sort -n   shows the destinations; widen net.ipv4.ip_local_port_range"
    found.push(
      wrong(
        'limits',
        `${ephemeral.used} of ${ports} ephemeral ports are in use: outgoing connections will soon fail`,
        next,
      ),
    )
  }
  if (instances && instances.first <= ephemeral.last && ephemeral.first <= instances.last) {
    const what = `the ports of instances, ${instances.first} to ${instances.last}, lie in the ephemeral range ${ephemeral.first} to ${ephemeral.last}: an outgoing connection may take one of them`
    found.push(wrong('limits', what, 'sysctl net.ipv4.ip_local_port_range, or tandem agent run --ports FIRST-LAST'))
  }
  if (files.used > files.most * mostUsedShare)
    found.push(
      wrong(
        'limits',
        `${files.used} of ${files.most} open files of this machine are in use`,
        'raise sysctl fs.file-max',
      ),
    )
  if (processes === null)
    found.push(
      unchecked(
        'limits',
        'the open files of each process: the processes are found by their ports, which are not known',
      ),
    )
  for (const { name, pid, used, most } of processes ?? []) {
    if (used <= most * mostUsedShare) continue
    found.push(
      wrong(
        'limits',
        `${name} (process ${pid}) has ${used} of ${most} files open`,
        `ls -l /proc/${pid}/fd; raise its LimitNOFILE`,
      ),
    )
  }
  const grown = overflows.after - overflows.before
  if (grown > 0) {
    const what = `${grown} connections were dropped in ${overflows.seconds} s because a program does not accept them fast enough (ListenOverflows, ${overflows.after} since the boot)`
    found.push(wrong('limits', what, 'ss -ltn   shows the program: its Recv-Q is as long as its Send-Q'))
  }
  return found
}

const sizeOf = (bytes: number): string =>
  bytes >= 1024 ** 3 ? `${(bytes / 1024 ** 3).toFixed(1)} GiB` : `${Math.round(bytes / 1024 ** 2)} MiB`
