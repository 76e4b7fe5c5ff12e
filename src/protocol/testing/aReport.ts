import { laterPaths } from '../../definitions/keyPaths.ts'
import type { Report } from '../report.ts'
import { abilityNames } from '../slices.ts'

/** A report of a machine on which nothing runs. */
export const aReport = (over: Partial<Report> = {}): Report => ({
  ...{
    machine: 'a',
    boot: 1,
    seq: 1,
    version: '0',
    abilities: [...abilityNames],
    definitionKeys: [...laterPaths],
    seen: null,
    refused: null,
    held: null,
    program: null,
  },
  applied: { supervisor: 0, balancer: 0, address: 0 },
  endpoints: { host: '127.0.0.1', http: 8001, forward: 9001, metrics: 9101 },
  ...{ fetched: [], fetchFailures: [], instances: [], prepared: [], removedData: [], unserved: [], problems: [] },
  ...{ maintenance: null, maintains: false, lastWords: [], rendered: [], renderFailures: [] },
  addresses: { held: [], withheld: null, trouble: null, reaches: [] },
  firewall: { state: 'off', why: null, calls: [] },
  limits: { memory: true, cpu: true, tasks: true, why: null },
  ...over,
})
