import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Checkup } from '../../protocol/checkup.ts'
import type { Check } from '../../api/checks.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { renderCheckups } from '../render/checkups.ts'
import type { CommonFlags, Session } from '../session.ts'
import { newerCall } from '../tooOld.ts'
import { agentData } from '../../layout/folders.ts'

type DoctorFlags = CommonFlags & { cluster: boolean; kept: boolean; data?: string; machine?: string; secrets: string }

/** Exits with 1 if a check finds a problem. */
export async function doctor(session: Session, flags: DoctorFlags): Promise<number> {
  const { host, out } = session
  const here = folderHere(flags, host.cwd)
  const checkups: (Checkup & { at?: string })[] = flags.kept
    ? await kept(session, flags)
    : here === null
      ? await ofCluster(session, flags.machine)
      : [await host.entryPoints.examineMachine({ data: here, secretsFolder: resolve(host.cwd, flags.secrets) })]
  checkups.sort((one, other) => (one.machine < other.machine ? -1 : 1))
  const isWell = checkups.every(({ findings }) => findings.every(({ level }) => level !== 'wrong'))
  out.result({ well: isWell, machines: checkups }, () => renderCheckups(checkups, out.paint, Date.now()))
  return isWell ? 0 : 1
}

/** Data folder of the agent to check, or `null` to check the cluster. */
function folderHere({ cluster, context, machine, data }: DoctorFlags, cwd: string): string | null {
  if (data !== undefined) return resolve(cwd, data)
  if (cluster || context !== undefined || machine !== undefined) return null
  return existsSync(join(agentData, 'joined.json')) ? agentData : null
}

/** The newest checkups of the controller's own rounds: the page shows the same. */
async function kept(session: Session, { data, machine }: DoctorFlags): Promise<Check[]> {
  if (data !== undefined) {
    throw new OperatorError('E_USAGE', '--kept and --data cannot be given together', {
      ...{ subject: '--kept', next: 'tandem doctor --help' },
    })
  }
  const { signal } = session
  const { checks } = await newerCall(await session.client(), 'checks', {}, { lacks: 'no kept checkups', signal })
  return checks.filter((one) => machine === undefined || one.machine === machine)
}

async function ofCluster(session: Session, machine: string | undefined): Promise<Checkup[]> {
  const { signal } = session
  const client = await session.client()
  const query = machine === undefined ? {} : { machine }
  const checkups: Checkup[] = []
  for await (const { data } of client.stream('checkups', { query }, { signal })) checkups.push(data)
  signal.throwIfAborted()
  const { absent } = machine === undefined ? await client.call('status', {}, signal) : { absent: [] }
  const missing = absent.map((name): Checkup => ({ machine: name, checked: [], findings: [notJoined(name)] }))
  return [...checkups, ...missing]
}

const notJoined = (name: string): Checkup['findings'][number] => ({
  ...{ area: 'report', level: 'wrong', what: 'the cluster file names the machine, but it has not joined' },
  next: `tandem machine add ${name}   prints the join command; or remove the machine from the cluster file`,
})
