import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const root = '/sys/fs/cgroup'
const killMs = 10_000
/**
 * A group competes for processors like one task of this computer. Behind a dozen busy tasks a machine would stand still
 * for longer than keepalived waits for an advertisement (0.36 s), and its address would move.
 */
const share = [
  ['cpu.shares', '65536'],
  ['cpu.weight', '5000'],
] as const

/** One cgroup for each machine in every hierarchy of this computer. It contains all processes of the machine. */
export class MachineCgroup {
  #name: string

  constructor(name: string) {
    this.#name = name
  }

  create(): void {
    for (const hierarchy of hierarchies()) {
      const group = join(hierarchy, this.#name)
      mkdirSync(group, { recursive: true })
      // An empty cpuset accepts no process; only v1 begins with an empty one.
      for (const file of ['cpuset.cpus', 'cpuset.mems']) {
        if (existsSync(join(hierarchy, file))) writeFileSync(join(group, file), readFileSync(join(hierarchy, file)))
      }
      for (const [file, value] of share) if (existsSync(join(group, file))) writeFileSync(join(group, file), value)
    }
  }

  /** The files into which a process writes its pid to join the machine's cgroups. */
  doors(): string[] {
    return hierarchies().map((hierarchy) => {
      const group = join(hierarchy, this.#name)
      // In v2, a cgroup that delegates controllers holds no process itself.
      if (!isUnified() || !existsSync(join(group, 'payload'))) return join(group, 'cgroup.procs')
      mkdirSync(join(group, 'entered'), { recursive: true })
      return join(group, 'entered/cgroup.procs')
    })
  }

  pids(): number[] {
    return [...new Set(this.#groups().flatMap(pidsOf))]
  }

  /** Kills until no process is left, then removes the cgroup. */
  async remove(): Promise<void> {
    const deadline = performance.now() + killMs
    for (let pids = this.pids(); pids.length > 0; pids = this.pids()) {
      if (performance.now() > deadline) throw new Error(`${this.#name}: ${pids.join(', ')} cannot be killed`)
      for (const pid of pids) kill(pid)
      await pause(10)
    }
    for (const group of this.#groups()) await removeGroup(group, deadline)
  }

  /** Lists children before their parents. */
  #groups(): string[] {
    return hierarchies().flatMap((hierarchy) => below(join(hierarchy, this.#name)))
  }
}

const isUnified = (): boolean => existsSync(join(root, 'cgroup.controllers'))

function hierarchies(): string[] {
  if (isUnified()) return [root]
  const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return folders.map(({ name }) => join(root, name)).filter((folder) => existsSync(join(folder, 'cgroup.procs')))
}

function below(group: string): string[] {
  try {
    const children = readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    return [...children.flatMap(({ name }) => below(join(group, name))), group]
  } catch {
    return [] // it never existed, or was removed meanwhile
  }
}

function pidsOf(group: string): number[] {
  try {
    return readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // the process has ended meanwhile
  }
}

/** The kernel returns EBUSY for a moment after the last process has ended. */
async function removeGroup(group: string, deadline: number): Promise<void> {
  for (;;) {
    try {
      return rmdirSync(group)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return
      if (code !== 'EBUSY' || performance.now() > deadline) throw error
      await pause(5)
    }
  }
}
