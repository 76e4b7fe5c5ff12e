import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { jsonFolder, type JsonFiles } from '../lib/jsonFolder.ts'
import { desiredStateSchema, type DesiredState } from '../protocol/desiredState.ts'
import { AgentDisk } from './agentDisk.ts'
import { aDesiredState, anInstance } from './testing/given.ts'

let folder: string
let disk: AgentDisk
const [whole, changes] = ['desired.json', 'desired-changes.json']
beforeEach(() => {
  const parent = join(import.meta.dirname, '../../tmp')
  mkdirSync(parent, { recursive: true })
  folder = mkdtempSync(join(parent, 'desired-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  disk = new AgentDisk(folder)
  disk.readDesired()
})

const at = (position: number): DesiredState =>
  aDesiredState({ position, instances: [anInstance({ id: `x${position}` }), anInstance({ id: 'y' })] })
const sizeOf = (name: string): number => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0
/** The state that an agent which starts now finds. */
const found = (): DesiredState | null => new AgentDisk(folder).readDesired()
/** The state that an agent of an older version finds. */
const foundByOlder = (): DesiredState => desiredStateSchema.parse(JSON.parse(readFileSync(join(folder, whole), 'utf8')))

it('holds each state once it is written, and writes only the first one whole', () => {
  disk.writeDesired(at(1))
  const first = readFileSync(join(folder, whole), 'utf8')
  for (const position of [2, 3, 4]) {
    disk.writeDesired(at(position))
    expect(found()).toEqual(at(position))
  }
  expect(readFileSync(join(folder, whole), 'utf8')).toBe(first)
  expect(statSync(join(folder, changes)).mode & 0o777).toBe(0o600)
})

it('is one file for an older version after the changes were merged, and says nothing new when merged again', () => {
  for (const position of [1, 2, 3]) disk.writeDesired(at(position))
  expect(foundByOlder()).toEqual(at(1))
  disk.mergeDesired()
  expect([foundByOlder(), found()]).toEqual([at(3), at(3)])
  const { mtimeNs } = statSync(join(folder, whole), { bigint: true })
  disk.mergeDesired()
  expect(statSync(join(folder, whole), { bigint: true }).mtimeNs).toBe(mtimeNs)
})

it('holds the state before, or this one, wherever a crash cuts off its line', () => {
  for (const position of [1, 2]) disk.writeDesired(at(position))
  const before = sizeOf(changes)
  disk.writeDesired(at(3))
  for (let size = sizeOf(changes); size >= before; size -= 7) {
    truncateSync(join(folder, changes), size)
    expect(found()?.position).toBe(
      size === before || !readFileSync(join(folder, changes), 'utf8').endsWith('\n') ? 2 : 3,
    )
  }
})

it('ignores changes that follow another whole state: a crash came between both files, or an older version wrote one', () => {
  for (const position of [1, 2, 3]) disk.writeDesired(at(position))
  const lines = readFileSync(join(folder, changes))
  disk.mergeDesired()
  writeFileSync(join(folder, changes), lines)
  expect(found()).toEqual(at(3))
  writeFileSync(join(folder, whole), JSON.stringify({ format: 1, ...at(1) }))
  expect(found()).toEqual(at(1))
  rmSync(join(folder, whole))
  expect(found()).toBeNull()
})

it('continues with a whole state after a start, and never continues the lines of another one', () => {
  for (const position of [1, 2]) disk.writeDesired(at(position))
  const lines = readFileSync(join(folder, changes))
  rmSync(join(folder, whole)) // the disk lost it
  disk = new AgentDisk(folder)
  expect(disk.readDesired()).toBeNull()
  disk.writeDesired(at(1))
  writeFileSync(join(folder, changes), lines)
  expect(found()).toEqual(at(1))
  disk.writeDesired(at(5))
  expect(found()).toEqual(at(5))
})

it('holds the state before or this one after a write that failed, and the next one after the disk has room again', () => {
  for (const position of [1, 2]) disk.writeDesired(at(position))
  for (const name of [changes, whole]) {
    rmSync(join(folder, name))
    mkdirSync(join(folder, name)) // nothing can be written there
  }
  expect(() => disk.writeDesired(at(3))).toThrow('EISDIR')
  for (const name of [changes, whole]) rmSync(join(folder, name), { recursive: true })
  for (const position of [4, 5]) {
    disk.writeDesired(at(position))
    expect(found()).toEqual(at(position))
  }
})

it.each([[changes], [whole], [changes, whole]])('is written again when somebody removed %s %s', (...names) => {
  for (const position of [1, 2, 3]) disk.writeDesired(at(position))
  for (const name of names) rmSync(join(folder, name))
  disk.writeDesired(at(4))
  disk.mergeDesired()
  expect([found(), foundByOlder()]).toEqual([at(4), at(4)])
})

it('writes a whole state again after many changes', () => {
  for (let position = 1; position <= 500; position++) disk.writeDesired(at(position))
  expect(foundByOlder().position).toBeGreaterThan(300)
  expect(found()).toEqual(at(500))
})

it('names the file that is damaged', () => {
  for (const position of [1, 2, 3]) disk.writeDesired(at(position))
  const lines = readFileSync(join(folder, changes), 'utf8').split('\n')
  writeFileSync(join(folder, changes), ['{"half', ...lines.slice(1)].join('\n'))
  expect(found).toThrow(join(folder, changes))
  writeFileSync(join(folder, changes), lines.slice(1).join('\n')) // the first line is lost
  expect(found).toThrow(join(folder, changes))
})

it('is one file for an older version after a kill, a start without a controller, and an end', () => {
  for (const position of [1, 2, 3]) disk.writeDesired(at(position))
  disk = new AgentDisk(folder) // the agent was killed before it merged
  expect(disk.readDesired()).toEqual(at(3))
  disk.mergeDesired()
  expect([foundByOlder(), found()]).toEqual([at(3), at(3)])
  for (const position of [4, 5]) {
    disk.writeDesired(at(position))
    expect(found()).toEqual(at(position))
  }
})

it.each(['before', 'after'] as const)(
  'loses no state that it writes after a merge that failed %s its rename',
  (when) => {
    const real = jsonFolder(folder)
    let isFailing = false
    const fail = (): never => {
      throw Object.assign(new Error('input/output error'), { code: 'EIO' })
    }
    const write: JsonFiles['write'] = (name, value) => {
      if (isFailing && when === 'before') fail()
      real.write(name, value)
      if (isFailing) fail()
    }
    disk = new AgentDisk(folder, { ...real, write })
    disk.readDesired()
    for (const position of [1, 2, 3]) disk.writeDesired(at(position))
    isFailing = true
    expect(() => disk.mergeDesired()).toThrow('input/output error')
    expect(found()).toEqual(at(3))
    isFailing = false
    disk.writeDesired(at(4))
    expect(found()).toEqual(at(4))

    disk.writeDesired(at(5))
    isFailing = true
    expect(() => disk.mergeDesired()).toThrow('input/output error')
    isFailing = false
    disk.mergeDesired()
    expect([foundByOlder(), found()]).toEqual([at(5), at(5)])
  },
)

/** Damages one line: as a loss of power or a bad disk does, its length stays the same. */
function damage(line: number, harm: (text: string) => string): void {
  const lines = readFileSync(join(folder, changes), 'utf8').split('\n')
  const before = lines[line] ?? ''
  lines[line] = harm(before)
  expect(lines[line]).not.toBe(before)
  expect(lines[line]).toHaveLength(before.length)
  writeFileSync(join(folder, changes), lines.join('\n'))
}
const zeros = (text: string): string => text.slice(0, 20) + '\0'.repeat(20) + text.slice(40)
const otherInstance = (text: string): string => text.replace(/"x\d"/, '"z9"')

it.each([
  ['zeros', zeros],
  ['other valid JSON', otherInstance],
])('takes a last line with %s for one that a crash cut off, and continues after it', (_name, harm) => {
  for (const position of [1, 2, 3, 4]) disk.writeDesired(at(position))
  damage(2, harm)
  disk = new AgentDisk(folder)
  expect(disk.readDesired()).toEqual(at(3))
  for (const position of [4, 5]) {
    disk.writeDesired(at(position))
    expect(found()).toEqual(at(position))
  }
})

it.each([
  ['zeros', zeros],
  ['other valid JSON', otherInstance],
])('names the file with %s in a line before the last', (_name, harm) => {
  for (const position of [1, 2, 3, 4]) disk.writeDesired(at(position))
  damage(1, harm)
  expect(found).toThrow(join(folder, changes))
})
