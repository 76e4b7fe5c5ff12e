import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { systemClock } from '../../../lib/clock.ts'
import { families } from '../families.ts'
import { supervisorConformance, type Behaviour } from '../supervisorConformance.ts'
import { createProcessSupervisor } from './processSupervisor.ts'

const server = `
const { createServer } = require('node:net')
console.error('warned')
createServer().listen(process.env.PORT, '127.0.0.1', () => console.log('up'))
`
const programs: Record<Behaviour, string[]> = {
  ...families,
  serves: [process.execPath, '-e', server],
  stubborn: ['/bin/sh', '-c', 'trap "" TERM; echo up; while :; do sleep 1; done'],
  short: ['/bin/sh', '-c', 'echo line 1; echo line 2; printf "line 3"; exit 3'],
  broken: ['./missing'],
  echoes: ['/bin/sh', '-c', 'cat; printf done >&2; exit 4'],
}

supervisorConformance('process', async () => {
  mkdirSync(resolve('tmp'), { recursive: true })
  const dir = mkdtempSync(resolve('tmp/supervisor-'))
  const driver = createProcessSupervisor({ dir, machine: 'test', clock: systemClock })
  return {
    driver,
    program: (behaviour) => ({ argv: programs[behaviour], cwd: dir }),
    dispose: async () => rmSync(dir, { recursive: true }),
  }
})
