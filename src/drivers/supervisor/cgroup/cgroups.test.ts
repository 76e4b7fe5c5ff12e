import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCgroups } from './cgroups.ts'
import { findHierarchies, parseMounts } from './hierarchy.ts'
import { limitFiles } from './limitFiles.ts'

const limits = { memoryBytes: 64 * 1024 * 1024, cpu: 1.5, tasks: 20, bodyBytes: null }
const none = { memoryBytes: null, cpu: null, tasks: null, bodyBytes: null }

let root = ''
beforeEach(() => {
  mkdirSync(resolve('tmp'), { recursive: true })
  root = mkdtempSync(resolve('tmp/cgroup-'))
})
afterEach(() => rmSync(root, { recursive: true }))

describe('limit files', () => {
  it('of v1', () => {
    const files = limitFiles({ version: 1, controllers: ['memory', 'cpu', 'pids'], base: '', tracks: true }, limits)
    expect(files.map(({ file, value }) => `${file}=${value}`)).toEqual([
      'memory.limit_in_bytes=67108864',
      'memory.memsw.limit_in_bytes=67108864',
      'cpu.cfs_period_us=100000',
      'cpu.cfs_quota_us=150000',
      'pids.max=20',
    ])
  })

  it('of v2', () => {
    const files = limitFiles({ version: 2, controllers: ['memory', 'cpu', 'pids'], base: '', tracks: true }, limits)
    expect(files.map(({ file, value }) => `${file}=${value}`)).toEqual([
      'memory.max=67108864',
      'memory.swap.max=0',
      'cpu.max=150000 100000',
      'pids.max=20',
    ])
  })

  it('do not exist without limits, and are never below the minimum of the kernel', () => {
    const all = { version: 2 as const, controllers: ['memory' as const, 'cpu' as const], base: '', tracks: true }
    expect(limitFiles(all, none)).toEqual([])
    expect(limitFiles(all, { ...none, cpu: 0.0001 })).toMatchObject([{ value: '1000 100000' }])
  })
})

/** A folder that looks like a v2 tree with the agent in `/user/session`, whose parent delegates controllers. */
function fakeUnified(): string {
  mkdirSync(join(root, 'user', 'session'), { recursive: true })
  for (const folder of ['', 'user', 'user/session', 'user/tandem', 'user/tandem/m-1']) {
    mkdirSync(join(root, folder), { recursive: true })
    writeFileSync(join(root, folder, 'cgroup.controllers'), 'cpuset cpu io memory pids')
    writeFileSync(join(root, folder, 'cgroup.subtree_control'), '')
  }
  // Simulates the kernel, which rejects writes to this file in a group that holds processes.
  rmSync(join(root, 'user/session/cgroup.subtree_control'))
  mkdirSync(join(root, 'user/session/cgroup.subtree_control'))
  return `41 31 0:38 / ${root} rw - cgroup2 cgroup2 rw\n`
}

describe('a v2 tree', () => {
  it('is used below the nearest group that can delegate controllers', () => {
    const facts = { mounts: fakeUnified(), own: '0::/user/session\n' }
    const { hierarchies, why } = findHierarchies('m-1', facts)
    const base = join(root, 'user/tandem/m-1')
    expect({ hierarchies, why }).toEqual({
      hierarchies: [{ version: 2, controllers: ['memory', 'cpu', 'pids'], base, tracks: true }],
      why: null,
    })
    expect(readFileSync(join(base, 'cgroup.subtree_control'), 'utf8')).toBe('+memory +cpu +pids')
    const cgroups = createCgroups(hierarchies, why)
    expect(cgroups.abilities).toEqual({ memory: true, cpu: true, tasks: true, why: null })
    const groups = cgroups.create('i1', limits)
    cgroups.join(groups, 4711)
    expect([...cgroups.members(groups)]).toEqual([4711])
    expect(readFileSync(join(base, 'i1', 'cpu.max'), 'utf8')).toBe('150000 100000')
    writeFileSync(join(base, 'i1', 'memory.events'), 'low 0\nhigh 0\nmax 7\noom 2\noom_kill 2\noom_group_kill 0\n')
    expect(cgroups.oomKills(groups)).toBe(2)
    expect(cgroups.leftovers()).toEqual(new Map([['i1', groups]]))
  })

  it('without controllers is reported as text', () => {
    const { hierarchies, why } = findHierarchies('m', { mounts: '', own: '' })
    expect(hierarchies).toEqual([])
    expect(why).toBe('this kernel offers no control groups for these limits')
  })
})

it('reads mounts with blanks in their paths, and ignores other mounts', () => {
  const text = '35 31 0:32 /a /sys/fs/my\\040group rw - cgroup cgroup rw,memory\n1 1 0:1 / / rw - ext4 /dev/vda rw\n'
  expect(parseMounts(text)).toEqual([{ version: 1, point: '/sys/fs/my group', root: '/a', options: ['rw', 'memory'] }])
})
