import { z } from 'zod'
import { atLeast, machine, position, time, type Operation } from './operation.ts'
import { problem, type StandingProblem } from './standingProblem.ts'

/** A longer script belongs into a package, because the log keeps the script. */
const mostScriptChars = 65_536
const mostScriptMs = 24 * 3_600_000

export const maintenanceSchema = z.object({
  id: z.string(),
  kind: z.enum(['reboot', 'patch']),
  script: z.string().nullable().describe("the script's name; null: there is none"),
  state: z.enum(['running', 'stopped', 'completed']),
  reason: z.string().nullable().describe('why the maintenance stopped'),
  startedAt: time,
  finishedAt: time.nullable(),
  machines: z.array(
    z.object({ machine: z.string(), state: z.enum(['waiting', 'drain', 'work', 'check', 'return', 'done']) }),
  ),
})
export type MaintenanceView = z.infer<typeof maintenanceSchema>

export const maintenanceOperations = {
  startMaintenance: {
    dryRun: true,
    ...{ method: 'POST', path: '/maintenance', role: 'operator', summary: 'work on machines, one after the other' },
    body: z.object({
      kind: z.enum(['reboot', 'patch']),
      machines: z.array(machine).max(100).describe('worked on in this order; empty: all machines, by name'),
      script: z
        .object({
          name: z.string().min(1).max(200),
          text: z.string().min(1).max(mostScriptChars),
          withinMs: z.int().min(1).max(mostScriptMs),
        })
        .nullable()
        .default(null)
        .describe('runs as root on each machine'),
      restart: z.boolean().describe('restart each machine, after its script'),
      force: z.boolean().default(false),
    }),
    response: z.object({ position, maintenance: maintenanceSchema }),
  },
  maintenance: {
    ...{ method: 'GET', path: '/maintenance', role: 'reader', summary: 'the running maintenance, or the last one' },
    query: z.object({ atLeast }),
    response: z.object({ maintenance: maintenanceSchema.nullable() }),
  },
  resumeMaintenance: {
    dryRun: true,
    ...{ method: 'POST', path: '/maintenance/resume', role: 'operator', summary: 'resume a stopped maintenance' },
    body: z.object({ force: z.boolean().default(false).describe('allow it to interrupt services from here on') }),
    response: z.object({ position, maintenance: maintenanceSchema }),
  },
  stopMaintenance: {
    dryRun: true,
    ...{
      method: 'POST',
      path: '/maintenance/stop',
      role: 'operator',
      summary: 'stop the maintenance; leave the current machine unchanged',
    },
    body: z.object({}),
    response: z.object({ position, maintenance: maintenanceSchema.nullable() }),
  },
} as const satisfies Record<string, Operation>

/** This feature's part of the status. */
export const maintenanceStatus = {
  maintenance: maintenanceSchema
    .nullable()
    .default(null)
    .describe('the maintenance that runs or stopped; null: there is none'),
}

/** The part of a status that says where a maintenance left a machine. */
interface StatusPart {
  maintenance: MaintenanceView | null
  machines: { name: string; state: string }[]
}

/** Why a machine is out of traffic, where a stopped maintenance left it; `null`: none did. */
export function whyLeftOut({ maintenance, machines }: StatusPart, name: string): StandingProblem | null {
  if (maintenance?.state !== 'stopped' || machineAt(maintenance) !== name) return null
  const state = machines.find((machine) => machine.name === name)?.state
  const subject = `machine ${name}`
  return problem({
    ...{ tone: 'warn', word: 'left out', subject, machine: name },
    text: `${subject} reports but is ${state}, because the ${maintenanceTitle(maintenance)} stopped there`,
    next: [
      { command: 'tandem maintenance resume', does: 'continues it' },
      { command: `tandem machine ready ${name}`, does: 'puts the machine back in traffic without it' },
    ],
  })
}

/** The machine at which the maintenance works or has stopped. */
export const machineAt = ({ machines }: MaintenanceView): string | null =>
  machines.find(({ state }) => state !== 'done' && state !== 'waiting')?.machine ?? null

/** `patch with patch.sh`, `reboot`. */
export const maintenanceTitle = ({ kind, script }: MaintenanceView): string =>
  script === null ? kind : `${kind} with ${script}`
