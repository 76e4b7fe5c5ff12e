import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from 'vitest'
import { systemClock } from '../../../lib/clock.ts'
import type { SupervisorDriver } from '../supervisor.ts'
import { families } from '../families.ts'
import { supervisorConformance, type Behaviour } from '../supervisorConformance.ts'
import { createSystemdSupervisor } from './systemdSupervisor.ts'

const server = `
const { createServer } = require('node:net')
console.error('warned')
createServer().listen(process.env.PORT, '127.0.0.1', () => console.log('up'))
`
const programs: Record<Behaviour, string[]> = {
  ...families,
  serves: ['/usr/lib/tandem/node', '-e', server],
  stubborn: ['/bin/sh', '-c', 'trap "" TERM; echo up; while :; do sleep 1; done'],
  short: ['/bin/sh', '-c', 'echo line 1; echo line 2; printf "line 3"; exit 3'],
  broken: ['./missing'],
  echoes: ['/bin/sh', '-c', 'cat; printf done >&2; exit 4'],
}

const inside = process.env['TANDEM_LAB_MACHINE'] === '1'
const why = inside ? '' : ' (skipped: units belong to the whole machine; make test-lab runs this on its own machine)'

describe.skipIf(!inside)(`units${why}`, () => {
  supervisorConformance('systemd', async () => {
    const parent = '/var/lib/tandem-test'
    mkdirSync(parent, { recursive: true })
    const dir = mkdtempSync(join(parent, 'supervisor-'))
    const cwd = join(dir, 'release')
    mkdirSync(cwd)
    const next = (): SupervisorDriver =>
      createSystemdSupervisor({ dir: join(dir, 'agent'), clock: systemClock, hidden: [dir] })
    return {
      driver: next(),
      program: (behaviour) => ({ argv: programs[behaviour], cwd }),
      next,
      dispose: async () => {
        const last = next()
        const { adopted } = await last.recover()
        await Promise.all(adopted.map((id) => last.stop(id)))
        await last.close()
        rmSync(dir, { recursive: true })
      },
    }
  })
})
