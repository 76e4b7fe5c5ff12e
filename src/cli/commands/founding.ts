import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { randomBytes } from 'node:crypto'
import { invitation } from '../invitation.ts'
import { programsFolder } from '../../layout/dataFolder.ts'
import { agentData } from '../../layout/folders.ts'
import { checkedPin } from '../../identity/pinnedAuthority.ts'
import type { CommonFlags, Session } from '../session.ts'

type InitFlags = CommonFlags & { cluster: string; address: string; data: string; port: number; start: boolean }

/** Founds a cluster: its authority, its controller, and the first operator, which is the user of this command. */
export async function initController(session: Session, flags: InitFlags): Promise<number> {
  const { host, out, contexts } = session
  const { cluster, address, port, start } = flags
  const data = resolve(host.cwd, flags.data)
  const token = `tdm_${randomBytes(32).toString('base64url')}`
  const admit = [
    { token, role: 'operator' as const, machine: null, name: host.env['SUDO_USER'] ?? host.env['USER'] ?? 'operator' },
  ]
  const { authority, pin } = await host.entryPoints.initController({
    cluster,
    data,
    addresses: [address, hostname()],
    ...{ admit, start },
  })
  const url = `https://${address.includes(':') ? `[${address}]` : address}:${port}`
  contexts.set(cluster, { url, token, authority })
  const invite = invitation(cluster, { url, token, pin })
  if (contexts.current() === null) contexts.use(cluster)
  const argv = ['controller', 'run', '--cluster', cluster, '--data', data, '--host', address, '--port', String(port)]
  const started = start && (await host.entryPoints.startController(cluster, data, argv))
  out.result({ cluster, controller: url, context: cluster, data, pin, invite, started }, () => {
    const how = started
      ? 'the controller runs as tandem-controller.service'
      : `start the controller: tandem ${argv.join(' ')}`
    return `founded cluster ${cluster}; its authority is in ${data}; ${how}`
  })
  out.note('  next  write cluster.yaml, then: tandem cluster apply cluster.yaml')
  out.note(
    '  on another computer of yours, this command creates the same context; anyone who has it controls the cluster:',
  )
  if (!out.json) out.note(`    ${invite}`)
  return 0
}

/** Prints the command that makes a machine join. It works on that machine, once, within one hour. */
export async function addMachine(
  session: Session,
  flags: CommonFlags & { cloudInit: boolean },
  machine: string,
): Promise<number> {
  const { client } = await session.announce(`add machine ${machine}`)
  const { token, expiresAt, pin, controllers, joined, program } = await client.call(
    'inviteMachine',
    { params: { machine } },
    session.signal,
  )
  // After an upgrade, the program on the PATH of the machine may be the former one.
  const tandem = program === null ? 'tandem' : join(programsFolder(agentData), 'releases', program, 'bin/tandem')
  const command = `${tandem} agent join ${controllers[0]} --token ${token} --pin ${pin}`
  const document = cloudInit(machine, command)
  session.out.result({ machine, command, token, pin, controllers, expiresAt, cloudInit: document }, () =>
    flags.cloudInit ? document.trimEnd() : command,
  )
  session.out.note(
    `run this on ${machine}, as root; it works once, until ${expiresAt.slice(0, 16).replace('T', ' ')} UTC`,
  )
  if (joined)
    session.out.note(`if ${machine} has joined already, this gives it a key for secrets, and changes nothing else`)
  return 0
}

type JoinFlags = CommonFlags & { token: string; pin: string; data: string; start: boolean }

export async function joinAgent(session: Session, flags: JoinFlags, controller: string): Promise<number> {
  const { host, out, signal } = session
  const data = resolve(host.cwd, flags.data)
  const pin = checkedPin(flags.pin, 'copy the whole command that tandem machine add NAME printed')
  const { token, start } = flags
  const joining = { controller, token, pin, data, start }
  const { machine, cluster, started, lacks } = await host.entryPoints.joinMachine(joining, signal)
  for (const words of lacks) out.warn(`machine ${machine} ${words}`)
  out.result({ machine, cluster, data, started }, () => {
    const how = started ? 'the agent runs as tandem-agent.service' : `start the agent: tandem agent run --data ${data}`
    return `this computer is now machine ${machine} of cluster ${cluster}; ${how}`
  })
  return 0
}

/** A cloud-init document that runs the command, for a machine that does not exist yet. */
const cloudInit = (machine: string, command: string): string => `#cloud-config
hostname: ${machine}
runcmd:
  - [${command
    .split(' ')
    .map((word) => JSON.stringify(word))
    .join(', ')}]
`
