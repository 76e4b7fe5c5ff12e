import type { Limits } from '../../../definitions/definition.ts'
import type { Hierarchy } from './hierarchy.ts'

/** One file of a control group and what to write into it. */
interface LimitFile {
  file: string
  value: string
  /** The file is absent on some kernels (swap accounting is a boot option). */
  optional: boolean
}

const periodMicros = 100_000
/** The kernel accepts no smaller quota. */
const leastQuotaMicros = 1_000

/**
 * The files that set these limits (kernel documentation: admin-guide/cgroup-v1/{memory,pids}.rst,
 * scheduler/sched-bwc.rst; admin-guide/cgroup-v2.rst). Swap counts as memory: a limit that only moves pages to the disk
 * limits nothing.
 */
export function limitFiles({ version, controllers }: Hierarchy, limits: Limits): LimitFile[] {
  const files: LimitFile[] = []
  const add = (file: string, value: string | number, optional = false): void => {
    files.push({ file, value: String(value), optional })
  }
  if (controllers.includes('memory') && limits.memoryBytes !== null) {
    add(version === 1 ? 'memory.limit_in_bytes' : 'memory.max', limits.memoryBytes)
    if (version === 1) add('memory.memsw.limit_in_bytes', limits.memoryBytes, true)
    else add('memory.swap.max', 0, true)
  }
  if (controllers.includes('cpu') && limits.cpu !== null) {
    const quota = Math.max(leastQuotaMicros, Math.round(limits.cpu * periodMicros))
    if (version === 2) add('cpu.max', `${quota} ${periodMicros}`)
    else {
      add('cpu.cfs_period_us', periodMicros)
      add('cpu.cfs_quota_us', quota)
    }
  }
  if (controllers.includes('pids') && limits.tasks !== null) add('pids.max', limits.tasks)
  return files
}
