import { existsSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { certificatesFolder, haproxyRunDir } from '../layout/folders.ts'
import { judgeMachine } from '../doctor/judgeMachine.ts'
import { agentAnswer } from './agentAnswer.ts'
import { controllerFacts } from './controllerFacts.ts'
import type { Checker } from './configurations.ts'
import type { FeatureExaminations } from './featureExamination.ts'
import { gatherFacts } from './gatherFacts.ts'
import { JoinedFolder } from '../identity/joinedMachine.ts'
import { systemClock } from '../lib/clock.ts'
import { readJson } from '../lib/durableJson.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { partJail } from '../parts/unitTexts.ts'
import { privilegedFolder } from '../layout/dataFolder.ts'
import { agentUser, haproxyUser } from '../layout/users.ts'
import type { AgentSelf, Checkup } from '../protocol/checkup.ts'
import type { MachineSettings } from '../definitions/machineSettings.ts'
import { readVersion } from '../lib/version.ts'

// Loaded at the first checkup, so that an agent without checkups does not keep this code in memory.

/** Period over which dropped connections are counted. */
const watchMs = 1_000

interface Machine {
  machine: string
  data: string
  settings: MachineSettings | null
  secretsFolder: string
  self: AgentSelf | string
  features: FeatureExaminations
}

/** Makes the checkup of a machine, on that machine. */
export async function examineMachine(about: Machine): Promise<Checkup> {
  const haproxyChecker = checkerOf(about.data)
  const places = { certificatesFolder, haproxyRunDir, haproxyChecker, watchMs }
  return judgeMachine(await gatherFacts({ ...about, ...places, now: systemClock.now(), installed: readVersion() }))
}

/** The agent writes HAProxy's configuration, so it is checked with the rights of the agent's user. */
function checkerOf(data: string): Checker | null {
  if (existsSync(privilegedFolder(data))) return { user: agentUser, group: haproxyUser, jail: partJail }
  const { uid, gid } = lstatSync(data)
  return uid === 0 ? null : { user: String(uid), group: String(gid), jail: partJail }
}

/** Makes the checkup for a user on the machine, also if the agent is down. */
export async function examineHere({
  data,
  ...given
}: Pick<Machine, 'data' | 'secretsFolder' | 'features'>): Promise<Checkup> {
  const joined = new JoinedFolder(data)
  if (!joined.exists()) throw notAMachine(data)
  const { machine, settings } = joined.read()
  return examineMachine({ ...given, machine, settings, data, self: await selfOf(data) })
}

/** Makes the checkup of the controller. */
export async function examineController(data: string): Promise<Checkup> {
  return judgeMachine(await controllerFacts(data, systemClock.now()))
}

const portsSchema = z.object({ metrics: z.number().nullable() })

async function selfOf(data: string): Promise<AgentSelf | string> {
  const path = join(data, 'ports.json')
  if (!existsSync(path)) return 'the agent has never run here'
  try {
    const { metrics } = portsSchema.parse(readJson(path))
    return await agentAnswer(data, metrics ?? 0)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const notAMachine = (data: string): OperatorError =>
  new OperatorError('E_USAGE', `${data} is not the data folder of a machine that has joined a cluster`, {
    subject: data,
    next: 'sudo tandem doctor --data DIR, with the data folder of the agent; tandem doctor --cluster   checks the cluster',
  })
